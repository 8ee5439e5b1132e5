package io.millau.core;

/**
 * Decides whether a failed request may be sent to the next endpoint. Called on I/O threads, by many requests at once;
 * must not block or throw.
 *
 * <p>Two limits apply in any case: a request is sent to each endpoint once, except after {@link
 * Outcome#STALE_CONNECTION} and {@link Outcome#NOT_PROCESSED}; and a service's retries of requests that an endpoint may
 * have seen are limited to a fifth of its requests in the last ten seconds, but at least ten per second.
 */
@FunctionalInterface
public interface RetryPolicy {

    /** Whether the request of this failed attempt may be retried. */
    boolean mayRetry(Attempt attempt);

    /**
     * The default policy. It retries requests that can't have been processed. Those that may have been are retried only
     * if the method is idempotent (RFC 9110, 9.2.2) or the service allows it ({@link Service#retryUnsafe}). It stops
     * after three timeouts or a hundred attempts.
     */
    static RetryPolicy standard() {
        return attempt -> {
            if (attempt.outcome() == Outcome.DELIVERED || attempt.outcome() == Outcome.CLIENT_GONE) {
                return false; // no failure, or no client any more
            }
            if (attempt.timedOut() >= 3) {
                return false; // more would keep the client waiting too long
            }
            if (attempt.number() >= 100) {
                return false; // each may have waited a second for a connection
            }
            if (!attempt.outcome().mayHaveBeenProcessed()) {
                return true;
            }
            return switch (attempt.method()) {
                case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE" -> true;
                default -> attempt.service().retryUnsafe();
            };
        };
    }
}
