package io.millau.core;

import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The attempts of one request. For one thread at a time; no I/O, no locks.
 *
 * <p>The caller owns the loop: {@link #next} names the endpoint to try, {@link #report} takes how that ended and says
 * whether to try again, {@link #close} ends it all.
 */
public final class Delivery {

    private static final EndpointState[] NONE = {};
    /** How long an endpoint is ejected that may not listen yet. */
    private static final long STARTING_RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long NANOS_A_SECOND = TimeUnit.SECONDS.toNanos(1);

    /** Which endpoints may be picked; the next is for where the one before has none. */
    private enum Choice {
        /** In rotation, or to be probed, and not spared. */
        READY,
        /** In rotation. */
        SPARED,
        ANY
    }

    private final Pool pool;
    private final String method;
    private final RetryPolicy retryPolicy;
    private final Ticker ticker;

    private int cursor;
    private boolean hadTurn;
    private Pool.@Nullable Member member;
    private @Nullable EndpointState current;
    private Health.Entry entry = Health.Entry.USUAL;
    private boolean open;
    private boolean delivered;
    private boolean chanceLeft;
    private boolean costsRepeat;
    private boolean seen;
    private boolean policyAllows;
    private boolean outOfRepeats;
    private boolean broughtBack;
    private boolean tookOut;
    private @Nullable EndpointState preferred;
    private int preferredMember;
    private EndpointState[] tried = NONE;
    private int attempts;
    private int failedAttempts;
    private int timedOut;

    Delivery(Pool pool, String method, RetryPolicy retryPolicy, Ticker ticker) {
        this.pool = pool;
        this.method = method;
        this.retryPolicy = retryPolicy;
        this.ticker = ticker;
    }

    /** The same request goes on with this one: it counts once. */
    public void continues(Delivery before) {
        hadTurn = before.hadTurn;
        attempts = before.attempts;
    }

    /** Whether the request's service has an instance that runs. */
    public boolean running() {
        return pool.running();
    }

    /** Whether the request may be sent again if its connection breaks: whether to keep its body, and to take no risk. */
    public boolean repeatable() {
        return mayBeRepeated(service());
    }

    private boolean mayBeRepeated(Service by) {
        return retryPolicy.mayRepeat(new Attempt(method, by, Outcome.BROKEN, 1, 0));
    }

    /** Whether a service of the request keeps its clients at their endpoints: whether to ask for {@link #prefer}. */
    public boolean sticky() {
        return pool.sticky;
    }

    /**
     * Asks for the endpoint of a {@link #token} that the client showed: it is the first to be tried, if it is in rotation. To
     * be called before {@link #next}.
     *
     * @return whether there is such an endpoint
     */
    public boolean prefer(String token) {
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

    /** What a client has to show to come back to the endpoint that {@link #next} named; null if it need not. */
    public @Nullable String token() {
        return current == null || !service().sticky() ? null : current.token();
    }

    /** Whether the request is to come over HTTPS: a service of it says so. */
    public boolean redirectToHttps() {
        return pool.redirectToHttps;
    }

    /**
     * Who has to vouch for the client, because of the host that its services were found by; see {@link Router#clientCa}.
     *
     * @return null if nobody has to
     */
    public @Nullable Set<X509Certificate> clientCa() {
        return pool.clientCa;
    }

    /** What the request was found by. */
    public Route route() {
        return pool.route;
    }

    /** How many attempts were begun, the one in progress too. */
    public int attempts() {
        return attempts;
    }

    /** The service tried last; before the first attempt, the one that would have been. */
    public Service service() {
        return (member == null ? pool.members[0] : member).service;
    }

    /**
     * The endpoint to try next: of the equally good services by weight, one in rotation that was not tried yet, rather not
     * one that just recovered; where none is left, one that is out of rotation. The same again after {@link
     * Outcome#STALE_CONNECTION} or {@link Outcome#NOT_PROCESSED}, once.
     *
     * @return null if every endpoint was tried
     */
    public @Nullable Endpoint next() {
        Pool.Member failed = member;
        if (!chanceLeft) {
            current = pick(ticker.nanoTime());
        }
        chanceLeft = false;
        EndpointState next = current;
        if (next == null) {
            return null;
        }
        if (costsRepeat && failed != null) {
            failed.state.spendRepeat();
        }
        next.openRequests.getAndIncrement();
        open = true;
        attempts++;
        return next.endpoint;
    }

    private @Nullable EndpointState pick(long now) {
        if (failedAttempts == 0 && pool.members.length > 1) {
            cursor = pool.next(now);
        }
        EndpointState picked = pickPreferred(now);
        if (picked == null) {
            picked = pick(now, Choice.READY);
        }
        if (picked == null) {
            picked = pick(now, Choice.SPARED);
        }
        return picked != null ? picked : pick(now, Choice.ANY);
    }

    /** Also one whose service stands by, or that recovers: its clients are there already. */
    private @Nullable EndpointState pickPreferred(long now) {
        EndpointState kept = preferred;
        if (kept == null || kept.health.ejected() || isTried(kept)) {
            return null;
        }
        member = pool.members[preferredMember];
        cursor = preferredMember + 1;
        entry = Health.Entry.USUAL;
        takeTurn(member, now);
        return kept;
    }

    private @Nullable EndpointState pick(long now, Choice choice) {
        EndpointState picked = pick(now, choice, 0, pool.sharing);
        return picked != null || pool.sharing == pool.members.length
                ? picked
                : pick(now, choice, pool.sharing, pool.members.length);
    }

    private @Nullable EndpointState pick(long now, Choice choice, int from, int to) {
        for (int i = 0; i < to - from; i++) {
            int index = from + Math.floorMod(cursor - from + i, to - from);
            EndpointState picked = pick(pool.members[index], now, choice);
            if (picked != null) {
                member = pool.members[index];
                cursor = index + 1; // another service comes before another replica of this one
                return picked;
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
        if (choice == Choice.READY && tried.length == 0) {
            // Nearly always the balancer's first choice is ready, and nobody else has to be looked at.
            EndpointState first = choose(from, left, turn, now);
            if (enter(first, from, now, choice)) {
                return first;
            }
            left = without(first, left);
            turn = Math.floorDiv(turn, from.endpoints.length); // the turns of one that is out go round among the others
        }
        left = Arrays.stream(left)
                .filter(candidate -> !isTried(candidate) && isEligible(candidate, now, choice))
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

    private int takeTurn(Pool.Member from, long now) {
        if (hadTurn) {
            return from.state.turnOfRepeat();
        }
        hadTurn = true;
        return from.state.turnOfRequest(now);
    }

    private static EndpointState choose(Pool.Member from, EndpointState[] among, int turn, long now) {
        return among[from.balancer.choose(new Candidates(among, turn, now))];
    }

    private static EndpointState[] without(EndpointState one, EndpointState[] all) {
        return Arrays.stream(all).filter(candidate -> candidate != one).toArray(EndpointState[]::new);
    }

    private static boolean isEligible(EndpointState candidate, long now, Choice choice) {
        return choice == Choice.ANY
                || (choice == Choice.READY ? candidate.health.available(now) : !candidate.health.ejected());
    }

    private boolean enter(EndpointState chosen, Pool.Member of, long now, Choice choice) {
        Health.Entry entered = choice == Choice.ANY ? Health.Entry.LAST_RESORT : Health.Entry.USUAL;
        if (choice == Choice.READY) {
            // What can't be repeated leaves the risk of a probe to others for as long again.
            long shyNanos = chosen.health.ejected() && !mayBeRepeated(of.service) ? of.retryNanos : 0;
            entered = chosen.health.enter(now, of.probeNanos, shyNanos);
        }
        if (entered == null) {
            return false;
        }
        entry = entered;
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

    /**
     * Takes the outcome of the attempt at the endpoint that {@link #next} named. An answer that breaks after its head was
     * reported as {@link Outcome#DELIVERED} is reported again, as {@link Outcome#BROKEN}.
     *
     * @return whether the request may be repeated: whether to call {@link #next} again
     */
    public boolean report(Outcome outcome) {
        return report(outcome, outcome.toString());
    }

    /**
     * The same with the reason of a failure.
     *
     * @param reason for people
     */
    public boolean report(Outcome outcome, String reason) {
        EndpointState reported = current;
        Pool.Member of = member;
        if (reported == null || of == null) {
            throw new IllegalStateException("there is no attempt to report on");
        }
        if (outcome == Outcome.DELIVERED) {
            delivered = true;
            if (entry != Health.Entry.USUAL) {
                entry = Health.Entry.USUAL;
                long now = ticker.nanoTime();
                broughtBack = reported.health.recover(now, of.retryNanos > 0 && !reported.starting(now));
            }
            reported.prove();
            return false;
        }
        long now = ticker.nanoTime();
        tookOut = false;
        leave(reported);
        boolean again = mayRepeat(reported, of, outcome, now);
        if (outcome.endpointFailed()) {
            entry = Health.Entry.USUAL;
            boolean refused = outcome == Outcome.UNREACHABLE;
            boolean starts = refused && reported.starting(now);
            long ejectionNanos = starts ? Math.min(of.retryNanos, STARTING_RETRY_NANOS) : of.retryNanos;
            tookOut = reported.health.eject(now, now + ejectionNanos, refused, reason);
        } else if (!again || !chanceLeft) {
            releaseProbe(reported, now);
        }
        return again;
    }

    private boolean mayRepeat(EndpointState reported, Pool.Member of, Outcome outcome, long now) {
        boolean isFirst = !isTried(reported);
        if (isFirst) {
            tried = Arrays.copyOf(tried, tried.length + 1);
            tried[tried.length - 1] = reported;
        }
        failedAttempts++;
        if (outcome == Outcome.TIMED_OUT) {
            timedOut++;
        }
        chanceLeft = (outcome == Outcome.STALE_CONNECTION || outcome == Outcome.NOT_PROCESSED) && isFirst;
        costsRepeat = outcome.mayHaveBeenSeen();
        seen |= costsRepeat;
        policyAllows =
                !delivered && retryPolicy.mayRepeat(new Attempt(method, of.service, outcome, failedAttempts, timedOut));
        if (!policyAllows || !chanceLeft && !isAnyLeft()) {
            return false;
        }
        outOfRepeats = costsRepeat && !of.state.allowsRepeat(now);
        return !outOfRepeats;
    }

    private boolean isAnyLeft() {
        for (Pool.Member candidate : pool.members) {
            for (EndpointState endpoint : candidate.endpoints) {
                if (!isTried(endpoint)) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * Whether it is worth to open the request anew in a moment, now that nothing is left to be tried: no endpoint has seen
     * it, and one that refused it joined so recently that it may be about to listen.
     */
    public boolean worthWaiting() {
        if (seen || !policyAllows) {
            return false;
        }
        long now = ticker.nanoTime();
        for (EndpointState refused : tried) {
            if (refused.worthWaiting(now)) {
                return true;
            }
        }
        return false;
    }

    /**
     * When a client whose request failed may come again with a better chance: seconds until the first endpoint is probed, where
     * all are ejected.
     *
     * @return 0 if that isn't known, or one is in rotation
     */
    public long retryAfterSeconds() {
        long now = ticker.nanoTime();
        long soonest = Long.MAX_VALUE;
        for (Pool.Member of : pool.members) {
            for (EndpointState endpoint : of.endpoints) {
                long nanos = endpoint.health.nanosUntilProbe(now);
                if (nanos >= 0) {
                    soonest = Math.min(soonest, nanos);
                }
            }
        }
        return soonest == Long.MAX_VALUE ? 0 : (soonest + NANOS_A_SECOND - 1) / NANOS_A_SECOND;
    }

    /** Whether the failure that was reported last took its endpoint out of rotation. */
    public boolean tookOut() {
        return tookOut;
    }

    /** Whether the answer brought its endpoint back into rotation. */
    public boolean broughtBack() {
        return broughtBack;
    }

    /** Whether the request is not repeated because the repeats of its service are too many already. */
    public boolean isOutOfRepeats() {
        return outOfRepeats;
    }

    /** Ends the request; further calls have no effect. */
    public void close() {
        if (current != null) {
            leave(current);
            if (entry == Health.Entry.PROBE) {
                releaseProbe(current, ticker.nanoTime());
            }
        }
    }

    /** Who was to find out whether the endpoint is back did not. */
    private void releaseProbe(EndpointState probed, long now) {
        if (entry == Health.Entry.PROBE) {
            entry = Health.Entry.USUAL;
            probed.health.release(now);
        }
    }

    private void leave(EndpointState left) {
        if (open) {
            open = false;
            left.openRequests.getAndDecrement();
        }
    }

    private record Candidates(EndpointState[] endpoints, int turn, long now) implements LoadBalancer.Candidates {
        @Override
        public int size() {
            return endpoints.length;
        }

        @Override
        public int openRequests(int index) {
            return endpoints[index].load(now);
        }
    }
}
