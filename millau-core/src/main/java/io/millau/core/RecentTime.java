package io.millau.core;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How long an endpoint took to respond recently. A longer time counts at once; shorter ones take over in the course of
 * ten seconds, so a slow endpoint is tried again (peak EWMA). Safe for use by several threads, without a lock.
 */
final class RecentTime {

    private static final double FORGOTTEN_MILLIS = TimeUnit.SECONDS.toMillis(10);
    private static final long MAX_MICROS = 0xffff_ffffL;

    /** The time in microseconds in the upper half; in the lower, when it was that, in milliseconds; 0 if unknown. */
    private final AtomicLong state = new AtomicLong();

    /** Adds the time of a response. */
    void add(long nanos, long now) {
        update(Math.max(1, TimeUnit.NANOSECONDS.toMicros(nanos)), false, now);
    }

    /**
     * Adds the time of a response that tells of a failure, which may have come fast: it makes the time longer, not
     * shorter.
     */
    void addFailure(long nanos, long now) {
        if (state.get() != 0) {
            update(TimeUnit.NANOSECONDS.toMicros(nanos), true, now);
        }
    }

    private void update(long micros, boolean onlyLonger, long now) {
        int millis = millis(now);
        long before;
        long after;
        do {
            before = state.get();
            double kept = kept(before, millis);
            long known = before >>> 32;
            long next = onlyLonger || before == 0 ? known : Math.round(known * kept + micros * (1 - kept));
            after = Math.min(MAX_MICROS, Math.max(micros, next)) << 32 | millis & 0xffff_ffffL;
        } while (!state.compareAndSet(before, after));
    }

    /** The time in nanoseconds, less the longer no response came; 0 if unknown. */
    long nanos(long now) {
        long current = state.get();
        return current == 0 ? 0 : (long) ((current >>> 32) * kept(current, millis(now)) * 1_000) + 1;
    }

    private static int millis(long now) {
        return (int) TimeUnit.NANOSECONDS.toMillis(now);
    }

    /** The part of a known time that still counts. */
    private static double kept(long state, int millis) {
        return Math.exp(-Math.max(0, millis - (int) state) / FORGOTTEN_MILLIS);
    }
}
