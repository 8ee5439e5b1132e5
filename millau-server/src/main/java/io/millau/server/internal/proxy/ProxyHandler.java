package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.millau.core.Router;
import io.millau.core.TrafficListener;
import io.millau.core.TrafficListener.LocalReason;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.frontend.Forwarding;
import io.millau.server.internal.frontend.Rejection;
import io.millau.server.internal.frontend.RequestChanges;
import io.millau.server.internal.io.DirectMemory;
import io.millau.server.internal.tls.Certificates;
import io.undertow.server.HandlerWrapper;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.undertow.util.SameThreadExecutor;
import io.undertow.util.StatusCodes;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Handles every request of one listener. It responds itself to ambiguous requests, to challenges of certificate authorities and
 * to requests that have to use another connection. For every other request it finds the services and starts a {@link
 * ProxiedRequest}. Runs on I/O threads.
 */
public final class ProxyHandler implements HttpHandler, FilteredRequest.Next {

    /** The status of RFC 9110, 15.5.20. */
    private static final int MISDIRECTED_REQUEST = 421;

    static final String NO_SERVICE = "No matching services found\n";

    private final Router router;
    private final HttpsRules https;
    private final @Nullable Certificates certificates;
    private final ThreadLocal<ProxyThread> threads;
    private final RequestTracker tracker;
    private final Filters filters;
    private final HttpHandler routing;
    private final @Nullable DebugHeaders debugHeaders;
    private final Runnable endpointUnreachable;
    private volatile boolean draining;

    /**
     * @param certificates has the responses to ACME challenges; null without HTTPS
     * @param application gets requests before they are routed; null for none
     * @param debugHeaders added to responses; null for none
     * @param endpointUnreachable called when an endpoint could not be reached, to make the sources look for changes
     */
    public ProxyHandler(
            Router router,
            HttpsRules https,
            @Nullable Certificates certificates,
            ThreadLocal<ProxyThread> threads,
            TrafficListener listener,
            TrafficListener.Ingress ingress,
            Filters filters,
            @Nullable HandlerWrapper application,
            @Nullable DebugHeaders debugHeaders,
            Runnable endpointUnreachable) {
        this.router = router;
        this.https = https;
        this.certificates = certificates;
        this.threads = threads;
        this.tracker = new RequestTracker(listener, ingress, threads, filters);
        this.filters = filters;
        this.routing = application == null ? this::route : new Application(application, this::route, tracker);
        this.debugHeaders = debugHeaders;
        this.endpointUnreachable = endpointUnreachable;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        Rejection rejection = Rejection.of(exchange);
        if (rejection == null) {
            rejection = Rejection.ofProblem(RequestCheck.problemOf(exchange));
        }
        if (rejection != null) {
            reject(exchange, rejection);
            return;
        }
        if (draining) {
            exchange.setPersistent(false);
        }
        if (exchange.getRequestMethod().equals(Methods.CONNECT)) {
            tracker.badRequest(exchange, "method CONNECT, which is not implemented");
            exchange.setStatusCode(StatusCodes.NOT_IMPLEMENTED);
            tracker.reply(exchange, LocalReason.CONNECT, "CONNECT is not implemented\n");
            return;
        }
        if (HttpsRules.isChallenge(exchange)) {
            respondToChallenge(exchange);
        } else {
            routing.handleRequest(exchange);
        }
    }

    /** Called for a request that ended before there was an exchange for it. */
    public void malformed(String client, String reason) {
        tracker.malformed(client, reason);
    }

    private void reject(HttpServerExchange exchange, Rejection rejection) {
        tracker.badRequest(exchange, rejection.reason());
        exchange.setPersistent(false);
        exchange.setStatusCode(rejection.status());
        if (rejection == Rejection.OVERLOADED) {
            exchange.getResponseHeaders().put(Headers.RETRY_AFTER, 1);
        }
        tracker.reply(exchange, reason(rejection), rejection.text(), rejection.reason());
    }

    static LocalReason reason(Rejection rejection) {
        return switch (rejection.status()) {
            case StatusCodes.REQUEST_TIME_OUT -> LocalReason.REQUEST_TIMEOUT;
            case StatusCodes.REQUEST_URI_TOO_LARGE, StatusCodes.REQUEST_HEADER_FIELDS_TOO_LARGE ->
                LocalReason.HEAD_TOO_LARGE;
            case StatusCodes.SERVICE_UNAVAILABLE -> LocalReason.OVERLOADED;
            case StatusCodes.REQUEST_ENTITY_TOO_LARGE -> LocalReason.BODY_TOO_LARGE;
            default -> LocalReason.BAD_REQUEST;
        };
    }

    /**
     * Responds to a certificate authority that requests a token (RFC 8555, 8.3), which it gave to this proxy or to another one
     * with the same store.
     */
    private void respondToChallenge(HttpServerExchange exchange) {
        String token = HttpsRules.token(exchange);
        if (token == null || certificates == null) {
            route(exchange);
            return;
        }
        CompletableFuture<Optional<String>> response = certificates.httpChallenge(token);
        exchange.dispatch(
                SameThreadExecutor.INSTANCE,
                () -> response.thenAccept(known -> exchange.getIoThread()
                        .execute(() -> known.ifPresentOrElse(
                                text -> tracker.reply(exchange, LocalReason.CHALLENGE, text), () -> route(exchange)))));
    }

    private void route(HttpServerExchange exchange) {
        if (https.redirectsAll(exchange)) {
            redirect(Downstream.of(exchange), null);
            return;
        }
        if (!DirectMemory.hasRoom(tracker.inProgress())) {
            tracker.overloaded(exchange);
            exchange.getResponseHeaders().put(Headers.RETRY_AFTER, 1);
            exchange.setStatusCode(StatusCodes.SERVICE_UNAVAILABLE);
            tracker.reply(exchange, LocalReason.OVERLOADED, "Overloaded\n");
            return;
        }
        Downstream downstream = Downstream.of(exchange);
        if (filters.ofProxy().isEmpty()) {
            forward(downstream, null);
            return;
        }
        ProxyThread thread = threads.get();
        new FilteredRequest(downstream, thread, filters, thread.loop.deadlines.now()).run(filters.ofProxy(), this);
    }

    @Override
    public void waits(FilteredRequest request) {
        tracker.waits();
        request.downstream.exchange.dispatch(SameThreadExecutor.INSTANCE, () -> {});
    }

    @Override
    public void proceed(FilteredRequest request) {
        if (request.waited()) {
            tracker.waited();
        }
        forward(request.downstream, request);
    }

    @Override
    public void reply(FilteredRequest request, FilterReply reply) {
        if (request.waited()) {
            tracker.waited();
        }
        tracker.reply(request, reply);
    }

    /** @param filtered null if the proxy has no filters */
    private void forward(Downstream downstream, @Nullable FilteredRequest filtered) {
        HttpServerExchange exchange = downstream.exchange;
        Delivery delivery = open(downstream);
        if (delivery == null) {
            tracker.unmatched(exchange);
            exchange.setStatusCode(StatusCodes.BAD_GATEWAY);
            reply(downstream, filtered, LocalReason.NO_SERVICE, NO_SERVICE, NO_SERVICE.strip());
            return;
        }
        switch (https.verdict(exchange, downstream.host(), delivery)) {
            case PROCEED -> {
                ProxiedRequest request = new ProxiedRequest(downstream, filtered, delivery, threads.get(), this);
                exchange.dispatch(SameThreadExecutor.INSTANCE, request::start);
            }
            case REDIRECT -> redirect(downstream, filtered);
            case MISDIRECTED -> {
                tracker.badRequest(
                        exchange,
                        "host " + downstream.host()
                                + " on a connection whose client certificate does not fit it (millau.client-ca)");
                exchange.setStatusCode(MISDIRECTED_REQUEST);
                exchange.setReasonPhrase("Misdirected Request");
                String text = "This connection is not for that host\n";
                reply(downstream, filtered, LocalReason.MISDIRECTED, text, text.strip());
            }
        }
    }

    private void reply(
            Downstream downstream, @Nullable FilteredRequest filtered, LocalReason reason, String text, String detail) {
        long began = filtered == null ? threads.get().loop.deadlines.now() : filtered.began;
        tracker.reply(downstream, reason, text, detail, began);
    }

    private void redirect(Downstream downstream, @Nullable FilteredRequest filtered) {
        HttpServerExchange exchange = downstream.exchange;
        String location = https.location(exchange);
        if (location == null) {
            tracker.badRequest(exchange, "no Host to redirect to");
            exchange.setStatusCode(StatusCodes.BAD_REQUEST);
            reply(downstream, filtered, LocalReason.BAD_REQUEST, "Bad Request\n", "Bad Request");
            return;
        }
        if (Forwarding.of(exchange) == null && Forwarding.claimsHttps(exchange)) {
            tracker.redirectMayLoop(exchange);
        }
        exchange.getResponseHeaders().put(Headers.LOCATION, location);
        exchange.setStatusCode(StatusCodes.PERMANENT_REDIRECT);
        reply(downstream, filtered, LocalReason.REDIRECT, "Moved to " + location + "\n", "redirected to HTTPS");
    }

    /** Finds the services for a request in the current snapshot; null if none matches. */
    private @Nullable Delivery open(Downstream downstream) {
        String path = downstream.routedPath().startsWith("/") ? downstream.routedPath() : "/";
        RequestChanges changes = downstream.changes();
        Delivery preferred = changes == null || changes.preferredHost() == null
                ? null
                : router.openAt(changes.preferredHost(), path, downstream);
        return preferred == null ? router.open(downstream.routedHost(), path, downstream) : preferred;
    }

    /**
     * Finds the services for a request that is in progress already.
     *
     * @return null if none matches, or if the request would have to use another connection now
     */
    @Nullable
    Delivery reopen(Downstream downstream) {
        Delivery delivery = open(downstream);
        boolean proceeds = delivery != null
                && https.verdict(downstream.exchange, downstream.host(), delivery) == HttpsRules.Verdict.PROCEED;
        return proceeds ? delivery : null;
    }

    Filters filters() {
        return filters;
    }

    RequestTracker tracker() {
        return tracker;
    }

    @Nullable
    DebugHeaders debugHeaders() {
        return debugHeaders;
    }

    void endpointUnreachable() {
        endpointUnreachable.run();
    }

    /** From now on, closes each connection after its next response. */
    public void drain() {
        draining = true;
    }

    /** The number of requests in progress, without upgraded connections. */
    public int inProgress() {
        return tracker.inProgress();
    }
}
