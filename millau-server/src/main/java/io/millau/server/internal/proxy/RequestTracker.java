package io.millau.server.internal.proxy;

import io.millau.core.Service;
import io.millau.core.Ticker;
import io.millau.core.TrafficListener;
import io.millau.core.internal.LogText;
import io.millau.server.internal.frontend.DateField;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.text.Throttle;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import io.undertow.util.StatusCodes;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps track of the requests of one listener: counts those in progress, notifies the traffic listener, and logs warnings, at
 * most one in 10 s for each kind of problem. Safe for use by several threads.
 */
final class RequestTracker {

    private static final Logger LOG = LoggerFactory.getLogger(ProxyHandler.class);

    /** Entries of removed services are not evicted; the map is cleared at this size. */
    private static final int MAX_THROTTLES = 10_000;

    private final TrafficListener listener;
    private final TrafficListener.Ingress ingress;
    private final ThreadLocal<ProxyThread> threads;
    private final Filters filters;
    private final AtomicInteger inProgress = new AtomicInteger();
    private final Throttle badRequests = new Throttle();
    private final Throttle unmatched = new Throttle();
    private final Throttle loops = new Throttle();
    private final Throttle overloads = new Throttle();
    private final Map<String, Throttle> failures = new ConcurrentHashMap<>();

    RequestTracker(
            TrafficListener listener,
            TrafficListener.Ingress ingress,
            ThreadLocal<ProxyThread> threads,
            Filters filters) {
        this.listener = listener;
        this.ingress = ingress;
        this.threads = threads;
        this.filters = filters;
    }

    TrafficListener listener() {
        return listener;
    }

    TrafficListener.Ingress ingress() {
        return ingress;
    }

    void began(Downstream downstream) {
        inProgress.getAndIncrement();
        if (downstream.enter()) {
            listener.connectionBusy(ingress);
        }
        listener.requestBegan(ingress, downstream);
    }

    /** Called once for each request that began. */
    void ended(TrafficListener.Ended request, Downstream downstream) {
        if (request.status() != StatusCodes.SWITCHING_PROTOCOLS) {
            inProgress.getAndDecrement();
        }
        listener.requestEnded(request);
        if (downstream.leave()) {
            listener.connectionIdle(ingress);
        }
    }

    /** Called when a request became a tunnel. It may stay open without limit and no longer counts as in progress. */
    void upgraded() {
        inProgress.getAndDecrement();
    }

    /** Called when a request has to wait before it begins; it counts as in progress meanwhile. */
    void waits() {
        inProgress.getAndIncrement();
    }

    /** Called when that wait is over. */
    void waited() {
        inProgress.getAndDecrement();
    }

    int inProgress() {
        return inProgress.get();
    }

    /** Warns of a request that can't be served because of an error of the client. */
    void badRequest(HttpServerExchange exchange, String reason) {
        badRequest(() -> Downstream.of(exchange).address(), reason);
    }

    /** Warns of a request that can't be served because of an error of the client. */
    void badRequest(Downstream downstream, String reason) {
        badRequest(downstream::address, reason);
    }

    private void badRequest(Supplier<String> client, String reason) {
        badRequests.warn(LOG, () -> "Bad request client=" + client.get() + " reason=" + LogText.value(reason));
    }

    /** Warns of a request that ended without a response. */
    void malformed(String client, String reason) {
        badRequest(() -> client, reason);
        listener.malformed(ingress);
    }

    /** Warns of a redirect to HTTPS that a proxy in front, which ended TLS, has to follow again and again. */
    void redirectMayLoop(HttpServerExchange exchange) {
        loops.warn(LOG, () -> {
            Downstream downstream = Downstream.of(exchange);
            return "Redirect to HTTPS may loop client=" + downstream.address()
                    + " host=" + LogText.value(downstream.host())
                    + " reason="
                    + LogText.value("its X-Forwarded-Proto says https, but TRUSTED does not name this address");
        });
    }

    /** Warns of a request that is refused, since there is no memory for more of them. */
    void overloaded(HttpServerExchange exchange) {
        overloads.warn(
                LOG,
                () -> "Overloaded inProgress=" + inProgress()
                        + " heap=" + Runtime.getRuntime().maxMemory() / 1024 / 1024 + "m host="
                        + LogText.value(Downstream.hostOf(exchange))
                        + " meanwhile="
                        + LogText.value("503 with Retry-After; more memory (-Xmx) allows for more requests at once"));
    }

    /** Warns of a request that no service matches. */
    void unmatched(HttpServerExchange exchange) {
        unmatched.warn(
                LOG,
                () -> "No matching services host=" + LogText.value(Downstream.hostOf(exchange)) + " path="
                        + LogText.value(exchange.getRequestPath()));
    }

    /** Warns of a request that got no response, or no complete one, from its service. */
    void failed(TrafficListener.Ended request, Service service, String reason) {
        if (failures.size() > MAX_THROTTLES) {
            failures.clear();
        }
        failures.computeIfAbsent(service.name(), name -> new Throttle())
                .warn(
                        LOG,
                        () -> "Failed service=" + LogText.value(service.name())
                                + " status=" + request.status()
                                + " reason=" + LogText.value(reason)
                                + " attempts=" + request.attempts()
                                + " host=" + LogText.value(request.request().host())
                                + " path=" + LogText.value(request.request().path())
                                + " request=" + LogText.value(request.request().id()));
    }

    /** Sends a local reply to a request that is not forwarded to a service. */
    void reply(HttpServerExchange exchange, TrafficListener.LocalReason reason, String text) {
        reply(exchange, reason, text, text.strip());
    }

    /**
     * Sends a local reply to a request that is not forwarded to a service.
     *
     * @param detail to log; must not contain the query, which may hold secrets
     */
    void reply(HttpServerExchange exchange, TrafficListener.LocalReason reason, String text, String detail) {
        Downstream downstream = Downstream.of(exchange);
        reply(downstream, reason, text, detail, threads.get().loop.deadlines.now());
    }

    /**
     * Sends a local reply to a request that is not forwarded to a service.
     *
     * @param began the time when the request began, on the clock of the event loop, in nanoseconds
     */
    void reply(Downstream downstream, TrafficListener.LocalReason reason, String text, String detail, long began) {
        logReply(downstream, downstream.exchange.getStatusCode(), detail);
        ProxyThread thread = threads.get();
        LocalReply report = new LocalReply(downstream, ingress, reason, thread.loop.deadlines::now, began);
        began(downstream);
        downstream.exchange.dispatch(
                SameThreadExecutor.INSTANCE,
                () -> LocalReply.send(report, downstream, text, filters, thread, () -> ended(report, downstream)));
    }

    /** Sends the response of a filter to a request that is not forwarded to a service. */
    void reply(FilteredRequest request, FilterReply reply) {
        Downstream downstream = request.downstream;
        ProxyThread thread = threads.get();
        LocalReply report =
                new LocalReply(downstream, ingress, reply.reason(), thread.loop.deadlines::now, request.began);
        began(downstream);
        downstream.exchange.dispatch(SameThreadExecutor.INSTANCE, () -> {
            logReply(
                    downstream,
                    reply.status,
                    reply.reason() == TrafficListener.LocalReason.FILTER ? "a filter responded" : "a filter failed");
            LocalReply.send(report, downstream, reply, filters, thread, () -> ended(report, downstream));
        });
    }

    /** The clock of the current I/O thread. */
    Ticker clock() {
        return threads.get().loop.deadlines::now;
    }

    /** The date of responses. */
    DateField date() {
        return threads.get().date;
    }

    /** Reports a request that an application has responded to. Called by any thread. */
    void respondedByApplication(Downstream downstream, Ticker clock, long began) {
        LocalReply report = new LocalReply(downstream, ingress, TrafficListener.LocalReason.APPLICATION, clock, began);
        began(downstream);
        ended(report, downstream);
    }

    private static void logReply(Downstream downstream, int status, String detail) {
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "Local reply request={} status={} host={} path={} reason={}",
                    downstream.id(),
                    status,
                    LogText.value(downstream.host()),
                    LogText.value(downstream.path()),
                    LogText.value(detail));
        }
    }
}
