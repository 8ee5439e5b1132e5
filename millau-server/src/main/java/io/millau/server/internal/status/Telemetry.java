package io.millau.server.internal.status;

import io.millau.core.internal.IpAddresses;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import io.undertow.util.StatusCodes;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The telemetry port. It is read-only:
 *
 * <ul>
 *   <li>{@code /} and {@code /ready}: whether Millau is up; {@code /live}: whether the process runs
 *   <li>{@code /status}: the status page; {@code /status.json}: its data
 *   <li>{@code /explain?url=}: where a request would go, and why
 *   <li>{@code /metrics}: metrics for Prometheus
 * </ul>
 */
public final class Telemetry implements HttpHandler {

    private static final Logger LOG = LoggerFactory.getLogger(Telemetry.class);

    private static final String TEXT = "text/plain; charset=utf-8";
    private static final String HTML = "text/html; charset=utf-8";
    private static final String LINK =
            "<!DOCTYPE html><title>Millau</title><p>%s: <a href=\"status\">status page</a>\n";
    private static final String JSON = "application/json";
    private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

    private static final HttpString CONTENT_SECURITY_POLICY = new HttpString("Content-Security-Policy");

    private final BooleanSupplier up;
    private final Status status;
    private final HttpHandler explain;
    private final Set<String> hosts;
    private final @Nullable Supplier<String> metrics;
    private final StatusPage page = new StatusPage();

    /**
     * @param hosts names under which it is asked for, in lower case, besides addresses and names without a dot
     * @param metrics makes the page for Prometheus; null for none
     */
    public Telemetry(
            BooleanSupplier up,
            Status status,
            HttpHandler explain,
            Set<String> hosts,
            @Nullable Supplier<String> metrics) {
        this.up = up;
        this.status = status;
        this.metrics = metrics;
        this.explain = explain;
        this.hosts = hosts;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        if (!exchange.getRequestMethod().equals(Methods.GET)
                && !exchange.getRequestMethod().equals(Methods.HEAD)) {
            exchange.getResponseHeaders().put(Headers.ALLOW, "GET, HEAD");
            respond(exchange, StatusCodes.METHOD_NOT_ALLOWED, TEXT, "Expected GET or HEAD\n");
            return;
        }
        exchange.getResponseHeaders().put(Headers.CACHE_CONTROL, "no-store");
        exchange.getResponseHeaders().put(Headers.X_CONTENT_TYPE_OPTIONS, "nosniff");
        switch (exchange.getRequestPath()) {
            case "/", "/ready" -> {
                boolean isUp = up.getAsBoolean();
                String text = isUp ? "up" : "down";
                boolean link = exchange.getRequestPath().equals("/") && isBrowser(exchange);
                respond(
                        exchange,
                        isUp ? StatusCodes.OK : StatusCodes.SERVICE_UNAVAILABLE,
                        link ? HTML : TEXT,
                        link ? LINK.formatted(text) : text);
            }
            case "/live" -> respond(exchange, StatusCodes.OK, TEXT, "live");
            default -> handleDetails(exchange);
        }
    }

    /** Whether somebody looks who would rather see the status page. */
    private static boolean isBrowser(HttpServerExchange exchange) {
        String accept = exchange.getRequestHeaders().getFirst(Headers.ACCEPT);
        return accept != null && accept.contains("text/html");
    }

    /** What tells of services is for those alone who ask this port: a web page could have its own name resolve to it. */
    private void handleDetails(HttpServerExchange exchange) throws Exception {
        if (!isOwn(exchange.getHostName().toLowerCase(Locale.ROOT))) {
            respond(
                    exchange,
                    StatusCodes.FORBIDDEN,
                    TEXT,
                    "Expected an address, localhost or a name in TELEMETRY_HOSTS as Host\n");
            return;
        }
        switch (exchange.getRequestPath()) {
            case "/status" -> {
                exchange.getResponseHeaders().put(CONTENT_SECURITY_POLICY, page.policy());
                respondLater(exchange, HTML, () -> page.with(status.text()));
            }
            case "/status.json" -> respondLater(exchange, JSON, status::text);
            case "/status/events" -> status.stream().handleRequest(exchange);
            case "/metrics" -> {
                if (metrics == null) {
                    notFound(exchange);
                } else {
                    respondLater(exchange, PROMETHEUS, metrics);
                }
            }
            case ExplainHandler.PATH -> explain.handleRequest(exchange);
            default -> notFound(exchange);
        }
    }

    /** Names without a dot are those of containers and machines; no page of others can have one. */
    private boolean isOwn(String host) {
        return host.indexOf('.') < 0 || IpAddresses.parse(host) != null || hosts.contains(host);
    }

    private static void notFound(HttpServerExchange exchange) {
        respond(exchange, StatusCodes.NOT_FOUND, TEXT, "Not Found\n");
    }

    /** Responds with text that is slow to make, so not on the I/O thread. */
    private static void respondLater(HttpServerExchange exchange, String type, Supplier<@Nullable String> source) {
        exchange.dispatch(() -> {
            String text;
            try {
                text = source.get();
            } catch (RuntimeException | Error e) {
                LOG.error("Internal error while responding to {}", exchange.getRequestPath(), e);
                exchange.getIoThread()
                        .execute(() ->
                                respond(exchange, StatusCodes.INTERNAL_SERVER_ERROR, TEXT, "See the log of Millau\n"));
                return;
            }
            exchange.getIoThread().execute(() -> {
                if (text == null) {
                    respond(exchange, StatusCodes.SERVICE_UNAVAILABLE, TEXT, "Starting\n");
                } else {
                    respond(exchange, StatusCodes.OK, type, text);
                }
            });
        });
    }

    private static void respond(HttpServerExchange exchange, int status, String type, String text) {
        exchange.setStatusCode(status);
        exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, type);
        exchange.getResponseSender().send(text, StandardCharsets.UTF_8);
    }
}
