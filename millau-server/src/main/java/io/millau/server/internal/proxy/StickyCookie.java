package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import org.jspecify.annotations.Nullable;

/**
 * The cookie (RFC 6265) of a sticky service: it sends a client back to the endpoint that responded to its first request. Each
 * request has its own instance. For the request's I/O thread alone.
 */
final class StickyCookie {

    private static final String START = "millau=";

    /** How many cookies of a request are read: a client needs one for each path of a host, but may send thousands. */
    private static final int MAX_COOKIES = 16;

    private final HttpServerExchange exchange;
    private @Nullable String sentToken;

    StickyCookie(HttpServerExchange exchange) {
        this.exchange = exchange;
    }

    /** Asks for the endpoint that a cookie of the client names. A client can send several: it gets one for each path. */
    void prefer(Delivery delivery) {
        sentToken = null;
        HeaderValues lines = exchange.getRequestHeaders().get(Headers.COOKIE);
        int remaining = MAX_COOKIES;
        for (int i = 0; lines != null && i < lines.size(); i++) {
            for (String cookie : lines.get(i).split(";")) {
                String pair = cookie.strip();
                if (pair.startsWith(START) && remaining-- > 0 && delivery.prefer(pair.substring(START.length()))) {
                    sentToken = pair.substring(START.length());
                    return;
                }
            }
        }
    }

    /** Whether the client needs a new cookie, since its endpoint is not the one that its cookie names. */
    boolean isNew(Delivery delivery) {
        String token = delivery.token();
        return token != null && !token.equals(sentToken);
    }

    /** Adds a Set-Cookie header to the response if the client needs a new cookie. */
    void set(Delivery delivery) {
        if (!isNew(delivery)) {
            return;
        }
        String path = delivery.service().path(); // other services of the host have their own cookies
        exchange.getResponseHeaders()
                .add(
                        Headers.SET_COOKIE,
                        START + delivery.token() + "; Path=" + (isPlain(path) ? path : "/") + "; HttpOnly; SameSite=Lax"
                                + (exchange.getRequestScheme().equals("https") ? "; Secure" : ""));
    }

    /** Whether a path can be written in a cookie without encoding. */
    private static boolean isPlain(String path) {
        return path.chars().allMatch(c -> c > ' ' && c < 127 && c != ';' && c != '%' && c != '"');
    }
}
