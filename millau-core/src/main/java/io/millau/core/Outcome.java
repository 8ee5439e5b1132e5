package io.millau.core;

/** How an attempt at an endpoint ended; says whose fault it was, and whether the endpoint could have seen the request. */
public enum Outcome {
    /** The head of a response arrived, with whatever status. */
    DELIVERED(false, true),
    /** No connection could be made: not a byte of the request left. */
    UNREACHABLE(true, false),
    /** The connection ended, or what came was not HTTP, before the response was complete. */
    BROKEN(true, true),
    /** No response within the service's timeout. */
    TIMED_OUT(true, true),
    /**
     * A connection that had served other requests turned out to be closed before a byte of the response came: what an idle
     * connection may do at any time (RFC 9112, 9.5), so the endpoint gets another chance over a new one.
     */
    STALE_CONNECTION(false, true),
    /**
     * The endpoint said itself that it did not begin the request (RFC 9113, 8.7): it is about to end the connection, or has as
     * many requests as it takes. It gets another chance too.
     */
    NOT_PROCESSED(false, false),
    /** The client went away; nothing is known about the endpoint. */
    CLIENT_GONE(false, true);

    private final boolean endpointFailed;
    private final boolean mayHaveBeenSeen;

    Outcome(boolean endpointFailed, boolean mayHaveBeenSeen) {
        this.endpointFailed = endpointFailed;
        this.mayHaveBeenSeen = mayHaveBeenSeen;
    }

    /** Whether the endpoint is to be taken out of rotation. */
    public boolean endpointFailed() {
        return endpointFailed;
    }

    /** Whether the endpoint may have begun to process the request. */
    public boolean mayHaveBeenSeen() {
        return mayHaveBeenSeen;
    }
}
