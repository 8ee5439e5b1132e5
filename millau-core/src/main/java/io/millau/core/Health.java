package io.millau.core;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What is remembered of one endpoint's failures. Belongs to the endpoint, so it survives snapshots. Safe for all I/O
 * threads.
 *
 * <p>An ejected endpoint is out of rotation until a time. From then on one request may probe it: whoever moves the time
 * on by the length of a probe; the rest go elsewhere until that request has its outcome. After an answer the endpoint
 * recovers: its share of requests grows from a tenth to all of it.
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

    private record Ejection(long until) implements State {}

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

    boolean ejected() {
        return state.get() instanceof Ejection;
    }

    /** Whether it is in rotation, or may be probed. */
    boolean available(long now) {
        return !(state.get() instanceof Ejection ejection) || now - ejection.until() >= 0;
    }

    /** Takes the endpoint for a request; null if it is out of rotation, being probed, or had its share. */
    @Nullable
    Entry enter(long now, long probeNanos) {
        State seen = state.get();
        if (seen instanceof Ejection ejection) {
            boolean probes = now - ejection.until() >= 0 && state.compareAndSet(seen, new Ejection(now + probeNanos));
            return probes ? Entry.PROBE : null;
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
        return seen instanceof Ejection && !available(now) ? Integer.MAX_VALUE : openRequests;
    }

    void eject(long untilNanos) {
        state.set(new Ejection(untilNanos));
    }

    /** It answered a request that it got while it was ejected. */
    void recover(long now, boolean slowly) {
        State seen = state.get();
        if (seen instanceof Ejection) {
            state.compareAndSet(seen, slowly ? new Recovery(now, new AtomicInteger()) : null);
        }
    }

    /** A probe that ended without an outcome: the next request may probe. */
    void release(long now) {
        State seen = state.get();
        if (seen instanceof Ejection) {
            state.compareAndSet(seen, new Ejection(now));
        }
    }
}
