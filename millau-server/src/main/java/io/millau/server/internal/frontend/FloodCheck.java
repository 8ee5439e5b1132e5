package io.millau.server.internal.frontend;

import io.millau.server.internal.http2.Http2;
import io.millau.server.internal.http2.Http2.ConnectionException;
import io.millau.server.internal.io.Deadlines;
import java.util.concurrent.TimeUnit;

/**
 * Notices a client that sends frames over an HTTP/2 connection only to cause work (RFC 9113, 10.5): resets, and frames that carry
 * nothing. What carries requests and bodies allows for more of them, so a busy client does not come near the limits. For one
 * thread.
 */
final class FloodCheck {

    private static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** How many frames that carry nothing a period allows for in any case. */
    private static final int MAX_EMPTY = 1000;

    /** How many of them each part of a request or response allows for: two window updates, and as many again. */
    private static final int EMPTY_FOR_EACH_PART = 4;

    /** How many resets a period allows for in any case. */
    private static final int MAX_RESETS = 200;

    /** A continuation of a head that is shorter counts as one that carries nothing. */
    private static final int SHORT_BYTES = 64;

    private final Deadlines clock;
    private long began;
    private int empty;
    private int resets;
    private int requests;
    private int parts;

    FloodCheck(Deadlines clock) {
        this.clock = clock;
        this.began = clock.now();
    }

    void frame(int type, int length) throws ConnectionException {
        boolean carries = switch (type) {
            case Http2.HEADERS, Http2.RST_STREAM -> true; // counted elsewhere
            case Http2.DATA -> length > 0;
            case Http2.CONTINUATION -> length >= SHORT_BYTES;
            default -> false;
        };
        if (type == Http2.DATA && carries) {
            parts++;
        }
        if (!carries) {
            carriedNothing();
        }
    }

    private void carriedNothing() throws ConnectionException {
        period();
        if (++empty > MAX_EMPTY + EMPTY_FOR_EACH_PART * (long) parts) {
            throw new ConnectionException(
                    Http2.ENHANCE_YOUR_CALM, "flood of frames that carry nothing: " + empty + " within 10 s");
        }
    }

    /** A request was refused, since too many are in progress; a client may not know yet how many it may begin. */
    void requestRefused() throws ConnectionException {
        carriedNothing();
    }

    void requestBegan() {
        requests++;
        parts++;
    }

    void dataSent() {
        parts++;
    }

    /** A stream was reset, by the client or because of what it sent. */
    void reset() throws ConnectionException {
        period();
        if (++resets > MAX_RESETS && resets > requests / 2) {
            throw new ConnectionException(
                    Http2.ENHANCE_YOUR_CALM,
                    "flood of resets: " + resets + " of " + requests + " requests within 10 s");
        }
    }

    private void period() {
        long now = clock.now();
        if (now - began > PERIOD_NANOS) {
            began = now;
            empty = 0;
            resets = 0;
            requests = 0;
            parts = 0;
        }
    }
}
