package io.millau.metrics;

import java.util.concurrent.TimeUnit;

/** How many took how long. */
final class Histogram {

    /** Upper bounds as they are written, in seconds; beyond the last there is no bound. */
    static final String[] BOUNDS = {
        "0.005", "0.01", "0.025", "0.05", "0.1", "0.3", "0.6", "1.2", "2.5", "5.0", "10.0", "30.0", "+Inf"
    };

    private static final long[] NANOS = nanos();

    /** How long all took together; then a number for each bound. The first bounds share a line with it. */
    private final Counters counters = new Counters(1 + BOUNDS.length);

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
        counters.increment(copy, 1 + bucket);
        counters.add(copy, 0, nanos);
    }

    /** How many took no longer than each bound. */
    long[] counts() {
        long[] upTo = new long[BOUNDS.length];
        long count = 0;
        for (int i = 0; i < upTo.length; i++) {
            count += counters.sum(1 + i);
            upTo[i] = count;
        }
        return upTo;
    }

    /** How long all took together, in seconds. */
    double seconds() {
        return counters.sum(0) / (double) TimeUnit.SECONDS.toNanos(1);
    }
}
