package io.millau.opentelemetry;

import io.millau.core.FilterRequest;
import io.millau.core.Request;
import io.millau.core.RequestFilter;
import io.millau.core.Ticker;
import io.millau.core.TrafficListener;
import io.millau.core.Verdict;
import io.millau.core.internal.FirstFailures;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.context.propagation.TextMapSetter;
import java.time.Clock;
import java.util.Collections;
import java.util.Iterator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Spans and durations of requests for OpenTelemetry, after its semantic conventions for HTTP.
 *
 * <pre>{@code
 * Tracing tracing = Tracing.of(GlobalOpenTelemetry.get());
 * builder.filter(tracing).listener(tracing);
 * }</pre>
 *
 * <p>As a filter it begins a SERVER span for each request, in the trace that the client's header fields name, or in a new one, and
 * sends the span's context to the service. As a listener it ends the span, and makes a CLIENT span for each attempt. It also records
 * {@code http.server.request.duration} and {@code http.client.request.duration}; as a listener alone it does only that. {@code
 * docs/how-to/tracing.md} lists the attributes.
 *
 * <p>Add it before other filters: what happens before it is not in the span. Requests that reach no filter get no span, for instance
 * those that are malformed; see {@link RequestFilter}.
 *
 * <p>What OpenTelemetry throws is logged once and affects no request. Runs on I/O threads: span processors, samplers and propagators
 * must not block, so export with a batch processor. Safe for use by several threads, and by several proxies.
 */
public final class Tracing implements RequestFilter, TrafficListener {

    private static final String SCOPE = "io.millau.opentelemetry";

    private final Tracer tracer;
    private final TextMapPropagator propagator;
    private final Durations durations;
    private final Ticker ticker;
    private final Clock clock;
    private final FirstFailures failures = new FirstFailures(LoggerFactory.getLogger(Tracing.class));

    /** The attribute of requests that has their span; another one for each object, since a proxy may have several. */
    private final String key = SCOPE + "@" + System.identityHashCode(this);

    private Tracing(OpenTelemetry telemetry, Ticker ticker, Clock clock) {
        this.tracer = telemetry.getTracer(SCOPE);
        this.propagator = telemetry.getPropagators().getTextMapPropagator();
        this.durations = new Durations(telemetry.getMeter(SCOPE));
        this.ticker = ticker;
        this.clock = clock;
    }

    /** Uses the tracers, meters and propagators of an OpenTelemetry, which stays the caller's to close, after the proxy. */
    public static Tracing of(OpenTelemetry telemetry) {
        return of(telemetry, Ticker.system(), Clock.systemUTC());
    }

    /**
     * @param ticker measures spans from their start
     * @param clock says when each request began, once
     */
    static Tracing of(OpenTelemetry telemetry, Ticker ticker, Clock clock) {
        return new Tracing(Objects.requireNonNull(telemetry, "telemetry"), ticker, clock);
    }

    /** Begins the span of a request, and lets it proceed. */
    @Override
    public Verdict filter(FilterRequest request) {
        try {
            RequestSpan span = (RequestSpan) request.attribute(key);
            if (span == null) {
                Context parent = propagator.extract(Context.root(), request, Fields.GET);
                span = new RequestSpan(tracer, parent, request, clock.instant(), ticker.nanoTime());
                request.attribute(key, span);
            }
            send(span.context, request);
        } catch (RuntimeException | Error e) {
            failures.add(this, e, "requests go on");
        }
        return request.proceed();
    }

    /** What the client sent is replaced, and not kept where it was malformed. */
    private void send(Context context, FilterRequest request) {
        for (String field : propagator.fields()) {
            if (request.header(field) != null) {
                request.removeHeader(field);
            }
        }
        propagator.inject(context, request, Fields.SET);
    }

    @Override
    public void requestBegan(Ingress ingress, Request request) {
        RequestSpan span = span(request);
        if (span != null) {
            span.filtered(ticker.nanoTime());
        }
    }

    @Override
    public void attemptFailed(Failed attempt) {
        RequestSpan span = span(attempt.request());
        durations.attemptFailed(attempt, span);
        if (span != null) {
            span.attemptFailed(attempt, ticker.nanoTime());
        }
    }

    @Override
    public void requestEnded(Ended request) {
        RequestSpan span = span(request.request());
        durations.requestEnded(request, span);
        if (span != null) {
            span.end(request, ticker.nanoTime());
        }
    }

    private @Nullable RequestSpan span(Request request) {
        return (RequestSpan) request.attribute(key);
    }

    /** How propagators read and write header fields. */
    private static final class Fields implements TextMapGetter<FilterRequest>, TextMapSetter<FilterRequest> {

        private static final Fields BOTH = new Fields();
        static final TextMapGetter<FilterRequest> GET = BOTH;
        static final TextMapSetter<FilterRequest> SET = BOTH;

        @Override
        public Iterable<String> keys(FilterRequest request) {
            return request.headerNames();
        }

        @Override
        public @Nullable String get(@Nullable FilterRequest request, String name) {
            return request == null ? null : request.header(name);
        }

        @Override
        public Iterator<String> getAll(@Nullable FilterRequest request, String name) {
            return request == null
                    ? Collections.emptyIterator()
                    : request.headers(name).iterator();
        }

        @Override
        public void set(@Nullable FilterRequest request, String name, String value) {
            if (request != null) {
                request.setHeader(name, value);
            }
        }
    }
}
