package io.millau.core;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Keeps small values that outlive the process, and that the replicas of a proxy share: certificates and their keys, accounts,
 * answers to challenges.
 *
 * <p>A name is one or more segments with {@code /} between them; a segment is 1 to 255 of {@code a-z 0-9 . _ -}, and neither
 * {@code .} nor {@code ..}. A value is at most {@link #LARGEST_VALUE} bytes.
 *
 * <p>Safe for use by several threads, and by several processes. Every method may block on a disk or a network, and throws
 * {@link IOException} if that fails, and {@link IllegalArgumentException} for a name or value that is none.
 */
public interface Store {

    /** In bytes. */
    int LARGEST_VALUE = 256 * 1024;

    /** A value; empty if there is none. Never a part of one, or of two. */
    Optional<byte[]> get(String name) throws IOException;

    /** Writes a value, in place of the one before: every reader gets the one or the other, after a crash too. */
    void put(String name, byte[] value) throws IOException;

    /** Removes a value, if there is one. */
    void remove(String name) throws IOException;

    /** The names of all values that begin with a text, sorted. */
    List<String> names(String prefix) throws IOException;

    /**
     * Sets a value aside that can't be used: it is not there any more, but its bytes are kept for whoever wants to know why.
     */
    void setAside(String name) throws IOException;

    /**
     * Locks a name, which needs no value, against all other users of the store.
     *
     * @param atMost when the lock ends by itself at the latest, if its holder died for instance
     * @return empty if somebody else holds it
     */
    Optional<Lock> tryLock(String name, Duration atMost) throws IOException;

    /** A lock that is held. */
    interface Lock extends AutoCloseable {

        /** Frees it, if it is still held; what goes wrong is logged, since it ends by itself anyway. */
        @Override
        void close();
    }
}
