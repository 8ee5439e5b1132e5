package io.millau.core;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Keeps small values that outlive the process, and that the replicas of a proxy share: certificates and their keys, accounts,
 * answers to challenges.
 *
 * <p>A name is one or more segments with {@code /} between them; a segment is 1 to 255 of {@code a-z 0-9 . _ -}, and neither
 * {@code .} nor {@code ..}. Where {@code a} is a value's name, {@code a/b} can't be one, since a store may keep {@code a} as a
 * folder. A value is at most {@link #LARGEST_VALUE} bytes.
 *
 * <p>Safe for use by several threads, and by several processes. Every method may block on a disk or a network, and throws
 * {@link IOException} if that fails, and {@link IllegalArgumentException} for a malformed name or value.
 */
public interface Store {

    /** In bytes. */
    int LARGEST_VALUE = 256 * 1024;

    /**
     * The store in files: the value {@code issuer/name/certificate} is that file in a folder, which is made if it isn't there.
     *
     * <p>A folder on a volume that several processes share is a store that they share, if its file system has locks that
     * count for all of them. Where it has permissions, files get the mode 0600 and folders 0700. What was set aside is in a
     * folder {@code ~damaged} beside the value; only the last one of a name is kept. Symbolic links in the folder are
     * refused with an {@link IOException}.
     *
     * <p>A lock ends when it is closed, when its time is over, or when its process dies, whatever comes first; a process
     * that is stopped as a whole holds it until it goes on. Each name that was ever locked leaves an empty file behind.
     */
    static Store files(Path folder) {
        return new StoredFiles(folder);
    }

    /** A value; empty if there is none. Always a whole value, also while it is replaced. */
    Optional<byte[]> get(String name) throws IOException;

    /** Writes a value, in place of the one before: every reader gets the one or the other, after a crash too. */
    void put(String name, byte[] value) throws IOException;

    /** Removes a value, if there is one. */
    void remove(String name) throws IOException;

    /** The names of all values that begin with a text, sorted. */
    List<String> names(String prefix) throws IOException;

    /**
     * Sets a value aside that can't be used: it is not there any more, but its bytes are kept for the operator.
     */
    void setAside(String name) throws IOException;

    /**
     * Locks a name, which needs no value, against all other users of the store.
     *
     * @param atMost when the lock ends by itself at the latest, if its holder died for instance
     * @return empty if another holder has it
     */
    Optional<Lock> tryLock(String name, Duration atMost) throws IOException;

    /** A lock that is held. */
    interface Lock extends AutoCloseable {

        /** Frees it, if it is still held; what goes wrong is logged, since it ends by itself anyway. */
        @Override
        void close();
    }

    /**
     * Checks a name, for implementations.
     *
     * @return the name
     */
    static String checkName(String name) {
        if (!StoredFiles.isName(name)) {
            throw new IllegalArgumentException(
                    "name " + name + ": expected segments of a-z 0-9 . _ - with / between them,"
                            + " at most 255 characters each, and none of them . or ..");
        }
        return name;
    }

    /**
     * Checks a value, for implementations.
     *
     * @return the value
     */
    static byte[] checkValue(byte[] value) {
        if (value.length > LARGEST_VALUE) {
            throw new IllegalArgumentException(
                    "a value of " + value.length + " bytes: expected at most " + LARGEST_VALUE);
        }
        return value;
    }

    /**
     * Checks how long a lock may last, for implementations.
     *
     * @return the time
     */
    static Duration checkLock(Duration atMost) {
        if (atMost.isNegative() || atMost.isZero()) {
            throw new IllegalArgumentException("a lock for at most " + atMost + ": expected more than nothing");
        }
        return atMost;
    }
}
