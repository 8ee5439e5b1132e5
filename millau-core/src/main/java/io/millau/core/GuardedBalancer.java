package io.millau.core;

import io.millau.core.internal.FirstFailures;

/** Asks a load balancer. If it throws, or chooses nobody, it is the turn of an endpoint. */
record GuardedBalancer(LoadBalancer balancer, FirstFailures failures) implements LoadBalancer {

    static LoadBalancer of(LoadBalancer balancer, FirstFailures failures) {
        return balancer instanceof Balance ? balancer : new GuardedBalancer(balancer, failures);
    }

    @Override
    public int choose(Candidates candidates) {
        try {
            int chosen = balancer.choose(candidates);
            if (chosen >= 0 && chosen < candidates.size()) {
                return chosen;
            }
            throw new IndexOutOfBoundsException("it chose " + chosen + ": expected 0 to " + (candidates.size() - 1));
        } catch (RuntimeException | Error e) {
            failures.add(balancer, e, "endpoints take turns for these requests");
            return LoadBalancer.roundRobin().choose(candidates);
        }
    }
}
