package io.millau.server.internal.status;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.StatusCodes;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/** Explains the URL in the query {@code url}, on the telemetry port. */
public final class ExplainHandler implements HttpHandler {

    public static final String PATH = "/explain";

    private static final String QUERY = "url=";

    /** Begins the query if all services are asked for. */
    public static final String ALL = "all&";

    /** The response field that tells whether the URL is served: {@code true} or {@code false}. */
    public static final String SERVED = "Millau-Served";

    private static final HttpString SERVED_FIELD = new HttpString(SERVED);

    private final Function<RequestUrl, UrlExplanation> explainer;

    public ExplainHandler(Function<RequestUrl, UrlExplanation> explainer) {
        this.explainer = explainer;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) {
        RequestUrl url;
        try {
            url = requestedUrl(exchange);
        } catch (IllegalArgumentException e) {
            exchange.setStatusCode(StatusCodes.BAD_REQUEST);
            send(exchange, PATH + "?" + QUERY + ": " + e.getMessage() + "\n");
            return;
        }
        exchange.dispatch(() -> {
            UrlExplanation explanation = explainer.apply(url); // reads every service, so not on the I/O thread
            boolean whole = exchange.getQueryString().startsWith(ALL);
            exchange.getIoThread().execute(() -> {
                exchange.getResponseHeaders().put(SERVED_FIELD, String.valueOf(explanation.served()));
                send(exchange, whole ? explanation.wholeText() : explanation.text());
            });
        });
    }

    /** Takes the whole rest of the query, so that the URL's own query needs no encoding. */
    private static RequestUrl requestedUrl(HttpServerExchange exchange) {
        String asked = exchange.getQueryString();
        String query = asked.startsWith(ALL) ? asked.substring(ALL.length()) : asked;
        String written = query.startsWith(QUERY) ? query.substring(QUERY.length()) : "";
        return RequestUrl.parse(URLDecoder.decode(written.replace("+", "%2B"), StandardCharsets.UTF_8));
    }

    private static void send(HttpServerExchange exchange, String text) {
        exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "text/plain; charset=utf-8");
        exchange.getResponseSender().send(text);
    }
}
