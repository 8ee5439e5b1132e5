package io.millau.server.internal.http2;

/** A stream of an HTTP/2 connection that a {@link StreamNotifier} notifies. For the connection's I/O thread. */
public interface NotifiedStream {

    /** Notifies its user if there is something to read, or room to write. */
    void tell();

    /** Whether a write would make progress. */
    boolean canWrite();

    /** Whether it is about to be notified. */
    boolean notifying();

    void notifying(boolean queued);
}
