package io.millau.server;

import io.millau.core.Ticker;
import java.io.Closeable;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** The clock of a long run. It stops while the machine stalls, so that a stall causes no timeouts. */
final class RunClock implements Ticker, Closeable {

    private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private volatile long now = System.nanoTime();
    private volatile boolean closed;

    RunClock() {
        Thread thread = new Thread(this::run, "run-clock");
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        while (!closed) {
            LockSupport.parkNanos(STEP_NANOS);
            synchronized (this) {
                now += STEP_NANOS;
                notifyAll();
            }
        }
    }

    @Override
    public long nanoTime() {
        return now;
    }

    /** Returns when the given time has passed. */
    synchronized void pass(Duration time) throws InterruptedIOException {
        long end = now + time.toNanos();
        try {
            while (now - end < 0 && !closed) {
                wait();
            }
        } catch (InterruptedException e) {
            throw new InterruptedIOException();
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        notifyAll();
    }
}
