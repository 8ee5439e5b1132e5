package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.millau.core.Endpoint;
import io.millau.core.Router;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.core.internal.LogText;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.frontend.DownstreamConnection;
import io.millau.server.internal.frontend.RequestId;
import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http.MessageLength;
import io.millau.server.internal.text.Throttle;
import io.millau.server.internal.tls.Certificates;
import io.undertow.io.IoCallback;
import io.undertow.io.Sender;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import io.undertow.util.Protocols;
import io.undertow.util.SameThreadExecutor;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where every request of one listener comes in: refuses what can be read in two ways, finds the services that fit, and sends
 * the request on its way. Runs on I/O threads.
 */
public final class ProxyHandler implements HttpHandler {

    private static final Logger LOG = LoggerFactory.getLogger(ProxyHandler.class);
    private static final HttpString X_BACKEND_SERVER = new HttpString("X-Backend-Server");
    private static final HttpString X_SERVED_BY = new HttpString("X-Served-By");

    /** RFC 9110, 15.5.20. */
    private static final int MISDIRECTED_REQUEST = 421;

    /** Of services that were removed nobody takes theirs away. */
    private static final int MOST_THROTTLES = 10_000;

    private final Router router;
    private final HttpsRules https;
    private final @Nullable Certificates certificates;
    private final ThreadLocal<ProxyThread> threads;
    private final TrafficListener listener;
    private final TrafficListener.Ingress ingress;
    private final String hostName;
    private final Runnable moved;
    private final AtomicInteger inProgress = new AtomicInteger();
    private final Throttle refusals = new Throttle();
    private final Throttle unmatched = new Throttle();
    private final Map<String, Throttle> failures = new ConcurrentHashMap<>();
    private volatile boolean draining;

    /**
     * @param certificates who may know the answers to challenges
     * @param moved called when an endpoint could not be reached: something may have moved
     */
    public ProxyHandler(
            Router router,
            HttpsRules https,
            @Nullable Certificates certificates,
            ThreadLocal<ProxyThread> threads,
            TrafficListener listener,
            TrafficListener.Ingress ingress,
            String hostName,
            Runnable moved) {
        this.router = router;
        this.https = https;
        this.certificates = certificates;
        this.threads = threads;
        this.listener = listener;
        this.ingress = ingress;
        this.hostName = hostName;
        this.moved = moved;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) {
        String fault = faultOf(exchange);
        if (fault != null) {
            refused(exchange, fault);
            exchange.setPersistent(false);
            exchange.setStatusCode(StatusCodes.BAD_REQUEST);
            turnAway(exchange, "Bad Request\n");
            return;
        }
        if (draining) {
            exchange.setPersistent(false);
        }
        if (exchange.getRequestMethod().equals(Methods.CONNECT)) {
            exchange.setStatusCode(StatusCodes.NOT_IMPLEMENTED);
            turnAway(exchange, "CONNECT is not implemented\n");
            return;
        }
        if (HttpsRules.isChallenge(exchange)) {
            answerChallenge(exchange);
        } else {
            route(exchange);
        }
    }

    /** Before any service, and for every host: who asks knows which of us it asks for. */
    private void answerChallenge(HttpServerExchange exchange) {
        String token = HttpsRules.token(exchange);
        if (token == null || certificates == null) {
            route(exchange);
            return;
        }
        CompletableFuture<Optional<String>> answer = certificates.httpChallenge(token);
        exchange.dispatch(
                SameThreadExecutor.INSTANCE,
                () -> answer.whenComplete((known, failure) -> {
                    Optional<String> text = failure == null ? known : Optional.empty();
                    exchange.getIoThread()
                            .execute(() -> text.ifPresentOrElse(t -> turnAway(exchange, t), () -> route(exchange)));
                }));
    }

    private void route(HttpServerExchange exchange) {
        if (https.redirectsAll(exchange)) {
            redirect(exchange);
            return;
        }
        String host = Downstream.hostOf(exchange);
        Delivery delivery = open(exchange, host);
        if (delivery == null) {
            unmatched.warn(
                    LOG,
                    () -> "No matching services host=" + LogText.value(host) + " path="
                            + LogText.value(Http1.pathOf(exchange)));
            exchange.setStatusCode(StatusCodes.BAD_GATEWAY);
            turnAway(exchange, "No matching services found\n");
            return;
        }
        switch (https.verdict(exchange, host, delivery)) {
            case REDIRECT -> {
                redirect(exchange);
                return;
            }
            case MISDIRECTED -> {
                exchange.setStatusCode(MISDIRECTED_REQUEST);
                turnAway(exchange, "This connection is not for that host\n");
                return;
            }
            case PROCEED -> {}
        }
        ProxiedRequest request = new ProxiedRequest(exchange, delivery, threads.get(), this);
        exchange.dispatch(SameThreadExecutor.INSTANCE, request::start);
    }

    private void redirect(HttpServerExchange exchange) {
        String location = https.location(exchange);
        if (location == null) {
            exchange.setStatusCode(StatusCodes.BAD_REQUEST);
            turnAway(exchange, "Bad Request\n");
            return;
        }
        exchange.getResponseHeaders().put(Headers.LOCATION, location);
        exchange.setStatusCode(StatusCodes.PERMANENT_REDIRECT);
        turnAway(exchange, "Moved to " + location + "\n", "it is to come over HTTPS");
    }

    /** The same for a request that was let in before: by now there may be a condition that its connection doesn't meet. */
    @Nullable
    Delivery openAnew(HttpServerExchange exchange) {
        String host = Downstream.hostOf(exchange);
        Delivery delivery = open(exchange, host);
        boolean proceeds = delivery != null && https.verdict(exchange, host, delivery) == HttpsRules.Verdict.PROCEED;
        return proceeds ? delivery : null;
    }

    /** Finds the services for a request as they are now; null if none fits. */
    private @Nullable Delivery open(HttpServerExchange exchange, String host) {
        String path = exchange.getRequestPath();
        return router.open(
                host,
                path.startsWith("/") ? path : "/",
                exchange.getRequestMethod().toString());
    }

    /** What makes a request ambiguous, if anything does: then it may not reach a service (RFC 9112, 6.3 and 11.2). */
    private static @Nullable String faultOf(HttpServerExchange exchange) {
        HeaderMap headers = exchange.getRequestHeaders();
        HeaderValues lengths = headers.get(Headers.CONTENT_LENGTH);
        HeaderValues codings = headers.get(Headers.TRANSFER_ENCODING);
        HeaderValues hosts = headers.get(Headers.HOST);
        if (lengths != null && (lengths.size() != 1 || MessageLength.parse(lengths.getFirst()) < 0)) {
            return "Content-Length " + lengths + ", expected one number";
        }
        if (lengths != null && exchange.isRequestComplete() && MessageLength.parse(lengths.getFirst()) > 0) {
            // HTTP/2 can say so; over HTTP/1.1 the endpoint would take the next request for the body.
            return "Content-Length " + lengths + " without a body";
        }
        if (codings != null) {
            boolean chunked = codings.size() == 1 && "chunked".equalsIgnoreCase(codings.getFirst());
            if (!chunked || lengths != null || !exchange.isHttp11()) {
                return "Transfer-Encoding " + codings
                        + ", expected chunked alone, without Content-Length, over HTTP/1.1";
            }
        }
        if (hosts != null && hosts.size() > 1) {
            return "several Host fields";
        }
        if (!exchange.isHttp10()
                && (hosts == null
                        || exchange.getProtocol() == Protocols.HTTP_2_0
                                && hosts.getFirst().isEmpty())) {
            return "no Host field, or no :authority";
        }
        if (!isTarget(exchange)) {
            return "request target " + exchange.getRequestURI() + ", expected one that starts with /";
        }
        return null;
    }

    /** HTTP/2 has no absolute form, but in its :path one would be another host than the one that was routed. */
    private static boolean isTarget(HttpServerExchange exchange) {
        String uri = exchange.getRequestURI();
        return uri.startsWith("/")
                || uri.equals("*")
                || exchange.isHostIncludedInRequestURI()
                || exchange.getRequestMethod().equals(Methods.CONNECT);
    }

    /** Answers a request that no service gets. */
    private void turnAway(HttpServerExchange exchange, String text) {
        turnAway(exchange, text, text.strip());
    }

    /** @param reason without the query, which may hold secrets */
    private void turnAway(HttpServerExchange exchange, String text, String reason) {
        Downstream client = Downstream.of(exchange);
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "Turned away request={} status={} host={} path={} reason={}",
                    client.id(),
                    exchange.getStatusCode(),
                    LogText.value(client.host()),
                    LogText.value(client.path()),
                    LogText.value(reason));
        }
        TrafficListener.Ended ended = new LocalReply(client, ingress, System.nanoTime());
        began(ended, client);
        exchange.dispatch(SameThreadExecutor.INSTANCE, () -> answer(exchange, text, () -> ended(ended, client)));
    }

    TrafficListener.Ingress ingress() {
        return ingress;
    }

    TrafficListener listener() {
        return listener;
    }

    void began(TrafficListener.Ended request, Downstream client) {
        inProgress.getAndIncrement();
        if (client.enter()) {
            listener.connectionBusy(ingress);
        }
        listener.requestBegan(ingress, request.method());
    }

    void ended(TrafficListener.Ended request, Downstream client) {
        if (request.status() != StatusCodes.SWITCHING_PROTOCOLS) {
            inProgress.getAndDecrement();
        }
        listener.requestEnded(request);
        if (client.leave()) {
            listener.connectionIdle(ingress);
        }
    }

    /** A request became a tunnel. */
    void upgraded() {
        inProgress.getAndDecrement();
    }

    /** An endpoint's answer brought it back into rotation. */
    void returned(Service service, Endpoint endpoint) {
        listener.endpointReturned(service, endpoint);
    }

    /** An endpoint could not be reached. */
    void moved() {
        moved.run();
    }

    /** A client sent what can't be served. */
    void refused(HttpServerExchange exchange, String reason) {
        refusals.warn(
                LOG,
                () -> "Refused client=" + DownstreamConnection.textOf(exchange.getSourceAddress()) + " reason="
                        + LogText.value(reason));
    }

    /** A client's request got no answer of its service. */
    void failed(TrafficListener.Ended request, Service service, String reason) {
        if (failures.size() > MOST_THROTTLES) {
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

    /** Sends an answer of our own, then runs what is to be done at its end, well or ill. */
    void answer(HttpServerExchange exchange, String text, Runnable end) {
        exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "text/plain; charset=utf-8");
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        exchange.setResponseContentLength(bytes.remaining());
        exchange.getResponseSender().send(bytes, new IoCallback() {
            @Override
            public void onComplete(HttpServerExchange exchange, Sender sender) {
                end.run();
                IoCallback.END_EXCHANGE.onComplete(exchange, sender);
            }

            @Override
            public void onException(HttpServerExchange exchange, Sender sender, IOException failure) {
                LOG.debug("Client is gone reason={}", LogText.later(failure::toString));
                end.run();
                IoCallback.END_EXCHANGE.onException(exchange, sender, failure);
            }
        });
    }

    void addDebugHeaders(HeaderMap headers, Service service, String requestId) {
        headers.add(Headers.VIA, "1.1 millau");
        headers.put(X_BACKEND_SERVER, service.name());
        headers.put(X_SERVED_BY, hostName);
        headers.put(RequestId.HEADER, requestId);
    }

    /** From now on connections end with the next answer. */
    public void drain() {
        draining = true;
    }

    /** Requests in progress; a connection that was upgraded is none any more, since it may last for ever. */
    public int inProgress() {
        return inProgress.get();
    }
}
