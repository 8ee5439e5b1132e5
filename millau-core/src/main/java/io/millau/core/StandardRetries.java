package io.millau.core;

/** See {@link RetryPolicy#standard}. */
enum StandardRetries implements RetryPolicy {
    INSTANCE;

    @Override
    public boolean mayRetry(Attempt attempt) {
        if (attempt.timedOut() >= 3) {
            return false; // more would keep the client waiting too long
        }
        if (attempt.number() >= 100) {
            return false; // each may have waited a second for a connection
        }
        return !attempt.outcome().mayHaveBeenProcessed() || mayRetryProcessed(attempt.request(), attempt.service());
    }

    @Override
    public String toString() {
        return "standard";
    }
}
