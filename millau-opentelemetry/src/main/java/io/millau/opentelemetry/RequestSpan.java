package io.millau.opentelemetry;

import io.millau.core.Endpoint;
import io.millau.core.FilterRequest;
import io.millau.core.Route;
import io.millau.core.Service;
import io.millau.core.TrafficListener.Ended;
import io.millau.core.TrafficListener.Failed;
import io.millau.core.TrafficListener.LocalReason;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import java.time.Instant;
import java.util.concurrent.TimeUnit;

/**
 * The SERVER span of a request, and the CLIENT spans of its attempts. The clock is read once, when the request begins; all other
 * times are measured from then, so that the spans fit into each other. For one thread at a time.
 */
final class RequestSpan {

    private static final double NANOS_A_SECOND = TimeUnit.SECONDS.toNanos(1);

    /** What the service gets. */
    final Context context;

    /** What the client uses, also in front of a trusted proxy. */
    final String scheme;

    private final Tracer tracer;
    private final Span span;
    private final String method;
    private final long epochNanos;
    private final long began;

    /** An attempt can't have begun before. */
    private long earliest;

    private int failedAttempts;

    /**
     * @param parent the span that the client named; without one a new trace begins
     * @param now the same time as {@code at}, by the ticker
     */
    RequestSpan(Tracer tracer, Context parent, FilterRequest request, Instant at, long now) {
        this.tracer = tracer;
        this.began = now;
        this.earliest = now;
        this.epochNanos = TimeUnit.SECONDS.toNanos(at.getEpochSecond()) + at.getNano();
        this.scheme = request.scheme();
        this.method = HttpAttributes.method(request.method());
        this.span = begin(parent, request);
        this.context = parent.with(span);
    }

    /** What samplers may look at is there from the start. */
    private Span begin(Context parent, FilterRequest request) {
        SpanBuilder builder = tracer.spanBuilder(HttpAttributes.spanName(method, null))
                .setParent(parent)
                .setSpanKind(SpanKind.SERVER)
                .setStartTimestamp(epochNanos, TimeUnit.NANOSECONDS)
                .setAttribute(HttpAttributes.METHOD, method)
                .setAttribute(HttpAttributes.URL_PATH, request.path())
                .setAttribute(HttpAttributes.URL_SCHEME, scheme)
                .setAttribute(HttpAttributes.CLIENT_ADDRESS, request.clientAddress());
        if (method.equals(HttpAttributes.OTHER_METHOD)) {
            builder.setAttribute(HttpAttributes.METHOD_ORIGINAL, request.method());
        }
        String host = request.host();
        if (!host.isEmpty()) {
            builder.setAttribute(HttpAttributes.SERVER_ADDRESS, HttpAttributes.hostWithoutPort(host))
                    .setAttribute(HttpAttributes.SERVER_PORT, (long) HttpAttributes.port(host, scheme));
        }
        String agent = request.header("User-Agent");
        if (agent != null) {
            builder.setAttribute(HttpAttributes.USER_AGENT, agent);
        }
        return builder.startSpan();
    }

    /** The filters are through: what comes next is an attempt, or a response of the proxy itself. */
    void filtered(long now) {
        earliest = now;
    }

    void attemptFailed(Failed attempt, long now) {
        failedAttempts = attempt.number();
        if (!span.isRecording()) {
            return;
        }
        Span failed = beginAttempt(attempt.service(), attempt.endpoint(), attempt.number(), now - attempt.nanos());
        setTimes(failed, attempt.queueNanos(), attempt.connectNanos(), attempt.firstByteNanos());
        setStatus(failed, attempt.status());
        fail(failed, HttpAttributes.errorType(attempt), attempt.reason());
        endAttempt(failed, now);
    }

    void end(Ended request, long now) {
        if (!span.isRecording()) {
            span.end();
            return;
        }
        Endpoint last = request.endpoint();
        Service service = request.service();
        if (last != null && service != null && isUnreported(request)) {
            endLastAttempt(request, service, last, now);
        }
        Route route = request.route();
        if (route != null) {
            span.updateName(HttpAttributes.spanName(method, route));
            span.setAttribute(HttpAttributes.ROUTE, route.path());
            span.setAttribute(HttpAttributes.MILLAU_ROUTE, route.host() + route.path());
        }
        if (service != null) {
            span.setAttribute(HttpAttributes.MILLAU_SERVICE, service.name());
        }
        LocalReason reason = request.localReason();
        if (reason != null) {
            span.setAttribute(HttpAttributes.MILLAU_LOCAL_REASON, HttpAttributes.word(reason));
        }
        span.setAttribute(
                HttpAttributes.PROTOCOL_VERSION,
                HttpAttributes.version(request.request().protocol()));
        setStatus(span, request.status());
        String error = HttpAttributes.errorType(request);
        if (error != null) {
            span.setAttribute(HttpAttributes.ERROR_TYPE, error);
            if (!error.equals(HttpAttributes.CLIENT_GONE)) {
                span.setStatus(StatusCode.ERROR);
            }
        }
        span.end(epoch(now), TimeUnit.NANOSECONDS);
    }

    /** Whether the last attempt did not fail. */
    private boolean isUnreported(Ended request) {
        return request.attempts() > failedAttempts;
    }

    private void endLastAttempt(Ended request, Service service, Endpoint endpoint, long now) {
        Span last = beginAttempt(service, endpoint, request.attempts(), now - request.attemptNanos());
        setTimes(last, request.queueNanos(), request.connectNanos(), request.firstByteNanos());
        if (request.delivered()) {
            int status = request.status();
            setStatus(last, status);
            if (status >= 400) {
                fail(last, String.valueOf(status), "");
            }
        } else if (request.clientGone()) {
            fail(last, HttpAttributes.CLIENT_GONE, "");
        } else {
            fail(last, HttpAttributes.word(request.localReason()), "");
        }
        endAttempt(last, now);
    }

    private Span beginAttempt(Service service, Endpoint endpoint, int number, long start) {
        SpanBuilder builder = tracer.spanBuilder(HttpAttributes.spanName(method, null))
                .setParent(context)
                .setSpanKind(SpanKind.CLIENT)
                .setStartTimestamp(epoch(Math.max(start, earliest)), TimeUnit.NANOSECONDS)
                .setAttribute(HttpAttributes.METHOD, method)
                .setAttribute(HttpAttributes.SERVER_ADDRESS, endpoint.host())
                .setAttribute(HttpAttributes.SERVER_PORT, (long) endpoint.port())
                .setAttribute(HttpAttributes.PROTOCOL_VERSION, HttpAttributes.version(endpoint))
                .setAttribute(HttpAttributes.MILLAU_SERVICE, service.name());
        if (number > 1) {
            builder.setAttribute(HttpAttributes.RESEND_COUNT, number - 1L);
        }
        return builder.startSpan();
    }

    private void endAttempt(Span attempt, long now) {
        attempt.end(epoch(now), TimeUnit.NANOSECONDS);
        earliest = now;
    }

    private static void setTimes(Span attempt, long queueNanos, long connectNanos, long firstByteNanos) {
        setSeconds(attempt, HttpAttributes.MILLAU_QUEUE, queueNanos);
        setSeconds(attempt, HttpAttributes.MILLAU_CONNECT, connectNanos);
        setSeconds(attempt, HttpAttributes.MILLAU_FIRST_BYTE, firstByteNanos);
    }

    private static void setSeconds(Span attempt, AttributeKey<Double> key, long nanos) {
        if (nanos > 0) {
            attempt.setAttribute(key, nanos / NANOS_A_SECOND);
        }
    }

    private static void setStatus(Span span, int status) {
        if (status != 0) {
            span.setAttribute(HttpAttributes.STATUS, (long) status);
        }
    }

    private static void fail(Span span, String type, String reason) {
        span.setAttribute(HttpAttributes.ERROR_TYPE, type);
        span.setStatus(StatusCode.ERROR, reason);
    }

    private long epoch(long ticks) {
        return epochNanos + (ticks - began);
    }
}
