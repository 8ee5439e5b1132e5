package io.millau.core;

/** Chooses among the endpoints of one service. Called on I/O threads by many requests; must not block. */
@FunctionalInterface
public interface LoadBalancer {

    /** The index of the candidate that gets the request. */
    int choose(Candidates candidates);

    /** The endpoints that may be chosen; valid during the call. */
    interface Candidates {

        /** How many there are, at least one. */
        int size();

        /** Requests that the service had before this one: whose turn it is. May be negative after 2^31 of them. */
        int turn();

        /** Requests that a candidate is working on. */
        int openRequests(int index);
    }

    /** One after the other. */
    static LoadBalancer roundRobin() {
        return candidates -> Math.floorMod(candidates.turn(), candidates.size());
    }

    /** The one with the fewest requests in progress; where several have as few, in turn. */
    static LoadBalancer leastConnections() {
        return candidates -> {
            int size = candidates.size();
            int first = Math.floorMod(candidates.turn(), size);
            int best = first;
            for (int i = 1; i < size; i++) {
                int index = (first + i) % size;
                if (candidates.openRequests(index) < candidates.openRequests(best)) {
                    best = index;
                }
            }
            return best;
        };
    }
}
