package io.millau.core;

import java.util.BitSet;

/** See {@link RetryPolicy#alsoOn}. */
final class StatusRetries implements RetryPolicy {

    private final RetryPolicy policy;
    private final BitSet statuses = new BitSet();

    StatusRetries(RetryPolicy policy, int... statuses) {
        this.policy = policy;
        for (int status : statuses) {
            if (status < 400 || status > 599) {
                throw new IllegalArgumentException("retry on status " + status + ": expected 400 to 599");
            }
            this.statuses.set(status);
        }
    }

    @Override
    public boolean mayRetry(Attempt attempt) {
        return policy.mayRetry(attempt);
    }

    @Override
    public boolean mayRetryProcessed(Request request, Service service) {
        return policy.mayRetryProcessed(request, service);
    }

    @Override
    public boolean isFailure(int status) {
        return statuses.get(status) || policy.isFailure(status);
    }

    @Override
    public String toString() {
        return policy + ", also on " + statuses;
    }
}
