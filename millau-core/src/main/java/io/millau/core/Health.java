package io.millau.core;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The health of one endpoint. It belongs to the endpoint, so it survives new snapshots. Safe for use by several
 * threads, except {@link #check}.
 *
 * <p>An ejected endpoint is out of rotation until a time. After that, one request may probe it: the one that moves this
 * time on by the length of a probe. Other requests go elsewhere until the probe has its outcome. After a successful
 * response the endpoint recovers: its share of requests grows from a tenth to all.
 *
 * <p>With active health checks, two failed checks in a row also take it out of rotation, until one passes.
 */
final class Health {

    static final long SLOW_START_NANOS = TimeUnit.SECONDS.toNanos(10);

    /**
     * A full share, in the units of {@link Recovery#share}. A power of two, so that the counter of offers may overflow.
     */
    private static final int WHOLE = 1024;

    /** How a request enters an endpoint. */
    enum Entry {
        /** The endpoint is in rotation. */
        USUAL,
        /** The endpoint is out of rotation, and only this request probes whether it is back. */
        PROBE,
        /** The endpoint is out of rotation, but no better one is left. */
        LAST_RESORT
    }

    private sealed interface State {}

    /**
     * @param since the first failure
     * @param refused whether it refused connections; then a passed check ends the ejection
     */
    private record Ejection(long since, long until, boolean refused, String reason) implements State {

        Ejection until(long until) {
            return new Ejection(since, until, refused, reason);
        }
    }

    private record Recovery(long since, AtomicInteger offers) implements State {

        /** Its share of requests: from a tenth of {@link #WHOLE} up to {@link #WHOLE}. */
        int share(long now) {
            long age = Math.min(Math.max(now - since, 0), SLOW_START_NANOS);
            return WHOLE / 10 + (int) (age * (WHOLE - WHOLE / 10) / SLOW_START_NANOS);
        }

        /** Whether to take the offered request. Spreads the taken ones evenly according to the share. */
        boolean takes(int share) {
            return (offers.getAndAdd(share) & WHOLE - 1) + share >= WHOLE;
        }
    }

    /** Null while the endpoint is up, the common case. */
    private final AtomicReference<@Nullable State> state = new AtomicReference<>();

    /** The state according to health checks. */
    private record Checks(EndpointStatus.State state, long since, String reason) {
        /** Checks pass, or there are none. */
        static final Checks PASSED = new Checks(EndpointStatus.State.UP, 0, "");
    }

    private volatile Checks checks = Checks.PASSED;
    private volatile long upSince;
    private int failedChecks; // in a row; only used by the checking thread

    /** @param now when it was added */
    Health(long now) {
        upSince = now;
    }

    /** Whether it is out of rotation. */
    boolean ejected() {
        return checks != Checks.PASSED || state.get() instanceof Ejection;
    }

    /** Whether it is in rotation, or due for a probe. */
    boolean available(long now) {
        return checks == Checks.PASSED && (!(state.get() instanceof Ejection ejection) || now - ejection.until() >= 0);
    }

    /**
     * Enters the endpoint with a request.
     *
     * @param extraNanos how much later than others this request may probe a broken endpoint
     * @return null if it is out of rotation, being probed, or over its share
     */
    @Nullable
    Entry enter(long now, long probeNanos, long extraNanos) {
        State seen = state.get();
        if (checks != Checks.PASSED) {
            return null;
        }
        if (seen instanceof Ejection ejection) {
            Ejection probe = ejection.until(now + probeNanos);
            long from = ejection.refused() ? ejection.until() : ejection.until() + extraNanos;
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
     * Its load, for load balancers. While it recovers, each request counts more, in inverse proportion to its share;
     * while it is ejected the load is the maximum.
     */
    int load(int openRequests, long now) {
        State seen = state.get();
        if (seen instanceof Recovery recovery) {
            return (openRequests + 1) * WHOLE / recovery.share(now) - 1;
        }
        return available(now) ? openRequests : Integer.MAX_VALUE;
    }

    /** Nanoseconds until it may be probed: 0 if it is in rotation, -1 if unknown. */
    long nanosUntilProbe(long now) {
        if (checks != Checks.PASSED) {
            return -1;
        }
        return state.get() instanceof Ejection ejection ? Math.max(1, ejection.until() - now) : 0;
    }

    /**
     * A request to it failed.
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
     * It responded to a request while it was ejected.
     *
     * @return whether this brought it back into rotation; it doesn't while its checks fail
     */
    boolean recover(long now, boolean slowly) {
        State seen = state.get();
        if (!(seen instanceof Ejection)
                || !state.compareAndSet(seen, slowly ? new Recovery(now, new AtomicInteger()) : null)) {
            return false;
        }
        upSince = now;
        return checks == Checks.PASSED;
    }

    /** The status, for display. */
    EndpointStatus status(Endpoint endpoint, int openRequests, long now) {
        Checks byChecks = checks;
        State seen = state.get();
        EndpointStatus.State is = EndpointStatus.State.UP;
        long since = upSince;
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
        return new Statuses.OfEndpoint(endpoint, is, Duration.ofNanos(Math.max(0, now - since)), reason, openRequests);
    }

    /** A probe ended without an outcome: the next request may probe. */
    void release(long now) {
        State seen = state.get();
        if (seen instanceof Ejection ejection) {
            state.compareAndSet(seen, ejection.until(now));
        }
    }

    /** It was added, and enters rotation after the first passed check. */
    void awaitCheck(long now) {
        checks = new Checks(EndpointStatus.State.JOINING, now, "waits for its first check that passes");
    }

    /** It is no longer checked. */
    void endChecks() {
        if (checks != Checks.PASSED) {
            checks = Checks.PASSED;
        }
        failedChecks = 0;
    }

    /**
     * Takes the result of a check. For one thread.
     *
     * @param reason the result as text
     * @return whether this took it out of rotation or brought it back; false if it was joining
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
            upSince = now;
        }
        return wasOut != isOut && before.state() != EndpointStatus.State.JOINING;
    }
}
