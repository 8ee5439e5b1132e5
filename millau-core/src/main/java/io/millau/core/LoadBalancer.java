package io.millau.core;

import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Chooses among the endpoints of one service. Called on I/O threads, by many requests at once; must not block or throw.
 * If it throws, or chooses nobody, that is logged, once for each place in its code, and it is the turn of an endpoint ({@link #roundRobin}).
 *
 * <p>A service with a balancer that isn't {@linkplain Object#equals equal} counts as changed. So create a balancer
 * once, not for each snapshot.
 *
 * <pre>{@code
 * LoadBalancer nearest = candidates -> {
 *     for (int i = 0; i < candidates.size(); i++) {
 *         if (candidates.endpoint(i).address().isLoopbackAddress()) {
 *             return i;
 *         }
 *     }
 *     return Math.floorMod(candidates.turn(), candidates.size());
 * };
 * builder.balancer(nearest);
 * }</pre>
 */
@FunctionalInterface
public interface LoadBalancer {

    /** Returns the index of the candidate that gets the request, from 0 to {@code size() - 1}. */
    int choose(Candidates candidates);

    /**
     * The endpoints to choose from; valid only during the call. Those that are out of rotation are not among them, unless all are. If the
     * chosen one can't take the request, since it just recovers and gets only a share, or has no free place, the balancer is asked again
     * without it.
     */
    interface Candidates {

        /** The number of candidates, at least one. */
        int size();

        /**
         * The number of attempts at the service before this one, to take turns by. May be negative after an overflow.
         */
        int turn();

        /** A candidate, by its index from 0. */
        Endpoint endpoint(int index);

        /** The request that goes to the chosen one. */
        Request request();

        /** The number of a candidate's requests in progress, increased while it recovers. */
        int openRequests(int index);

        /**
         * How long a candidate took recently from the beginning of an attempt to the head of its response, in nanoseconds; 0
         * if that is unknown. A longer time counts at once, shorter ones take over in the course of ten seconds. Responses
         * with a status from 500 only make it longer, and the time in which a client sent its body doesn't count.
         */
        long recentNanos(int index);
    }

    /** Each endpoint in turn. */
    static LoadBalancer roundRobin() {
        return Balance.ROUND_ROBIN;
    }

    /**
     * The endpoint that belongs to a request's key: the same one for every request with that key, in every proxy. If an
     * endpoint leaves or fails, only its keys move, each to the endpoint that is next for it, which is also where a retry goes.
     * So it suits endpoints that cache. It is no limit on load: all requests of one key go to one endpoint.
     *
     * <pre>{@code
     * builder.balancer(LoadBalancer.hashing(request -> request.header("X-User")));
     * }</pre>
     *
     * <p>Endpoints are told apart by their ids and ports. If several services share a request, one of them is chosen first, in
     * turn. Two balancers made by this method are not equal.
     *
     * @param key returns the key of a request; null or an empty text for none, and then endpoints take turns. Called on I/O
     *     threads; must not block
     */
    static LoadBalancer hashing(Function<Request, @Nullable String> key) {
        return new RendezvousHashing(Objects.requireNonNull(key, "key"));
    }

    /** The endpoint with the fewest requests in progress; if several have as few, in turn. */
    static LoadBalancer leastConnections() {
        return Balance.LEAST_CONNECTIONS;
    }

    /**
     * The better of two endpoints, one in turn and one by chance: the one with the smaller product of {@link
     * Candidates#openRequests}, plus one, and {@link Candidates#recentNanos}. If a time is unknown, only the requests count.
     * So endpoints that respond faster get more requests, and one that becomes slow gets few at once.
     */
    static LoadBalancer leastTime() {
        return Balance.LEAST_TIME;
    }
}
