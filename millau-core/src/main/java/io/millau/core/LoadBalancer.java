package io.millau.core;

/**
 * Chooses among the endpoints of one service. Called on I/O threads, by many requests at once; must not block or throw.
 * If it throws, or chooses nobody, that is logged once, and it is the turn of an endpoint ({@link #roundRobin}).
 *
 * <p>A service with a balancer that isn't {@linkplain Object#equals equal} counts as changed. So create a balancer
 * once, not for each snapshot.
 */
@FunctionalInterface
public interface LoadBalancer {

    /** Returns the index of the candidate that gets the request, from 0 to {@code size() - 1}. */
    int choose(Candidates candidates);

    /** The endpoints to choose from; valid only during the call. */
    interface Candidates {

        /** The number of candidates, at least one. */
        int size();

        /**
         * The number of attempts at the service before this one, to take turns by. May be negative after an overflow.
         */
        int turn();

        /** The number of a candidate's requests in progress, increased while it recovers. */
        int openRequests(int index);
    }

    /** Each endpoint in turn. */
    static LoadBalancer roundRobin() {
        return Balance.ROUND_ROBIN;
    }

    /** The endpoint with the fewest requests in progress; if several have as few, in turn. */
    static LoadBalancer leastConnections() {
        return Balance.LEAST_CONNECTIONS;
    }
}
