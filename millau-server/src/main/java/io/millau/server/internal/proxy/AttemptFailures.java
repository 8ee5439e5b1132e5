package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.millau.core.Endpoint;
import io.millau.core.Outcome;
import io.millau.server.internal.frontend.Downstream;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What the failed attempts of one request lead to: tells the router, the log and the listeners, and decides what comes next. For
 * the request's I/O thread alone.
 */
final class AttemptFailures {

    /** What follows a failed attempt. */
    enum Next {
        RETRY,
        /** An endpoint is starting: try again after a pause. */
        PAUSE,
        GIVE_UP
    }

    private final RequestTracker tracker;
    private final RequestReport report;
    private final Downstream downstream;
    private Outcome lastOutcome = Outcome.UNREACHABLE;
    private String lastReason = "";

    AttemptFailures(RequestTracker tracker, RequestReport report, Downstream downstream) {
        this.tracker = tracker;
        this.report = report;
        this.downstream = downstream;
    }

    boolean lastTimedOut() {
        return lastOutcome == Outcome.TIMED_OUT;
    }

    /** Why the last attempt failed, for people. */
    String lastReason() {
        return lastReason;
    }

    /** An attempt failed before the head of a final response came. */
    Next attemptFailed(Endpoint endpoint, Outcome outcome, IOException cause, @Nullable RequestBody body, long now) {
        Delivery delivery = report.delivery;
        boolean mayRetry = tell(endpoint, outcome, cause);
        boolean bodyIsKept = body == null || body.retryable();
        Next next = Next.GIVE_UP;
        if (mayRetry && bodyIsKept) {
            next = Next.RETRY;
        } else if (!mayRetry && bodyIsKept && delivery.mayReopen() && isInTime(now)) {
            next = Next.PAUSE;
        }
        boolean retried = next != Next.GIVE_UP;
        RequestLog.attemptFailed(downstream, delivery, endpoint, outcome, lastReason, retried);
        if (mayRetry && !retried) {
            RequestLog.notRetried(downstream, "its body is larger than millau.buffer");
        }
        tracker.listener().attemptFailed(report.attemptFailed(endpoint, outcome, 0, lastReason, retried, now));
        return next;
    }

    /**
     * A response came whose status the retry policy counts as a failure.
     *
     * @return whether to begin another attempt in its place
     */
    boolean givesUp(Endpoint endpoint, int status, @Nullable RequestBody body, long now) {
        Delivery delivery = report.delivery;
        if (body != null && !body.retryable()) {
            RequestLog.notRetried(downstream, "its body was not kept");
            return false;
        }
        boolean retried = delivery.giveUp(status);
        tellOfRetries(delivery);
        if (!retried) {
            return false;
        }
        lastOutcome = Outcome.FAILURE_STATUS;
        lastReason = "status " + status;
        if (delivery.hasRestored()) {
            tracker.listener().endpointReturned(delivery.service(), endpoint);
        }
        RequestLog.attemptFailed(downstream, delivery, endpoint, lastOutcome, lastReason, true);
        report.responded(status, now);
        tracker.listener().attemptFailed(report.attemptFailed(endpoint, lastOutcome, status, lastReason, true, now));
        return true;
    }

    /** The response broke after its head was passed on. */
    void responseBroken(Endpoint endpoint, Outcome outcome, IOException cause, long now) {
        Delivery delivery = report.delivery;
        tell(endpoint, outcome, cause);
        report.delivered = false;
        tracker.listener()
                .attemptFailed(report.attemptFailed(endpoint, outcome, report.status(), lastReason, false, now));
        tracker.failed(report, delivery.service(), "the response broke off: " + cause.getMessage());
    }

    /** Whether the request may be retried. */
    private boolean tell(Endpoint endpoint, Outcome outcome, IOException cause) {
        Delivery delivery = report.delivery;
        lastOutcome = outcome;
        lastReason = String.valueOf(cause.getMessage());
        boolean mayRetry = delivery.report(outcome, lastReason);
        if (delivery.hasEjected()) {
            tracker.listener().endpointEjected(delivery.service(), endpoint, lastReason);
        }
        tellOfRetries(delivery);
        return mayRetry;
    }

    private void tellOfRetries(Delivery delivery) {
        if (delivery.isOutOfRetries()) {
            RequestLog.notRetried(downstream, "the retry budget of its service is spent");
            tracker.listener().retriesExhausted(delivery.service());
        }
    }

    /** Whether the request is not yet as old as its service may take. */
    private boolean isInTime(long now) {
        return now - report.began() < report.service().timeout().toNanos();
    }
}
