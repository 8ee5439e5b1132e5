package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.millau.core.Endpoint;
import io.millau.core.Outcome;
import io.millau.core.internal.LogText;
import io.millau.server.internal.frontend.Downstream;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs the steps of requests, at level DEBUG, one line each; see {@code docs/reference/logs.md}. Safe for use by several threads. */
final class RequestLog {

    private static final Logger LOG = LoggerFactory.getLogger(ProxiedRequest.class);

    private RequestLog() {}

    static void began(Downstream downstream, RequestReport report) {
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "Began request={} client={} method={} host={} path={} route={}",
                    downstream.id(),
                    downstream.address(),
                    report.method(),
                    LogText.value(downstream.host()),
                    LogText.value(downstream.path()),
                    LogText.value(report.route().host() + report.route().path()));
        }
    }

    static void attempt(Downstream downstream, RequestReport report, Endpoint endpoint, boolean newConnection) {
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "Attempt request={} number={} service={} endpoint={} connection={}",
                    downstream.id(),
                    report.attempts(),
                    LogText.value(report.service().name()),
                    endpoint,
                    newConnection ? "new" : "kept");
        }
    }

    static void attemptFailed(
            Downstream downstream,
            Delivery delivery,
            Endpoint endpoint,
            Outcome outcome,
            String reason,
            boolean retried) {
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "Attempt failed request={} service={} endpoint={} outcome={} reason={} retried={}",
                    downstream.id(),
                    LogText.value(delivery.service().name()),
                    endpoint,
                    outcome,
                    LogText.value(reason),
                    retried);
        }
    }

    static void notRetried(Downstream downstream, String reason) {
        LOG.debug("Not retried request={} reason={}", LogText.later(downstream::id), LogText.later(() -> reason));
    }

    static void responded(Downstream downstream, RequestReport report, int status) {
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "Response request={} status={} endpoint={} millis={}",
                    downstream.id(),
                    status,
                    report.endpoint(),
                    TimeUnit.NANOSECONDS.toMillis(report.upstreamNanos()));
        }
    }

    static void clientFailed(Downstream downstream, IOException failure) {
        LOG.debug(
                "Client failed request={} reason={}", LogText.later(downstream::id), LogText.later(failure::toString));
    }

    static void internalError(Downstream downstream, Throwable error) {
        LOG.error("Internal error request={}", downstream.id(), error);
    }

    static void ended(Downstream downstream, RequestReport report) {
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "Ended request={} status={} delivered={} attempts={} millis={}",
                    downstream.id(),
                    report.status(),
                    report.delivered(),
                    report.attempts(),
                    TimeUnit.NANOSECONDS.toMillis(report.nanos()));
        }
    }
}
