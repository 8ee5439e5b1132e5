package io.millau.core;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Picks the endpoints of one request, one after the other, and remembers which were tried. For one thread at a time.
 *
 * <p>A pick sets the fields: the endpoint, its pool member, and how the request enters it.
 */
final class EndpointPicker {

    private static final EndpointState[] NONE = {};

    /** Which endpoints may be picked. The next choice applies if the one before finds none. */
    private enum Choice {
        /** In rotation, and not over its share while recovering; or due for a probe. */
        READY,
        /** In rotation, even over its share while recovering. */
        IN_ROTATION,
        ANY
    }

    private final Pool pool;
    private final Request request;
    private final RetryPolicy retryPolicy;

    /** The endpoint picked last; null before the first pick, and if none was left. */
    @Nullable
    EndpointState picked;

    /** The service of the endpoint picked last; null before the first pick. */
    Pool.@Nullable Member member;

    /** How the request enters the picked endpoint. */
    Health.Entry entry = Health.Entry.USUAL;

    /** Whether the request was counted for the retry budget; it counts once. */
    private boolean hadTurn;

    /** The service in whose line the request should wait, since the last pick found no place; null if it should not. */
    Pool.@Nullable Member full;

    /** Whether the request waits, so that it doesn't have to stand behind others. */
    boolean waits;

    private int cursor;
    private @Nullable EndpointState preferred;
    private int preferredMember;
    private EndpointState[] tried = NONE;

    EndpointPicker(Pool pool, Request request, RetryPolicy retryPolicy) {
        this.pool = pool;
        this.request = request;
        this.retryPolicy = retryPolicy;
    }

    /** See {@link Delivery#continues}. */
    void continues(EndpointPicker before) {
        hadTurn = before.hadTurn;
    }

    /**
     * See {@link Delivery#resumes}.
     *
     * @param sameAgain whether the endpoint tried last may be tried again
     */
    void resumes(EndpointPicker before, boolean sameAgain) {
        continues(before);
        tried = sameAgain ? Arrays.copyOf(before.tried, before.tried.length - 1) : before.tried;
        waits = before.waits;
    }

    /** See {@link Delivery#prefer}. */
    boolean prefer(String token) {
        for (int i = 0; i < pool.members.length; i++) {
            Pool.Member candidate = pool.members[i];
            if (candidate.service.sticky()) {
                for (EndpointState endpoint : candidate.endpoints) {
                    if (endpoint.token().equals(token)) {
                        preferred = endpoint;
                        preferredMember = i;
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /** Whether the request may be retried at this service although an endpoint may have begun to process it. */
    boolean mayBeRetried(Service by) {
        return retryPolicy.mayRetryProcessed(request, by);
    }

    /**
     * Remembers that an endpoint was tried.
     *
     * @return whether for the first time
     */
    boolean addTried(EndpointState endpoint) {
        if (isTried(endpoint)) {
            return false;
        }
        tried = Arrays.copyOf(tried, tried.length + 1);
        tried[tried.length - 1] = endpoint;
        return true;
    }

    private boolean isTried(EndpointState candidate) {
        for (EndpointState before : tried) {
            if (before == candidate) {
                return true;
            }
        }
        return false;
    }

    /** Whether an untried endpoint is left. */
    boolean isAnyLeft() {
        for (Pool.Member candidate : pool.members) {
            for (EndpointState endpoint : candidate.endpoints) {
                if (!isTried(endpoint)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whether a tried endpoint joined so recently that it may still be starting. */
    boolean triedStarting(long now) {
        for (EndpointState candidate : tried) {
            if (candidate.joinedAndStarting(now)) {
                return true;
            }
        }
        return false;
    }

    /** Picks the next endpoint, into {@link #picked}. */
    void pick(long now) {
        if (tried.length == 0 && pool.members.length > 1 && full == null) {
            cursor = pool.next(now);
        }
        full = null;
        EndpointState next = pickPreferred(now);
        if (next == null) {
            next = pick(now, Choice.READY);
        }
        if (next == null) {
            next = pick(now, Choice.IN_ROTATION);
        }
        picked = next != null || full != null ? next : pick(now, Choice.ANY);
    }

    /**
     * Picks the preferred endpoint even if its service has weight 0, or if it is recovering: the client's session is
     * there.
     */
    private @Nullable EndpointState pickPreferred(long now) {
        EndpointState kept = preferred;
        if (kept == null || kept.health.ejected() || isTried(kept)) {
            return null;
        }
        Pool.Member of = pool.members[preferredMember];
        if (of.limited() && !takePlace(kept, of)) {
            return null;
        }
        member = of;
        cursor = preferredMember + 1;
        entry = Health.Entry.USUAL;
        takeTurn(member, now);
        return kept;
    }

    private @Nullable EndpointState pick(long now, Choice choice) {
        EndpointState found = pick(now, choice, 0, pool.sharing);
        return found != null || full != null || pool.sharing == pool.members.length
                ? found
                : pick(now, choice, pool.sharing, pool.members.length);
    }

    private @Nullable EndpointState pick(long now, Choice choice, int from, int to) {
        for (int i = 0; i < to - from; i++) {
            int index = from + Math.floorMod(cursor - from + i, to - from);
            EndpointState found = pick(pool.members[index], now, choice);
            if (found != null) {
                member = pool.members[index];
                cursor = index + 1; // a retry goes to another service first
                return found;
            }
        }
        return null;
    }

    private @Nullable EndpointState pick(Pool.Member from, long now, Choice choice) {
        EndpointState[] left = from.endpoints;
        if (left.length == 0) {
            return null;
        }
        int turn = choice == Choice.READY ? takeTurn(from, now) : from.state.turn();
        if (choice == Choice.READY && tried.length == 0 && mayChooseAmongAll(from, now)) {
            // Usually the balancer's first choice is ready, and no other is checked.
            EndpointState first = choose(from, left, turn, now);
            if (enter(first, from, now, choice)) {
                return first;
            }
            left = without(first, left);
            turn = Math.floorDiv(
                    turn, from.endpoints.length); // spreads the turns of the skipped endpoint over the others
        }
        left = Arrays.stream(left)
                .filter(candidate ->
                        !isTried(candidate) && isEligible(candidate, now, choice) && hasPlace(candidate, from, choice))
                .toArray(EndpointState[]::new);
        while (left.length > 0) {
            EndpointState chosen = choose(from, left, turn, now);
            if (enter(chosen, from, now, choice)) {
                return chosen;
            }
            left = without(chosen, left);
        }
        return null;
    }

    /** Whether all endpoints may be candidates. A balancer of the program's own, which may count its choices, gets only those that are available. */
    private static boolean mayChooseAmongAll(Pool.Member from, long now) {
        if (from.balancer instanceof Balance) {
            return true;
        }
        for (EndpointState candidate : from.endpoints) {
            if (!candidate.health.available(now)) {
                return false;
            }
        }
        return true;
    }

    private int takeTurn(Pool.Member from, long now) {
        if (hadTurn) {
            return from.state.turnOfRetry();
        }
        hadTurn = true;
        return from.state.turnOfRequest(now);
    }

    private EndpointState choose(Pool.Member from, EndpointState[] among, int turn, long now) {
        return among[from.balancer.choose(new Candidates(request, among, turn, now))];
    }

    private static EndpointState[] without(EndpointState one, EndpointState[] all) {
        return Arrays.stream(all).filter(candidate -> candidate != one).toArray(EndpointState[]::new);
    }

    private static boolean isEligible(EndpointState candidate, long now, Choice choice) {
        return choice == Choice.ANY
                || (choice == Choice.READY ? candidate.health.available(now) : !candidate.health.ejected());
    }

    /** Whether a request may get a place at an endpoint. If not, it should wait for one, unless it finds another. */
    private boolean hasPlace(EndpointState candidate, Pool.Member of, Choice choice) {
        if (!of.limited() || (waits || of.state.line.isEmpty()) && candidate.openRequests.get() < of.maxRequests) {
            return true;
        }
        isFull(candidate, of, choice);
        return false;
    }

    private void isFull(EndpointState candidate, Pool.Member of, Choice choice) {
        if (full == null && (choice == Choice.ANY || !candidate.health.ejected())) {
            full = of;
        }
    }

    /**
     * Takes a place at an endpoint that limits them, not before those who wait.
     *
     * @return whether there was one
     */
    boolean takePlace(EndpointState chosen, Pool.Member of) {
        return (waits || of.state.line.isEmpty()) && chosen.takePlace(of.maxRequests);
    }

    private boolean enter(EndpointState chosen, Pool.Member of, long now, Choice choice) {
        Health.Entry entered = choice == Choice.ANY ? Health.Entry.LAST_RESORT : Health.Entry.USUAL;
        if (choice == Choice.READY) {
            // A request that can't be retried waits longer before it probes, to leave the risk to others.
            long extraNanos = chosen.health.ejected() && !mayBeRetried(of.service) ? of.retryNanos : 0;
            entered = chosen.health.enter(now, of.probeNanos, extraNanos);
        }
        if (entered == null) {
            return false;
        }
        if (of.limited() && !takePlace(chosen, of)) {
            if (entered == Health.Entry.PROBE) {
                chosen.health.release(now);
            }
            isFull(chosen, of, choice);
            return false;
        }
        entry = entered;
        return true;
    }

    private record Candidates(Request request, EndpointState[] endpoints, int turn, long now)
            implements LoadBalancer.Candidates {
        @Override
        public int size() {
            return endpoints.length;
        }

        @Override
        public Endpoint endpoint(int index) {
            return endpoints[index].endpoint;
        }

        @Override
        public int openRequests(int index) {
            return endpoints[index].load(now);
        }

        @Override
        public long recentNanos(int index) {
            return endpoints[index].recentTime.nanos(now);
        }
    }
}
