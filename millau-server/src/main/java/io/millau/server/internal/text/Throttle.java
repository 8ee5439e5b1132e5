package io.millau.server.internal.text;

import io.millau.core.Ticker;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.slf4j.Logger;

/**
 * Limits log lines that clients can cause. Of one kind of line, the first is logged, and then at most one every 10 s, with the
 * number of lines left out. Safe for use by several threads.
 */
public final class Throttle {

    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Ticker ticker;
    private final AtomicLong next;
    private final AtomicInteger leftOut = new AtomicInteger();

    public Throttle() {
        this(Ticker.system());
    }

    Throttle(Ticker ticker) {
        this.ticker = ticker;
        this.next = new AtomicLong(ticker.nanoTime());
    }

    /** Logs a line, or counts it as left out if the last one was logged less than 10 s ago. */
    public void warn(Logger log, Supplier<String> line) {
        long now = ticker.nanoTime();
        long due = next.get();
        if (now - due < 0 || !next.compareAndSet(due, now + PAUSE_NANOS)) {
            leftOut.getAndIncrement();
            return;
        }
        int omitted = leftOut.getAndSet(0);
        log.warn("{}{}", line.get(), omitted == 0 ? "" : " others=" + omitted);
    }
}
