package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.millau.core.Service;
import io.millau.core.TrafficListener.LocalReason;
import io.undertow.util.StatusCodes;

/**
 * What this proxy responds to a request that no endpoint could serve. Immutable.
 *
 * @param retryAfterSeconds for Retry-After; 0 if that is unknown
 * @param cause for the log
 */
record FailureReply(LocalReason reason, int status, String text, long retryAfterSeconds, String cause) {

    /** All attempts failed, or there was no endpoint to try. */
    static FailureReply of(Delivery delivery, AttemptFailures failures) {
        long retryAfter = delivery.retryAfterSeconds();
        if (delivery.removed()) {
            return new FailureReply(
                    LocalReason.NO_SERVICE,
                    502,
                    ProxyHandler.NO_SERVICE,
                    retryAfter,
                    "removed, or not enabled any more");
        }
        String cause = delivery.running() ? failures.lastReason() : "no running instance";
        if (!delivery.running()) {
            String text = "No running instance of " + delivery.service().name() + "\n";
            return new FailureReply(LocalReason.NO_ENDPOINT, 502, text, retryAfter, cause);
        }
        return failures.lastTimedOut()
                ? new FailureReply(LocalReason.UPSTREAM_TIMEOUT, 504, "No answer in time\n", retryAfter, cause)
                : new FailureReply(LocalReason.UPSTREAM_FAILED, 502, "No instance could answer\n", retryAfter, cause);
    }

    /** All endpoints have as many requests in progress as allowed, and it can't wait any longer. */
    static FailureReply tooMany(Service full, String reason) {
        return new FailureReply(
                LocalReason.TOO_MANY_REQUESTS,
                StatusCodes.SERVICE_UNAVAILABLE,
                "Too many requests in progress\n",
                1,
                "all instances have " + full.maxRequests() + " requests in progress, and " + reason
                        + ": add instances, or raise millau.max-requests");
    }

    /** The fault is ours: the endpoint is not to blame, and no other could be reached either. */
    static FailureReply overloaded(Throwable failure) {
        return new FailureReply(
                LocalReason.OVERLOADED,
                StatusCodes.SERVICE_UNAVAILABLE,
                "Overloaded\n",
                1,
                String.valueOf(failure.getMessage()));
    }
}
