package io.millau.core;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Keeps small values that outlive the process and are shared by the replicas of a proxy: certificates and their keys,
 * accounts, responses to challenges.
 *
 * <p>A name consists of segments, separated by {@code /}. A segment has 1 to 255 characters of {@code a-z 0-9 . _ -},
 * and is neither {@code .} nor {@code ..}. If {@code a} is the name of a value, {@code a/b} can't be one, since a store
 * may use folders. A value has at most {@link #LARGEST_VALUE} bytes.
 *
 * <p>Safe for use by several threads and processes. Every method may block on a disk or network. It throws {@link
 * IOException} if that fails, and {@link IllegalArgumentException} for a malformed name or value.
 *
 * <pre>{@code
 * Store store = Store.files(folder);
 * Optional<Store.Lock> lock = store.tryLock("routes/current", Duration.ofMinutes(1));
 * if (lock.isPresent()) { // no other replica has it
 *     try (Store.Lock held = lock.get()) {
 *         store.put("routes/current", "orders".getBytes(StandardCharsets.UTF_8));
 *     }
 * }
 * }</pre>
 */
public interface Store {

    /** The maximum size of a value, in bytes. */
    int LARGEST_VALUE = 256 * 1024;

    /**
     * A store in files. The value {@code issuer/name/certificate} is a file of that path in the folder, which is
     * created when needed.
     *
     * <p>Processes can share the folder on a volume whose file system has locks that work between them. If the file
     * system has permissions, files get the mode 0600 and folders 0700. Values that were set aside are in a folder
     * {@code ~damaged} beside their value; only the last one of a name is kept. Symbolic links in the folder are
     * rejected with an {@link IOException}.
     *
     * <p>A lock ends when it is closed, when its time is over, or when its process dies. A process that is suspended
     * keeps its locks until it resumes. Each name that was ever locked leaves an empty file behind.
     */
    static Store files(Path folder) {
        return new StoredFiles(folder);
    }

    /** Reads a value; empty if there is none. Never returns a partly written value. */
    Optional<byte[]> get(String name) throws IOException;

    /** Writes or replaces a value. Readers get either the old or the new value, even after a crash. */
    void put(String name, byte[] value) throws IOException;

    /** Removes a value; does nothing if there is none. */
    void remove(String name) throws IOException;

    /** The names of all values that start with a prefix, sorted. */
    List<String> names(String prefix) throws IOException;

    /**
     * Sets aside a value that can't be used: it is removed, but its bytes are kept for the operator. Does nothing if
     * there is none.
     */
    void setAside(String name) throws IOException;

    /**
     * Locks a name against all other users of the store. Doesn't wait. The name needs no value.
     *
     * @param atMost when the lock ends by itself, for example if its holder died
     * @return empty if another holder has it
     */
    Optional<Lock> tryLock(String name, Duration atMost) throws IOException;

    /** A lock that is held. Close it to free it. */
    interface Lock extends AutoCloseable {

        /** Frees the lock, if it is still held. Failures are only logged, since the lock also ends by itself. */
        @Override
        void close();
    }

    /**
     * Checks a name, for implementations.
     *
     * @return the name
     * @throws IllegalArgumentException if it is malformed
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
     * @throws IllegalArgumentException if it is too large
     */
    static byte[] checkValue(byte[] value) {
        if (value.length > LARGEST_VALUE) {
            throw new IllegalArgumentException(
                    "a value of " + value.length + " bytes: expected at most " + LARGEST_VALUE);
        }
        return value;
    }

    /**
     * Checks the maximum time of a lock, for implementations.
     *
     * @return the time
     * @throws IllegalArgumentException if it is not positive
     */
    static Duration checkLock(Duration atMost) {
        if (atMost.isNegative() || atMost.isZero()) {
            throw new IllegalArgumentException("a lock for at most " + atMost + ": expected more than nothing");
        }
        return atMost;
    }
}
