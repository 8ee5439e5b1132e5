package io.millau.core;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Limits retries, so that they don't multiply the load when all endpoints of a service fail: to a fifth of the
 * service's requests in the last ten seconds, but at least ten per second.
 *
 * <p>Counters only grow; the use in a window is their growth since its oldest slice began. Safe for use by several
 * threads, without locks; a count near the border of two slices may be added to the earlier one.
 */
final class RetryBudget {

    private static final int SLICES = 10;
    private static final long SLICE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int REQUESTS_FOR_A_RETRY = 5;
    private static final int ALWAYS = 10 * SLICES;

    private final long began;
    private final AtomicLong slice = new AtomicLong();
    private final AtomicLongArray countsAtStart = new AtomicLongArray(SLICES);
    private final AtomicInteger retries = new AtomicInteger();

    RetryBudget(long now) {
        began = now;
    }

    /**
     * Advances the window. Call with every request.
     *
     * @param requests the number of requests so far; may overflow
     */
    void tick(long now, int requests) {
        long current = (now - began) / SLICE_NANOS;
        long last = slice.get();
        if (current > last && slice.compareAndSet(last, current)) {
            long counts = (long) requests << 32 | retries.get() & 0xffff_ffffL;
            for (long s = Math.max(last, current - SLICES) + 1; s <= current; s++) {
                countsAtStart.set((int) (s % SLICES), counts);
            }
        }
    }

    /** Whether one more retry is allowed. */
    boolean allows(long now, int requests) {
        tick(now, requests);
        long oldest = countsAtStart.get((int) ((slice.get() + 1) % SLICES));
        int requested = requests - (int) (oldest >>> 32);
        int retried = retries.get() - (int) oldest;
        return retried < Math.max(ALWAYS, requested / REQUESTS_FOR_A_RETRY);
    }

    /** Counts a retry. */
    void spend() {
        retries.getAndIncrement();
    }
}
