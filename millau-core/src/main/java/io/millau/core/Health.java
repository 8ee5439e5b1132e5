package io.millau.core;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What is remembered of one endpoint's failures. Belongs to the endpoint, so it survives snapshots. Safe for all I/O
 * threads.
 *
 * <p>An ejected endpoint is out of rotation until a time. From then on one request may probe it: the one that moves the time
 * on by the length of a probe. The others go elsewhere until that request has its outcome. After a response the endpoint
 * recovers: its share of requests grows from a tenth to all of it.
 *
 * <p>Where its service names a path to check, it is out of rotation, too, from two failed checks in a row until one passes.
 */
final class Health {

    static final long SLOW_START_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** A whole share, in the units of {@link Recovery#share}; a power of two, so that offers may overflow. */
    private static final int WHOLE = 1024;

    /** How a request came to an endpoint. */
    enum Entry {
        /** It is in rotation. */
        USUAL,
        /** It is out of rotation, and this request alone finds out whether it is back. */
        PROBE,
        /** It is out of rotation, and there is nothing better. */
        LAST_RESORT
    }

    private sealed interface State {}

    /**
     * @param since of the first failure
     * @param refused whether it refused connections: a check that passes shows that it does not any more
     */
    private record Ejection(long since, long until, boolean refused, String reason) implements State {

        Ejection until(long until) {
            return new Ejection(since, until, refused, reason);
        }
    }

    private record Recovery(long since, AtomicInteger offers) implements State {

        /** Its share of requests: a tenth at first, {@link #WHOLE} at the end. */
        int share(long now) {
            long age = Math.min(Math.max(now - since, 0), SLOW_START_NANOS);
            return WHOLE / 10 + (int) (age * (WHOLE - WHOLE / 10) / SLOW_START_NANOS);
        }

        /** Takes of the requests that are offered as many as its share is, evenly spread. */
        boolean takes(int share) {
            return (offers.getAndAdd(share) & WHOLE - 1) + share >= WHOLE;
        }
    }

    /** Nothing while all is well, which is what nearly every request sees. */
    private final AtomicReference<@Nullable State> state = new AtomicReference<>();

    /** What checks say. */
    private record Checks(EndpointStatus.State state, long since, String reason) {
        /** Nothing against it. */
        static final Checks PASSED = new Checks(EndpointStatus.State.UP, 0, "");
    }

    private volatile Checks checks = Checks.PASSED;
    private volatile long wellSince;
    private int failedChecks; // in a row; for who checks alone

    /** @param now when it is known first */
    Health(long now) {
        wellSince = now;
    }

    /** Whether it is out of rotation. */
    boolean ejected() {
        return checks != Checks.PASSED || state.get() instanceof Ejection;
    }

    /** Whether it is in rotation, or may be probed. */
    boolean available(long now) {
        return checks == Checks.PASSED && (!(state.get() instanceof Ejection ejection) || now - ejection.until() >= 0);
    }

    /**
     * Takes the endpoint for a request; null if it is out of rotation, being probed, or had its share.
     *
     * @param shyNanos how much longer than others this request leaves an endpoint alone that broke
     */
    @Nullable
    Entry enter(long now, long probeNanos, long shyNanos) {
        State seen = state.get();
        if (checks != Checks.PASSED) {
            return null;
        }
        if (seen instanceof Ejection ejection) {
            Ejection probe = ejection.until(now + probeNanos);
            long from = ejection.refused() ? ejection.until() : ejection.until() + shyNanos;
            return now - from >= 0 && state.compareAndSet(seen, probe) ? Entry.PROBE : null;
        }
        if (seen instanceof Recovery recovery) {
            int share = recovery.share(now);
            if (share == WHOLE) {
                state.compareAndSet(seen, null);
            }
            return recovery.takes(share) ? Entry.USUAL : null;
        }
        return Entry.USUAL;
    }

    /**
     * How busy it is, for who compares endpoints: while it recovers a request weighs as many as its share is smaller, and
     * while it is ejected it has as many as can be.
     */
    int load(int openRequests, long now) {
        State seen = state.get();
        if (seen instanceof Recovery recovery) {
            return (openRequests + 1) * WHOLE / recovery.share(now) - 1;
        }
        return available(now) ? openRequests : Integer.MAX_VALUE;
    }

    /** How long until requests may probe it: 0 if it is in rotation, -1 if that can't be said. */
    long nanosUntilProbe(long now) {
        if (checks != Checks.PASSED) {
            return -1;
        }
        return state.get() instanceof Ejection ejection ? Math.max(1, ejection.until() - now) : 0;
    }

    /**
     * It failed a request.
     *
     * @return whether this took it out of rotation
     */
    boolean eject(long now, long untilNanos, boolean refused, String reason) {
        State seen;
        Ejection ejection;
        do {
            seen = state.get();
            long since = seen instanceof Ejection before ? before.since() : now;
            ejection = new Ejection(since, untilNanos, refused, reason);
        } while (!state.compareAndSet(seen, ejection));
        return !(seen instanceof Ejection) && checks == Checks.PASSED;
    }

    /**
     * It answered a request that it got while it was ejected.
     *
     * @return whether this brought it back into rotation, where it isn't while its checks fail
     */
    boolean recover(long now, boolean slowly) {
        State seen = state.get();
        if (!(seen instanceof Ejection)
                || !state.compareAndSet(seen, slowly ? new Recovery(now, new AtomicInteger()) : null)) {
            return false;
        }
        wellSince = now;
        return checks == Checks.PASSED;
    }

    /** How it is, for people. */
    EndpointStatus status(Endpoint endpoint, int openRequests, long now) {
        Checks byChecks = checks;
        State seen = state.get();
        EndpointStatus.State is = EndpointStatus.State.UP;
        long since = wellSince;
        String reason = null;
        if (byChecks != Checks.PASSED) {
            is = byChecks.state();
            since = byChecks.since();
            reason = byChecks.reason();
        } else if (seen instanceof Ejection ejection) {
            is = EndpointStatus.State.EJECTED;
            since = ejection.since();
            reason = ejection.reason();
        } else if (seen instanceof Recovery recovery && recovery.share(now) < WHOLE) {
            is = EndpointStatus.State.RECOVERING;
            since = recovery.since();
        }
        return new EndpointStatus(endpoint, is, Duration.ofNanos(Math.max(0, now - since)), reason, openRequests);
    }

    /** A probe that ended without an outcome: the next request may probe. */
    void release(long now) {
        State seen = state.get();
        if (seen instanceof Ejection ejection) {
            state.compareAndSet(seen, ejection.until(now));
        }
    }

    /** It joined, and is in rotation from the first check that passes. */
    void awaitCheck(long now) {
        checks = new Checks(EndpointStatus.State.JOINING, now, "waits for its first check that passes");
    }

    /** It is not checked any more. */
    void endChecks() {
        if (checks != Checks.PASSED) {
            checks = Checks.PASSED;
        }
        failedChecks = 0;
    }

    /**
     * Takes the result of a check.
     *
     * @param reason what came of it
     * @return whether this took it out of rotation, or brought it back; one that joins was never out
     */
    boolean check(boolean passed, String reason, long now) {
        boolean wasOut = ejected();
        Checks before = checks;
        if (passed) {
            failedChecks = 0;
            checks = Checks.PASSED;
            State seen = state.get();
            if (before.state() == EndpointStatus.State.UNHEALTHY && seen == null
                    || seen instanceof Ejection ejection && ejection.refused()) {
                state.compareAndSet(seen, new Recovery(now, new AtomicInteger()));
            }
        } else if (++failedChecks >= 2 && before == Checks.PASSED) {
            checks = new Checks(EndpointStatus.State.UNHEALTHY, now, reason);
        }
        boolean isOut = ejected();
        if (wasOut && !isOut) {
            wellSince = now;
        }
        return wasOut != isOut && before.state() != EndpointStatus.State.JOINING;
    }
}
