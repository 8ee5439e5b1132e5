package io.millau.core;

/** See {@link RetryPolicy#atMost}. */
record LimitedRetries(RetryPolicy policy, int attempts) implements RetryPolicy {

    LimitedRetries {
        if (attempts < 1) {
            throw new IllegalArgumentException("at most " + attempts + " attempts: expected 1 or more");
        }
    }

    @Override
    public boolean mayRetry(Attempt attempt) {
        return attempt.number() < attempts && policy.mayRetry(attempt);
    }

    @Override
    public boolean mayRetryProcessed(Request request, Service service) {
        return attempts > 1 && policy.mayRetryProcessed(request, service);
    }

    @Override
    public boolean isFailure(int status) {
        return policy.isFailure(status);
    }
}
