package io.millau.testing;

import io.millau.core.Endpoint;
import io.millau.server.internal.io.MovableTicker;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * The time of a proxy and its upstreams: the system's, and what the test has advanced it by. Safe for use by several threads.
 *
 * <p>It is advanced in steps, each to what is due next: a deadline of the proxy, or something that an upstream does later. In between
 * it stands until all is quiet: the upstreams have nothing to do, and have done nothing while the proxy looked at all its sockets again
 * and again. What one side writes is there for the other at once, on the loopback address.
 */
final class TestTime {

    /** The shortest step, the last one aside: what is due within it is due at once. */
    private static final long MIN_STEP = TimeUnit.MILLISECONDS.toNanos(1);

    /** How long all may take to become quiet. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** How often in a row it has to be quiet. A thread that has read something may not have come so far as to say that it is busy. */
    private static final int LOOKS = 3;

    /** As many nanoseconds fit into a long. */
    private static final Duration LONGEST = Duration.ofDays(36_500);

    final MovableTicker ticker = new MovableTicker();
    final Activity upstreams = new Activity();

    private final Object advancing = new Object();

    /** Servers of the test that did not respond to a health check in time. Guarded by advancing. */
    private final Set<Endpoint> silent = new HashSet<>();

    /** Until when somebody waits. Guarded by this. */
    private final List<Long> waits = new ArrayList<>();

    /** @throws IllegalArgumentException if nobody can wait for so long */
    static Duration check(String what, Duration time) {
        if (time.isNegative() || time.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(what + " " + time + ": expected a time from 0 s to 100 years");
        }
        return time;
    }

    void advance(Duration by) {
        if (by.isNegative()) {
            throw new IllegalArgumentException("advance by " + by + ": expected a time that is not negative");
        }
        synchronized (advancing) {
            ticker.stand();
            try {
                pass(by.toNanos());
            } finally {
                ticker.goOn();
            }
        }
    }

    private void pass(long nanos) {
        awaitQuiet();
        long left = nanos;
        do {
            long next = Math.min(ticker.nanosToDeadline(), nanosToWake());
            long step = Math.min(left, Math.max(MIN_STEP, next));
            ticker.move(step);
            left -= step;
            if (nanosToWake() <= 0) { // first: what is on time is not too late
                wakeAll();
                awaitQuiet();
            }
            ticker.passDeadlines();
            awaitQuiet();
        } while (left > 0);
    }

    private void awaitQuiet() {
        long end = System.nanoTime() + PATIENCE.toNanos();
        long before = Activity.BUSY;
        int looks = 0;
        while (looks < LOOKS && !Thread.currentThread().isInterrupted()) {
            ticker.awaitTurns();
            Set<Endpoint> awaited = serversAwaited();
            long now = nanosToWake() <= 0 || !awaited.isEmpty() ? Activity.BUSY : upstreams.look();
            looks = now == Activity.BUSY ? 0 : now == before ? looks + 1 : 1;
            before = now;
            if (System.nanoTime() - end > 0) {
                upstreams.giveUp();
                silent.addAll(awaited);
                return;
            }
        }
    }

    /** Whom this can't see, but the proxy waits for them: the test's own servers that have a health check to respond to. */
    private Set<Endpoint> serversAwaited() {
        Set<Endpoint> awaited = ticker.awaited();
        awaited.removeIf(endpoint -> silent.contains(endpoint) || upstreams.has(endpoint));
        return awaited;
    }

    /** Until the first who waits goes on: not more than 0 if it is about to, {@link Long#MAX_VALUE} if nobody waits. */
    private synchronized long nanosToWake() {
        long now = ticker.nanoTime();
        return waits.stream().mapToLong(until -> until - now).min().orElse(Long.MAX_VALUE);
    }

    /** Wakes those who wait, to look whether they still have to. */
    synchronized void wakeAll() {
        notifyAll();
    }

    /** Waits, as one of the upstreams, until so much time has passed. */
    synchronized void await(Duration time, BooleanSupplier over) throws InterruptedIOException {
        if (time.isZero() || time.isNegative()) {
            return;
        }
        Long until = ticker.nanoTime() + time.toNanos();
        waits.add(until);
        upstreams.ends();
        try {
            for (long left = time.toNanos(); left > 0; left = until - ticker.nanoTime()) {
                if (over.getAsBoolean()) {
                    throw new InterruptedIOException("the test has ended");
                }
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
        } catch (InterruptedException e) {
            throw new InterruptedIOException("interrupted");
        } finally {
            upstreams.begins();
            waits.remove(until);
        }
    }
}
