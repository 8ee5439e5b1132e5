package io.millau.metrics;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Some numbers that are counted together, once for each of a few threads, so that processors don't take the memory that they count
 * in from each other: that costs ten times what counting does. Safe for use by any number of threads.
 *
 * <p>It is I/O threads that count, which are few and live long: those that come first have copies of their own.
 */
final class Counters {

    /** More would cost memory where there are many services. */
    private static final int COPIES = Math.min(4, Integer.highestOneBit(2 * processors() - 1));

    /** Of memory that a processor has as a whole. */
    private static final int LINE = 64 / Long.BYTES;

    private static final AtomicInteger THREADS = new AtomicInteger();
    private static final ThreadLocal<Integer> COPY =
            ThreadLocal.withInitial(() -> THREADS.getAndIncrement() & COPIES - 1);

    private final AtomicLongArray values;
    private final int length;

    /** All 0. */
    Counters(int count) {
        length = (count + LINE - 1) / LINE * LINE;
        values = new AtomicLongArray(LINE + COPIES * length); // a line before, which the array's own length stands in
    }

    private static int processors() {
        return Runtime.getRuntime().availableProcessors();
    }

    /** Which copy the calling thread counts in; asked once for several numbers. */
    static int copy() {
        return COPY.get();
    }

    void increment(int copy, int index) {
        add(copy, index, 1);
    }

    void add(int copy, int index, long number) {
        if (number != 0) {
            values.getAndAdd(LINE + copy * length + index, number);
        }
    }

    long sum(int index) {
        long sum = 0;
        for (int copy = 0; copy < COPIES; copy++) {
            sum += values.get(LINE + copy * length + index);
        }
        return sum;
    }
}
