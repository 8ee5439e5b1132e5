package io.millau.metrics;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Counters that are often updated together. A few copies, shared out among the threads, avoid contention for cache
 * lines, which would make an update about ten times slower. Safe for use by any number of threads.
 *
 * <p>The first I/O threads, which are few and live long, each have their own copy.
 */
final class Counters {

    /** Limited to save memory with many services. */
    private static final int COPIES = Math.min(4, Integer.highestOneBit(2 * processors() - 1));

    /** The length of a cache line. */
    private static final int CACHE_LINE = 64 / Long.BYTES;

    private static final AtomicInteger THREADS = new AtomicInteger();
    private static final ThreadLocal<Integer> COPY =
            ThreadLocal.withInitial(() -> THREADS.getAndIncrement() & COPIES - 1);

    private final AtomicLongArray values;
    private final int length;

    /** All 0. */
    Counters(int count) {
        length = (count + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
        values = new AtomicLongArray(CACHE_LINE + COPIES * length); // keeps the array's length field on another line
    }

    private static int processors() {
        return Runtime.getRuntime().availableProcessors();
    }

    /** The calling thread's copy. Get it once for several updates. */
    static int copy() {
        return COPY.get();
    }

    void increment(int copy, int index) {
        add(copy, index, 1);
    }

    void add(int copy, int index, long number) {
        if (number != 0) {
            values.getAndAdd(CACHE_LINE + copy * length + index, number);
        }
    }

    long sum(int index) {
        long sum = 0;
        for (int copy = 0; copy < COPIES; copy++) {
            sum += values.get(CACHE_LINE + copy * length + index);
        }
        return sum;
    }
}
