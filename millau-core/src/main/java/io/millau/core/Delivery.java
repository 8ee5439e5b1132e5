package io.millau.core;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The attempts of one request. For one thread at a time; no I/O, no locks.
 *
 * <p>The caller owns the loop: {@link #next} names the endpoint to try, {@link #report} takes how that ended and says
 * whether to try again, {@link #close} ends it all.
 */
public final class Delivery {

    private static final Target[] NONE = {};

    private final Pool pool;
    private final String method;
    private final RetryPolicy retryPolicy;
    private final LoadBalancer balancer;
    private final Ticker ticker;

    private int cursor;
    private Pool.@Nullable Member member;
    private @Nullable Target target;
    private boolean probing;
    private boolean chanceLeft;
    private boolean open;
    private Target[] tried = NONE;
    private int timedOut;

    Delivery(Pool pool, String method, RetryPolicy retryPolicy, LoadBalancer balancer, Ticker ticker) {
        this.pool = pool;
        this.method = method;
        this.retryPolicy = retryPolicy;
        this.balancer = balancer;
        this.ticker = ticker;
    }

    /** Whether the request's service has an instance that runs. */
    public boolean running() {
        return pool.running();
    }

    /** Whether the request may be sent again if its connection breaks: whether to keep its body, and to take no risk. */
    public boolean repeatable() {
        return retryPolicy.mayRepeat(new Attempt(method, service(), Outcome.BROKEN, 0));
    }

    /** Whether the endpoint that {@link #next} named is in rotation: whether its failure is news. */
    public boolean inRotation() {
        return target != null && !target.health.ejected();
    }

    /** The service tried last; before the first attempt, the one that would have been. */
    public Service service() {
        return (member == null ? pool.members[0] : member).service;
    }

    /**
     * The endpoint to try next: of the equally good services in turn, one in rotation that was not tried yet; where none
     * is left, one that is out of rotation. The same again after {@link Outcome#REJECTED}, once.
     *
     * @return null if every endpoint was tried
     */
    public @Nullable Endpoint next() {
        long now = ticker.nanoTime();
        Target next;
        if (chanceLeft && target != null) {
            next = target;
        } else {
            if (member == null && pool.members.length > 1) {
                cursor = startOfTurn(now);
            }
            next = pick(now, false);
            probing = next != null && next.health.ejected();
            if (next == null) {
                next = pick(now, true);
            }
        }
        chanceLeft = false;
        target = next;
        if (next == null) {
            return null;
        }
        next.openRequests.getAndIncrement();
        open = true;
        return next.endpoint;
    }

    /** The service whose turn it is, among those with an endpoint in rotation, so that these share the others' load. */
    private int startOfTurn(long now) {
        int turn = pool.turn.getAndIncrement();
        int services = pool.members.length;
        int available = 0;
        for (Pool.Member candidate : pool.members) {
            available += available(candidate, now) ? 1 : 0;
        }
        if (available == 0 || available == services) {
            return Math.floorMod(turn, services);
        }
        int skip = Math.floorMod(turn, available);
        int i = 0;
        while (!available(pool.members[i], now) || skip-- > 0) {
            i++;
        }
        return i;
    }

    private static boolean available(Pool.Member member, long now) {
        for (Target candidate : member.targets) {
            if (candidate.health.available(now)) {
                return true;
            }
        }
        return false;
    }

    private @Nullable Target pick(long now, boolean evenEjected) {
        int services = pool.members.length;
        for (int i = 0; i < services; i++) {
            int index = (cursor + i) % services;
            Target picked = pick(pool.members[index], now, evenEjected);
            if (picked != null) {
                member = pool.members[index];
                cursor = (index + 1) % services; // another service comes before another replica of this one
                return picked;
            }
        }
        return null;
    }

    private @Nullable Target pick(Pool.Member from, long now, boolean evenEjected) {
        int turn = from.turn.getAndIncrement();
        if (tried.length == 0 && from.targets.length > 0) {
            // Nearly always the balancer's first choice is in rotation, and nobody else has to be looked at.
            Target first = from.targets[balancer.choose(new Candidates(from.targets, turn))];
            if (first.health.enter(now, from.probeNanos)) {
                return first;
            }
            turn = Math.floorDiv(turn, from.targets.length); // the turns of an ejected one go round among the others
        }
        Target[] left = Arrays.stream(from.targets)
                .filter(candidate -> !isTried(candidate) && (evenEjected || candidate.health.available(now)))
                .toArray(Target[]::new);
        while (left.length > 0) {
            Target chosen = left[balancer.choose(new Candidates(left, turn))];
            if (evenEjected || chosen.health.enter(now, from.probeNanos)) {
                return chosen;
            }
            // Another request began to probe it in this moment.
            left = Arrays.stream(left).filter(candidate -> candidate != chosen).toArray(Target[]::new);
        }
        return null;
    }

    private boolean isTried(Target candidate) {
        for (Target before : tried) {
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
        Target reported = target;
        Pool.Member of = member;
        if (reported == null || of == null) {
            throw new IllegalStateException("there is no attempt to report on");
        }
        if (outcome == Outcome.DELIVERED) {
            reported.health.recover();
            return false;
        }
        long now = ticker.nanoTime();
        leave(reported);
        if (outcome.endpointFailed()) {
            reported.health.eject(now + of.service.retry().toNanos());
        } else if (probing) {
            reported.health.release(now);
        }
        chanceLeft = outcome == Outcome.REJECTED && !isTried(reported);
        tried = Arrays.copyOf(tried, tried.length + 1);
        tried[tried.length - 1] = reported;
        if (outcome == Outcome.TIMED_OUT) {
            timedOut++;
        }
        return retryPolicy.mayRepeat(new Attempt(method, of.service, outcome, timedOut));
    }

    /** Ends the request; further calls have no effect. */
    public void close() {
        if (target != null) {
            leave(target);
        }
    }

    private void leave(Target left) {
        if (open) {
            open = false;
            left.openRequests.getAndDecrement();
        }
    }

    private record Candidates(Target[] targets, int turn) implements LoadBalancer.Candidates {
        @Override
        public int size() {
            return targets.length;
        }

        @Override
        public int openRequests(int index) {
            return targets[index].openRequests.get();
        }
    }
}
