package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import org.jspecify.annotations.Nullable;

/**
 * The cookie (RFC 6265) that brings a client back to the endpoint that served it first. For one request, on its I/O
 * thread.
 */
final class StickyCookie {

    private static final String START = "millau=";

    /** How many cookies are looked at. Clients need fewer, but may send thousands. */
    private static final int MOST = 16;

    private final HttpServerExchange exchange;
    private @Nullable String shown;

    StickyCookie(HttpServerExchange exchange) {
        this.exchange = exchange;
    }

    /** Sends the request to the endpoint of the client's cookie. Clients send one for each path where they got one. */
    void prefer(Delivery delivery) {
        shown = null;
        HeaderValues lines = exchange.getRequestHeaders().get(Headers.COOKIE);
        int looks = MOST;
        for (int i = 0; lines != null && i < lines.size(); i++) {
            for (String cookie : lines.get(i).split(";")) {
                String pair = cookie.strip();
                if (pair.startsWith(START) && looks-- > 0 && delivery.prefer(pair.substring(START.length()))) {
                    shown = pair.substring(START.length());
                    return;
                }
            }
        }
    }

    /** Whether the client needs a new cookie. */
    boolean isNews(Delivery delivery) {
        String token = delivery.token();
        return token != null && !token.equals(shown);
    }

    /** Sets the cookie, if the client needs a new one. */
    void set(Delivery delivery) {
        if (!isNews(delivery)) {
            return;
        }
        String path = delivery.service().path(); // another service of the host has a cookie of its own
        exchange.getResponseHeaders()
                .add(
                        Headers.SET_COOKIE,
                        START + delivery.token() + "; Path=" + (isPlain(path) ? path : "/") + "; HttpOnly; SameSite=Lax"
                                + (exchange.getRequestScheme().equals("https") ? "; Secure" : ""));
    }

    /** Whether a cookie can hold the path as it is in a request's target. */
    private static boolean isPlain(String path) {
        return path.chars().allMatch(c -> c > ' ' && c < 127 && c != ';' && c != '%' && c != '"');
    }
}
