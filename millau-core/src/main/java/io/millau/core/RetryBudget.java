package io.millau.core;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Keeps retries from becoming a storm: where all of a service fails, they add a fifth to its requests of the last ten
 * seconds, and not a multiple. A service with few requests has ten retries for each of these seconds all the same.
 *
 * <p>Counts only ever go up; a window is what they grew by since its oldest slice began. For all threads, without a lock:
 * those that are late by some nanoseconds count to the slice before.
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
     * Time goes on; to be called with every request.
     *
     * @param requests how many there were so far; may overflow
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
