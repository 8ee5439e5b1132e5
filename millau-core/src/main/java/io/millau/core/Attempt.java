package io.millau.core;

/**
 * A failed attempt at an endpoint, for a {@link RetryPolicy}. Valid only during the call.
 *
 * <pre>{@code
 * RetryPolicy policy = attempt -> attempt.timedOut() == 0 // what was slow would be slow again
 *         && RetryPolicy.standard().mayRetry(attempt);
 * builder.retryPolicy(policy);
 * }</pre>
 */
public interface Attempt {

    /** The request, as the client sent it. */
    Request request();

    /** The service of the endpoint. */
    Service service();

    /** The endpoint that was tried. */
    Endpoint endpoint();

    /** How the attempt ended. */
    Outcome outcome();

    /** The status of the response, with {@link Outcome#FAILURE_STATUS}; otherwise 0. */
    int status();

    /**
     * The number of this attempt, from 1, among the request's failed attempts. Starts again after a pause for an endpoint
     * that is starting.
     */
    int number();

    /** How many of these attempts timed out, including this one. */
    int timedOut();
}
