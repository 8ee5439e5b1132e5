package io.millau.core;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The requests that wait for a place at an instance of one service ({@link Service#maxRequests}), in order. Safe for use
 * by several threads, without locks.
 *
 * <p>Only the first one may take a place. It is woken when a place may be free, and on its own thread tries to take it.
 * No wake-up is lost: who frees a place wakes the first afterwards; who joins as the first is woken at once; and who
 * leaves wakes the new first.
 */
final class WaitingLine {

    private static final long CHANGE = 1L << 32;

    private final Queue<Waiter> waiters = new ConcurrentLinkedQueue<>();

    /** The size in the lower half; each change adds one to the upper half. */
    private final AtomicLong state = new AtomicLong();

    /** How many may have a place already and are about to leave, so that they must not count twice. */
    private final AtomicInteger looking = new AtomicInteger();

    /** A request that waits. */
    static final class Waiter {
        final WaitingLine line;
        private final Runnable wake;
        private final AtomicBoolean woken = new AtomicBoolean();
        private boolean looks; // for its own thread

        private Waiter(WaitingLine line, Runnable wake) {
            this.line = line;
            this.wake = wake;
        }

        boolean isFirst() {
            return line.waiters.peek() == this;
        }

        /** Call before looking for a place: places that become free from now on wake it again. */
        void looks() {
            woken.set(false);
            if (!looks) {
                looks = true;
                line.looking.getAndIncrement();
            }
        }

        /** Found no place. */
        void stays() {
            if (looks) {
                looks = false;
                line.looking.getAndDecrement();
            }
        }

        /** Leaves the line, with a place or without. Call once. */
        void leave() {
            line.waiters.remove(this);
            line.state.getAndAdd(CHANGE - 1);
            stays();
            line.wake();
        }
    }

    boolean isEmpty() {
        return waiters.isEmpty();
    }

    int size() {
        return (int) state.get();
    }

    /**
     * Joins at the end.
     *
     * @param wake called by any thread when the request is the first and a place may be free; must not block
     * @param most how many may wait this moment
     * @return null if as many wait already
     */
    @Nullable
    Waiter join(Runnable wake, LongSupplier most) {
        if (!enter(most)) {
            return null;
        }
        Waiter waiter = new Waiter(this, wake);
        waiters.add(waiter);
        if (waiter.isFirst()) {
            wake(); // a place may have become free before it joined
        }
        return waiter;
    }

    private boolean enter(LongSupplier most) {
        while (true) {
            long before = state.get();
            // In this order: who waits and has just taken a place counts as looking until it leaves.
            long places = most.getAsLong() + looking.get();
            if ((int) before < places) {
                if (state.compareAndSet(before, before + CHANGE + 1)) {
                    return true;
                }
            } else if (state.get() == before) {
                return false; // nobody came or went meanwhile, so the figures belong together
            }
        }
    }

    /** Wakes the first, if it isn't awake already: a place may be free. */
    void wake() {
        Waiter first = waiters.peek();
        if (first != null && first.woken.compareAndSet(false, true)) {
            first.wake.run();
        }
    }
}
