package io.millau.server.internal.upstream;

import java.util.concurrent.TimeUnit;

/**
 * How long an endpoint keeps idle connections, as far as it is known from those that it closed without announcement. All times are
 * in nanoseconds. For one thread.
 */
final class KeepTime {

    /** An endpoint that closes connections sooner is regarded as keeping none: a request takes time to arrive, too. */
    static final long SHORTEST = TimeUnit.MILLISECONDS.toNanos(20);

    /** An endpoint may have been configured anew: this long after the last early close, it is forgotten. */
    static final long REMEMBERED = TimeUnit.MINUTES.toNanos(1);

    private long shortest = Long.MAX_VALUE;
    private long confirmedAt;

    /** The endpoint closed a connection that had been idle for that long. */
    void closed(long idle, long now) {
        if (isForgotten(now) || idle < shortest) {
            shortest = idle;
            confirmedAt = now;
        } else if (idle < 2 * shortest + SHORTEST) {
            confirmedAt = now; // about as early as before
        }
    }

    /** How long a connection may be idle to be used for a request that can't be retried; 0 for no kept connection. */
    long trusted(long now) {
        if (isForgotten(now)) {
            return Long.MAX_VALUE;
        }
        return shortest < SHORTEST ? 0 : shortest / 2;
    }

    private boolean isForgotten(long now) {
        return shortest == Long.MAX_VALUE || now - confirmedAt > REMEMBERED;
    }
}
