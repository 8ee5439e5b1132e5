package io.millau.server.internal.frontend;

import java.util.Arrays;

/**
 * The numbers of the streams of an HTTP/2 connection that ended last. Frames that arrive for them were sent before the client
 * knew of the end, or are a violation of the protocol (RFC 9113, 5.1). For one thread.
 */
final class EndedStreams {

    /** As many as may be reset at the same time. */
    private static final int COUNT = DownstreamStreams.MAX_REQUESTS;

    /** Negative for those that were reset by us. It grows, since most connections have few. */
    private int[] last = new int[16];

    private int next;

    /** Adds a stream whose end both sides know. */
    void add(int stream) {
        if (next == last.length) {
            if (last.length < COUNT) {
                last = Arrays.copyOf(last, 2 * last.length);
            } else {
                next = 0;
            }
        }
        last[next++] = stream;
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
