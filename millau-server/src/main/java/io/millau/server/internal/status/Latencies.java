package io.millau.server.internal.status;

import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;

/**
 * Durations of responses in the last minute, with an error of at most an eighth. Any thread may count, without a lock;
 * {@link #tick} and {@link #quantile} lock.
 */
final class Latencies {

    private static final int STEPS = 8; // buckets per power of two
    private static final int SHORTEST = 5; // log2 of 32 microseconds; shorter ones count as this
    private static final int LONGEST = 27; // log2 of 134 s in microseconds; longer ones count as this
    private static final int BUCKETS = (LONGEST - SHORTEST) * STEPS;

    private static final int SLICES = 6;
    private static final int TICKS_A_SLICE = 10;

    private final AtomicIntegerArray counts = new AtomicIntegerArray(BUCKETS);

    /** Copies of {@link #counts} from the start of each slice; empty before the first. */
    private final int[][] starts = new int[SLICES][0];

    private int slice;
    private int ticks;

    void count(long nanos) {
        counts.getAndIncrement(bucket(TimeUnit.NANOSECONDS.toMicros(nanos)));
    }

    private static int bucket(long micros) {
        if (micros < 1 << SHORTEST) {
            return 0;
        }
        int power = 63 - Long.numberOfLeadingZeros(micros);
        if (power >= LONGEST) {
            return BUCKETS - 1;
        }
        int step = (int) (micros >>> power - 3) & STEPS - 1;
        return (power - SHORTEST) * STEPS + step;
    }

    /** The upper bound of a bucket. */
    private static double millis(int bucket) {
        long power = 1L << SHORTEST + bucket / STEPS;
        return power * (STEPS + bucket % STEPS + 1) / (double) STEPS / 1000;
    }

    /** Call every second. */
    synchronized void tick() {
        if (ticks++ % TICKS_A_SLICE == 0) {
            int[] now = copy();
            int[] before = starts[slice];
            slice = (slice + 1) % SLICES;
            starts[slice] = Arrays.equals(now, before) ? before : now;
        }
    }

    /** The number of different copies, for tests. */
    synchronized int copies() {
        Set<int[]> different = Collections.newSetFromMap(new IdentityHashMap<>());
        different.addAll(Arrays.asList(starts));
        return different.size();
    }

    private int[] copy() {
        int[] copy = new int[BUCKETS];
        for (int i = 0; i < BUCKETS; i++) {
            copy[i] = counts.get(i);
        }
        return copy;
    }

    /**
     * A quantile of the durations, in milliseconds.
     *
     * @param part for example 0.99
     * @return null if there were no responses
     */
    @Nullable
    synchronized Double quantile(double part) {
        int[] since = starts[(slice + 1) % SLICES];
        long all = 0;
        int[] recent = new int[BUCKETS];
        for (int i = 0; i < BUCKETS; i++) {
            recent[i] = counts.get(i) - (since.length == 0 ? 0 : since[i]);
            all += recent[i];
        }
        long left = (long) Math.ceil(part * all);
        for (int i = 0; i < BUCKETS; i++) {
            left -= recent[i];
            if (left <= 0 && all > 0) {
                return millis(i);
            }
        }
        return null;
    }
}
