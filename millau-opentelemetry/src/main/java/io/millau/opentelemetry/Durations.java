package io.millau.opentelemetry;

import io.millau.core.Endpoint;
import io.millau.core.Route;
import io.millau.core.TrafficListener.Ended;
import io.millau.core.TrafficListener.Failed;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.context.Context;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The histograms of the semantic conventions for HTTP. Safe for use by several threads. */
final class Durations {

    private static final double NANOS_A_SECOND = TimeUnit.SECONDS.toNanos(1);

    /** Those of the conventions, in seconds. */
    private static final List<Double> BUCKETS =
            List.of(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0);

    private final DoubleHistogram requests;
    private final DoubleHistogram attempts;

    Durations(Meter meter) {
        requests = histogram(meter, "http.server.request.duration", "Duration of HTTP server requests.");
        attempts = histogram(meter, "http.client.request.duration", "Duration of HTTP client requests.");
    }

    private static DoubleHistogram histogram(Meter meter, String name, String description) {
        return meter.histogramBuilder(name)
                .setDescription(description)
                .setUnit("s")
                .setExplicitBucketBoundariesAdvice(BUCKETS)
                .build();
    }

    /** @param span null if the request has none */
    void requestEnded(Ended request, @Nullable RequestSpan span) {
        Context context = span == null ? Context.root() : span.context;
        Endpoint endpoint = request.endpoint();
        if (request.delivered() && endpoint != null && attempts.isEnabled()) {
            int status = request.status();
            String error = status >= 400 ? String.valueOf(status) : null;
            Attributes attributes = ofAttempt(request.method(), endpoint, status, error);
            attempts.record(request.attemptNanos() / NANOS_A_SECOND, attributes, context);
        }
        if (requests.isEnabled()) {
            String scheme = span == null ? request.ingress().protocol() : span.scheme;
            requests.record(request.nanos() / NANOS_A_SECOND, ofRequest(request, scheme), context);
        }
    }

    /** @param span null if the request has none */
    void attemptFailed(Failed attempt, @Nullable RequestSpan span) {
        if (attempts.isEnabled()) {
            Attributes attributes = ofAttempt(
                    attempt.request().method(),
                    attempt.endpoint(),
                    attempt.status(),
                    HttpAttributes.errorType(attempt));
            attempts.record(attempt.nanos() / NANOS_A_SECOND, attributes, span == null ? Context.root() : span.context);
        }
    }

    private static Attributes ofRequest(Ended request, String scheme) {
        AttributesBuilder attributes = Attributes.builder()
                .put(HttpAttributes.METHOD, HttpAttributes.method(request.method()))
                .put(HttpAttributes.URL_SCHEME, scheme)
                .put(
                        HttpAttributes.PROTOCOL_VERSION,
                        HttpAttributes.version(request.request().protocol()));
        Route route = request.route();
        if (route != null) {
            attributes.put(HttpAttributes.ROUTE, route.path());
        }
        return withEnd(attributes, request.status(), HttpAttributes.errorType(request));
    }

    private static Attributes ofAttempt(String method, Endpoint endpoint, int status, @Nullable String error) {
        AttributesBuilder attributes = Attributes.builder()
                .put(HttpAttributes.METHOD, HttpAttributes.method(method))
                .put(HttpAttributes.SERVER_ADDRESS, endpoint.host())
                .put(HttpAttributes.SERVER_PORT, (long) endpoint.port())
                .put(HttpAttributes.PROTOCOL_VERSION, HttpAttributes.version(endpoint));
        return withEnd(attributes, status, error);
    }

    private static Attributes withEnd(AttributesBuilder attributes, int status, @Nullable String error) {
        if (status != 0) {
            attributes.put(HttpAttributes.STATUS, (long) status);
        }
        if (error != null) {
            attributes.put(HttpAttributes.ERROR_TYPE, error);
        }
        return attributes.build();
    }
}
