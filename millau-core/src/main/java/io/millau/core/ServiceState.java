package io.millau.core;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What is remembered of a service from snapshot to snapshot, as {@link EndpointState} is of an endpoint: whose turn it is, and how
 * often its requests were retried. For all I/O threads.
 */
final class ServiceState {

    private static final long REQUEST = 1L << 32;

    /** Turns in the lower half, how many of them were requests and not retries in the upper: one write for both. */
    private final AtomicLong turns = new AtomicLong();

    private final RetryBudget budget;

    ServiceState(long now) {
        budget = new RetryBudget(now);
    }

    /** The turn of a new request. */
    int turnOfRequest(long now) {
        long before = turns.getAndAdd(REQUEST + 1);
        budget.tick(now, requests(before));
        return (int) before;
    }

    /** The turn of a request that was sent before. */
    int turnOfRetry() {
        return (int) turns.getAndIncrement();
    }

    /** The turn that comes next; stays so. */
    int turn() {
        return (int) turns.get();
    }

    /** Whether the service may have one more retry. */
    boolean allowsRetry(long now) {
        return budget.allows(now, requests(turns.get()));
    }

    /** Counts a retry. */
    void spendRetry() {
        budget.spend();
    }

    private static int requests(long turns) {
        return (int) (turns >>> 32);
    }
}
