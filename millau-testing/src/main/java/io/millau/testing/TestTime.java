package io.millau.testing;

import io.millau.server.internal.io.MovableTicker;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** The time of a proxy and its upstreams: the system's, and what the test has advanced it by. Safe for use by several threads. */
final class TestTime {

    final MovableTicker ticker = new MovableTicker();

    void advance(Duration by) {
        ticker.advance(by);
        wakeAll();
    }

    /** Wakes those who wait, to look whether they still have to. */
    synchronized void wakeAll() {
        notifyAll();
    }

    /** Waits until so much time has passed. */
    synchronized void await(Duration time, BooleanSupplier over) throws InterruptedIOException {
        long until = ticker.nanoTime() + time.toNanos();
        try {
            for (long left = time.toNanos(); left > 0; left = until - ticker.nanoTime()) {
                if (over.getAsBoolean()) {
                    throw new InterruptedIOException("the test has ended");
                }
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
        } catch (InterruptedException e) {
            throw new InterruptedIOException("interrupted");
        }
    }
}
