package io.millau.server.internal.status;

import java.util.concurrent.atomic.LongAdder;

/** A counter with a smoothed rate per second. Any thread may count; {@link #tick} is for one thread. */
final class Meter {

    /** The weight of the last second. After the last event, the rate falls to 0 within 20 s. */
    private static final double WEIGHT = 0.25;

    private static final double LEAST_RATE = 0.005;

    private final LongAdder count = new LongAdder();
    private long counted;
    private volatile double perSecond;

    void count() {
        count.increment();
    }

    /**
     * Updates the rate.
     *
     * @param seconds since the last call
     */
    void tick(double seconds) {
        long now = count.sum();
        double latest = (now - counted) / seconds;
        counted = now;
        double smooth = perSecond + WEIGHT * (latest - perSecond);
        perSecond = smooth < LEAST_RATE && latest == 0 ? 0 : smooth;
    }

    long total() {
        return count.sum();
    }

    double perSecond() {
        return perSecond;
    }
}
