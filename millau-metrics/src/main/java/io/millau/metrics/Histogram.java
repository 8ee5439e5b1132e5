package io.millau.metrics;

import java.util.concurrent.TimeUnit;

/** A histogram of durations, kept beside other counters. Safe for use by several threads. */
final class Histogram {

    /** The buckets' upper bounds in seconds, as text; the last bucket has none. */
    static final String[] BOUNDS = {
        "0.005", "0.01", "0.025", "0.05", "0.1", "0.3", "0.6", "1.2", "2.5", "5.0", "10.0", "30.0", "+Inf"
    };

    /** How many counters it takes: the sum in nanoseconds, then one for each bucket. */
    static final int LENGTH = 1 + BOUNDS.length;

    private static final long[] NANOS = nanos();

    private final Counters counters;
    private final int start;

    /** @param start the index of the first of its counters */
    Histogram(Counters counters, int start) {
        this.counters = counters;
        this.start = start;
    }

    private static long[] nanos() {
        long[] nanos = new long[BOUNDS.length];
        for (int i = 0; i < nanos.length - 1; i++) {
            nanos[i] = Math.round(Double.parseDouble(BOUNDS[i]) * TimeUnit.SECONDS.toNanos(1));
        }
        nanos[nanos.length - 1] = Long.MAX_VALUE;
        return nanos;
    }

    void observe(int copy, long nanos) {
        int bucket = 0;
        while (nanos > NANOS[bucket]) {
            bucket++;
        }
        counters.increment(copy, start + 1 + bucket);
        counters.add(copy, start, nanos);
    }

    /** The number of durations up to each bound (cumulative). */
    long[] counts() {
        long[] upTo = new long[BOUNDS.length];
        long count = 0;
        for (int i = 0; i < upTo.length; i++) {
            count += counters.sum(start + 1 + i);
            upTo[i] = count;
        }
        return upTo;
    }

    /** The sum of all durations in seconds. */
    double seconds() {
        return counters.sum(start) / (double) TimeUnit.SECONDS.toNanos(1);
    }
}
