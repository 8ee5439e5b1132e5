package io.millau.core;

import io.millau.core.internal.FirstFailures;

/** Asks a retry policy. If it throws, the standard policy answers. */
record GuardedRetryPolicy(RetryPolicy policy, FirstFailures failures) implements RetryPolicy {

    private static final String MEANWHILE = "the standard retry policy decides for these requests";

    static RetryPolicy of(RetryPolicy policy, FirstFailures failures) {
        return policy == StandardRetries.INSTANCE ? policy : new GuardedRetryPolicy(policy, failures);
    }

    @Override
    public boolean mayRetry(Attempt attempt) {
        try {
            return policy.mayRetry(attempt);
        } catch (RuntimeException | Error e) {
            failures.add(policy, e, MEANWHILE);
            return RetryPolicy.standard().mayRetry(attempt);
        }
    }

    @Override
    public boolean mayRetryProcessed(Request request, Service service) {
        try {
            return policy.mayRetryProcessed(request, service);
        } catch (RuntimeException | Error e) {
            failures.add(policy, e, MEANWHILE);
            return RetryPolicy.standard().mayRetryProcessed(request, service);
        }
    }

    @Override
    public boolean isFailure(int status) {
        try {
            return policy.isFailure(status);
        } catch (RuntimeException | Error e) {
            failures.add(policy, e, MEANWHILE);
            return RetryPolicy.standard().isFailure(status);
        }
    }
}
