package io.millau.server.internal.proxy;

import io.millau.server.internal.frontend.DownstreamConnection;
import io.millau.server.internal.io.Deadlines;
import java.time.Duration;

/**
 * Watches a transfer for a time in which nothing moves. What moves costs one look at the clock for each pause: the deadline is
 * moved on only when it passes. For the I/O thread of the deadlines alone.
 */
final class Silence extends Deadlines.Deadline {

    /** How long nothing may move where somebody waits for it. */
    static final Duration LONGEST = DownstreamConnection.MAX_SILENCE;

    private static final long NANOS = LONGEST.toNanos();

    private final Deadlines deadlines;
    private final Runnable tooLong;
    private long since;
    private boolean watching;

    /** @param tooLong called when nothing has moved for so long, and again after each further time of the same length */
    Silence(Deadlines deadlines, Runnable tooLong) {
        this.deadlines = deadlines;
        this.tooLong = tooLong;
    }

    /** @param moved whether something has moved since the last pause */
    void paused(boolean moved) {
        if (moved || !watching) {
            since = deadlines.now();
        }
        if (!watching) {
            watching = true;
            deadlines.set(this, NANOS);
        }
    }

    void end() {
        deadlines.cancel(this);
    }

    @Override
    public void passed() {
        long left = NANOS - (deadlines.now() - since);
        if (left > 0) {
            deadlines.set(this, left);
            return;
        }
        since = deadlines.now();
        deadlines.set(this, NANOS);
        tooLong.run();
    }
}
