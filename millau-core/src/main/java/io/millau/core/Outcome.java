package io.millau.core;

/**
 * How an attempt at an endpoint ended: whether the endpoint failed, and whether it may have seen the request.
 *
 * <pre>{@code
 * Map<Outcome, LongAdder> failures = new ConcurrentHashMap<>();
 * builder.listener(new TrafficListener() {
 *     @Override
 *     public void attemptFailed(Failed attempt) {
 *         if (attempt.outcome().endpointFailed()) { // not if the client went away
 *             failures.computeIfAbsent(attempt.outcome(), outcome -> new LongAdder()).increment();
 *         }
 *     }
 * });
 * }</pre>
 */
public enum Outcome {
    /** The head of a response arrived, with any status. */
    DELIVERED(false, true),
    /** No connection could be made, so nothing of the request was sent. */
    UNREACHABLE(true, false),
    /** The connection ended, or the response was not valid HTTP, before the response was complete. */
    BROKEN(true, true),
    /** No response within the timeout of the service, or nothing more of a response that had begun. */
    TIMED_OUT(true, true),
    /**
     * A kept connection turned out to be closed before the first byte of the response. This may happen to an idle
     * connection at any time (RFC 9112, 9.5), so the endpoint is tried once more over a new one.
     */
    STALE_CONNECTION(false, true),
    /**
     * The endpoint reported that it did not process the request (RFC 9113, 8.7), because it closes the connection or
     * has too many streams. It is tried once more, too.
     */
    NOT_PROCESSED(false, false),
    /**
     * The endpoint responded with a status that the retry policy counts as a failure, and the response was given up for a
     * retry.
     */
    FAILURE_STATUS(false, true),
    /** The client went away; this tells nothing about the endpoint. */
    CLIENT_GONE(false, true);

    private final boolean endpointFailed;
    private final boolean mayHaveBeenProcessed;

    Outcome(boolean endpointFailed, boolean mayHaveBeenProcessed) {
        this.endpointFailed = endpointFailed;
        this.mayHaveBeenProcessed = mayHaveBeenProcessed;
    }

    /** Whether the endpoint failed, and is to be ejected. */
    public boolean endpointFailed() {
        return endpointFailed;
    }

    /** Whether the endpoint may have started to process the request. */
    public boolean mayHaveBeenProcessed() {
        return mayHaveBeenProcessed;
    }
}
