package io.millau.server;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.StatusCodes;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The telemetry port: {@code /} says whether Millau is up, {@code /metrics} what Prometheus asks for. */
final class Telemetry implements HttpHandler {

    private static final String TEXT = "text/plain; charset=utf-8";
    private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

    private final BooleanSupplier up;
    private final @Nullable Supplier<String> metrics;

    Telemetry(BooleanSupplier up, @Nullable Supplier<String> metrics) {
        this.up = up;
        this.metrics = metrics;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) {
        switch (exchange.getRequestPath()) {
            case "/" -> {
                boolean isUp = up.getAsBoolean();
                exchange.setStatusCode(isUp ? StatusCodes.OK : StatusCodes.SERVICE_UNAVAILABLE);
                send(exchange, TEXT, isUp ? "up" : "down");
            }
            case "/metrics" -> {
                if (metrics == null) {
                    notFound(exchange);
                } else {
                    exchange.dispatch(() -> {
                        String text = metrics.get(); // may take long, so not on the I/O thread
                        exchange.getIoThread().execute(() -> send(exchange, PROMETHEUS, text));
                    });
                }
            }
            default -> notFound(exchange);
        }
    }

    private static void notFound(HttpServerExchange exchange) {
        exchange.setStatusCode(StatusCodes.NOT_FOUND);
        send(exchange, TEXT, "Not Found");
    }

    private static void send(HttpServerExchange exchange, String type, String text) {
        exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, type);
        exchange.getResponseSender().send(text);
    }
}
