package io.millau.core;

/**
 * Decides whether a request may go to the next endpoint. Called on I/O threads by many requests; must not block.
 *
 * <p>Two limits hold whatever it says: a request goes to each endpoint once, and the retries of requests that an endpoint
 * may have seen add at most a fifth to a service's requests of the last ten seconds, though never fewer than ten for each
 * of them.
 */
@FunctionalInterface
public interface RetryPolicy {

    /** Whether the request of this attempt, which failed, may be sent again. */
    boolean mayRetry(Attempt attempt);

    /**
     * What could not have been processed is retried; what may have been, only if its method is idempotent (RFC 9110,
     * 9.2.2) or its service says that it does no harm; nothing after three attempts that timed out, or a hundred in all.
     */
    static RetryPolicy standard() {
        return attempt -> {
            if (attempt.outcome() == Outcome.DELIVERED || attempt.outcome() == Outcome.CLIENT_GONE) {
                return false; // there is no client, or no failure, to retry it for
            }
            if (attempt.timedOut() >= 3) {
                return false; // the client has waited long enough, and so have the endpoints
            }
            if (attempt.number() >= 100) {
                return false; // each may have cost a second of waiting for a connection
            }
            if (!attempt.outcome().mayHaveBeenSeen()) {
                return true;
            }
            return switch (attempt.method()) {
                case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE" -> true;
                default -> attempt.service().retryUnsafe();
            };
        };
    }
}
