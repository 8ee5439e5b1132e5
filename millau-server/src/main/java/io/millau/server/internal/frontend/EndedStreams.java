package io.millau.server.internal.frontend;

/**
 * The numbers of the streams of an HTTP/2 connection that ended last. Frames that arrive for them were sent before the client
 * knew of the end, or are a violation of the protocol (RFC 9113, 5.1). For one thread.
 */
final class EndedStreams {

    private static final int COUNT = 64;

    /** Negative for those that were reset by us. */
    private final int[] last = new int[COUNT];

    private int next;

    /** Adds a stream whose end both sides know. */
    void add(int stream) {
        last[next] = stream;
        next = (next + 1) % COUNT;
    }

    /** Adds a stream that was reset, which the client may not know yet. */
    void addReset(int stream) {
        add(-stream);
    }

    boolean contains(int stream) {
        return find(stream) || find(-stream);
    }

    boolean isReset(int stream) {
        return find(-stream);
    }

    private boolean find(int entry) {
        for (int known : last) {
            if (known == entry) {
                return true;
            }
        }
        return false;
    }
}
