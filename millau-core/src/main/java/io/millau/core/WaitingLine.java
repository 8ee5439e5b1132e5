package io.millau.core;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
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

    private final Queue<Waiter> waiters = new ConcurrentLinkedQueue<>();
    private final AtomicInteger size = new AtomicInteger();

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
            line.size.getAndDecrement();
            stays();
            line.wake();
        }
    }

    boolean isEmpty() {
        return waiters.isEmpty();
    }

    int size() {
        return size.get();
    }

    /**
     * Joins at the end.
     *
     * @param wake called by any thread when the request is the first and a place may be free; must not block
     * @param most how many may wait
     * @return null if as many wait already
     */
    @Nullable
    Waiter join(Runnable wake, long most) {
        int aboutToLeave = looking.get(); // before the size, which they lower before they are counted out
        if (size.incrementAndGet() > most + aboutToLeave) {
            size.getAndDecrement();
            return null;
        }
        Waiter waiter = new Waiter(this, wake);
        waiters.add(waiter);
        if (waiter.isFirst()) {
            wake(); // a place may have become free before it joined
        }
        return waiter;
    }

    /** Wakes the first, if it isn't awake already: a place may be free. */
    void wake() {
        Waiter first = waiters.peek();
        if (first != null && first.woken.compareAndSet(false, true)) {
            first.wake.run();
        }
    }
}
