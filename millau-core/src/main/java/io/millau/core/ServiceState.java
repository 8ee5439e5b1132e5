package io.millau.core;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The state of a service that survives new snapshots: the turns of its endpoints, its retry budget, and the requests
 * that wait. Safe for use by several threads.
 */
final class ServiceState {

    private static final long REQUEST = 1L << 32;

    /**
     * The number of turns in the lower half; how many of them were new requests, not retries, in the upper half. So one
     * write updates both.
     */
    private final AtomicLong turns = new AtomicLong();

    private final RetryBudget budget;

    final WaitingLine line = new WaitingLine();

    ServiceState(long now) {
        budget = new RetryBudget(now);
    }

    /** Takes the turn of a new request. */
    int turnOfRequest(long now) {
        long before = turns.getAndAdd(REQUEST + 1);
        budget.tick(now, requests(before));
        return (int) before;
    }

    /** Takes the turn of a retry. */
    int turnOfRetry() {
        return (int) turns.getAndIncrement();
    }

    /** Reads the next turn without taking it. */
    int turn() {
        return (int) turns.get();
    }

    /** Whether the budget allows one more retry. */
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
