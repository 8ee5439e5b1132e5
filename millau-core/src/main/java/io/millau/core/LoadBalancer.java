package io.millau.core;

/**
 * Chooses among the endpoints of one service. Called on I/O threads by many requests; must not block. Whether a service
 * changed is told by {@link Object#equals}, so a balancer is made once and not for each snapshot.
 */
@FunctionalInterface
public interface LoadBalancer {

    /** The index of the candidate that gets the request. */
    int choose(Candidates candidates);

    /** The endpoints that may be chosen; valid during the call. */
    interface Candidates {

        /** How many there are, at least one. */
        int size();

        /** Attempts that the service had before this one: whose turn it is. May be negative after 2^31 of them. */
        int turn();

        /** How many requests a candidate has in progress; a recovering endpoint counts as having more. */
        int openRequests(int index);
    }

    /** One after the other. */
    static LoadBalancer roundRobin() {
        return Balance.ROUND_ROBIN;
    }

    /** The one with the fewest requests in progress; where several have as few, in turn. */
    static LoadBalancer leastConnections() {
        return Balance.LEAST_CONNECTIONS;
    }
}
