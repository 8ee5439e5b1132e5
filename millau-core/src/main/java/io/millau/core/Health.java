package io.millau.core;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What is remembered of one endpoint's failures: three verbs and a timestamp. Belongs to the endpoint, so it survives
 * snapshots. Safe for all I/O threads.
 *
 * <p>An ejected endpoint is out of rotation until a time. From then on one request may probe it: whoever moves the time
 * on by the length of a probe; the rest go elsewhere until that request has its outcome.
 */
final class Health {

    private final AtomicLong until = new AtomicLong();
    private volatile boolean ejected;

    boolean ejected() {
        return ejected;
    }

    /** Whether {@link #enter} might succeed. */
    boolean available(long now) {
        return !ejected || now - until.get() >= 0;
    }

    /** Takes the endpoint for a request; false if it is out of rotation, or being probed. */
    boolean enter(long now, long probeNanos) {
        if (!ejected) {
            return true;
        }
        long due = until.get();
        return now - due >= 0 && until.compareAndSet(due, now + probeNanos);
    }

    void eject(long untilNanos) {
        until.set(untilNanos);
        ejected = true;
    }

    void recover() {
        if (ejected) {
            ejected = false;
        }
    }

    /** A probe that ended without an outcome: the next request may probe. */
    void release(long now) {
        if (ejected) {
            until.set(now);
        }
    }
}
