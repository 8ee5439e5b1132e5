package io.millau.server.internal.status;

import java.util.concurrent.atomic.LongAdder;

/** Counts, and knows how many a second that has been lately. Counted by any thread; {@link #tick} is for one. */
final class Meter {

    /** How much the last second weighs beside those before: what has stopped is forgotten within 20 s. */
    private static final double WEIGHT = 0.25;

    private static final double FORGOTTEN = 0.005;

    private final LongAdder count = new LongAdder();
    private long counted;
    private volatile double perSecond;

    void count() {
        count.increment();
    }

    /** So many seconds have passed since the last time. */
    void tick(double seconds) {
        long now = count.sum();
        double latest = (now - counted) / seconds;
        counted = now;
        double smooth = perSecond + WEIGHT * (latest - perSecond);
        perSecond = smooth < FORGOTTEN && latest == 0 ? 0 : smooth;
    }

    long total() {
        return count.sum();
    }

    double perSecond() {
        return perSecond;
    }
}
