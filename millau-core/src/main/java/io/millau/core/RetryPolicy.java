package io.millau.core;

/**
 * Decides whether a failed request may be sent to the next endpoint. Called on I/O threads, by many requests at once;
 * must not block or throw. If it throws, that is logged, once for each place in its code, and {@link #standard} decides for that request.
 *
 * <p>Two limits apply in any case: a request is sent to each endpoint once, except after {@link
 * Outcome#STALE_CONNECTION} and {@link Outcome#NOT_PROCESSED}; and a service's retries of requests that an endpoint may
 * have seen are limited to a fifth of its requests in the last ten seconds, but at least ten per second.
 *
 * <pre>{@code
 * builder.retryPolicy(RetryPolicy.standard().alsoOn(503).atMost(3));
 * }</pre>
 */
@FunctionalInterface
public interface RetryPolicy {

    /**
     * Whether the request of this failed attempt may be retried. Called for attempts that failed, and for no others. Whatever it
     * says, a request is not retried if a part of its body was sent that was not kept: if {@link #mayRetryProcessed} said no before the
     * attempt, or the body is longer than {@link Service#buffer}, 64 KiB by default.
     */
    boolean mayRetry(Attempt attempt);

    /**
     * Whether a request might be retried although an endpoint may have begun to process it. Called before each attempt:
     * only of such a request the beginning of the body is kept, and only such a request uses a connection that was idle
     * for long. Override it together with {@link #mayRetry}.
     *
     * <p>By default, if its method is idempotent (RFC 9110, 9.2.2) or the service allows it ({@link
     * Service#retryUnsafe}).
     */
    default boolean mayRetryProcessed(Request request, Service service) {
        return switch (request.method()) {
            case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE" -> true;
            default -> service.retryUnsafe();
        };
    }

    /**
     * Whether a response with this status is a failed attempt. Then {@link #mayRetry} is asked, with {@link
     * Outcome#FAILURE_STATUS}; if the request isn't retried, the response is passed on as it is. Called for each
     * response. By default, none is.
     */
    default boolean isFailure(int status) {
        return false;
    }

    /**
     * This policy, but a request that may be retried at all is also retried if the response has one of these statuses.
     * The response of the last endpoint is passed on, whatever its status.
     *
     * @throws IllegalArgumentException if one of them is not between 400 and 599
     */
    default RetryPolicy alsoOn(int... statuses) {
        return new StatusRetries(this, statuses);
    }

    /**
     * This policy, but with so many attempts for a request at most.
     *
     * @param attempts including the first; those before a pause for an endpoint that is starting don't count
     * @throws IllegalArgumentException if it is less than 1
     */
    default RetryPolicy atMost(int attempts) {
        return new LimitedRetries(this, attempts);
    }

    /**
     * The default policy. It retries requests that can't have been processed. Those that may have been are retried only
     * if {@link #mayRetryProcessed} says so. It stops after three timeouts or a hundred attempts.
     */
    static RetryPolicy standard() {
        return StandardRetries.INSTANCE;
    }
}
