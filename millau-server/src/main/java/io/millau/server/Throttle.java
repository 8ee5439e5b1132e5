package io.millau.server;

import io.millau.core.Ticker;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Keeps the log from growing with what anybody can make happen: of one kind of line the first is said, and then one every
 * 10 s at most, with how many were left out. For any thread.
 */
final class Throttle {

    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Ticker ticker;
    private final AtomicLong next;
    private final AtomicInteger leftOut = new AtomicInteger();

    Throttle(Ticker ticker) {
        this.ticker = ticker;
        this.next = new AtomicLong(ticker.nanoTime());
    }

    /**
     * Whether to say it now.
     *
     * @return how many like it were left out since the last one; -1 to leave this one out too
     */
    int leftOut() {
        long now = ticker.nanoTime();
        long due = next.get();
        if (now - due >= 0 && next.compareAndSet(due, now + PAUSE_NANOS)) {
            return leftOut.getAndSet(0);
        }
        leftOut.getAndIncrement();
        return -1;
    }
}
