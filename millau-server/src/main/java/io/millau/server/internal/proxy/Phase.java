package io.millau.server.internal.proxy;

/** Where a request is on its way to a response. */
enum Phase {
    /** The filters of the service decide. */
    FILTERING,
    CONNECTING,
    /** No endpoint took the request, and one is starting: it is tried again after a pause. */
    PAUSED,
    /** All endpoints have as many requests in progress as allowed: it waits for a place. */
    WAITING,
    AWAITING_RESPONSE,
    RELAYING,
    TUNNEL,
    LOCAL_REPLY,
    OVER
}
