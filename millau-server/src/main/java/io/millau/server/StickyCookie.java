package io.millau.server;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import java.util.ArrayList;
import java.util.List;

/** The cookie (RFC 6265) that brings a client back to the endpoint that answered it first. */
final class StickyCookie {

    private static final String NAME = "millau";

    private StickyCookie() {}

    /** The tokens that a request shows: one for each path at which the client got one. */
    static List<String> tokens(HeaderMap request) {
        HeaderValues cookies = request.get(Headers.COOKIE);
        List<String> tokens = new ArrayList<>(1);
        if (cookies != null) {
            for (String line : cookies) {
                for (String cookie : line.split(";")) {
                    String pair = cookie.strip();
                    if (pair.startsWith(NAME + "=")) {
                        tokens.add(pair.substring(NAME.length() + 1));
                    }
                }
            }
        }
        return tokens;
    }

    /**
     * The value of a {@code Set-Cookie} field.
     *
     * @param path of the service: another one of the host has a cookie of its own
     */
    static String of(String token, String path, boolean secure) {
        return NAME + "=" + token + "; Path=" + (isPlain(path) ? path : "/") + "; HttpOnly; SameSite=Lax"
                + (secure ? "; Secure" : "");
    }

    /** Whether it stands in a cookie as it stands in a request's target. */
    private static boolean isPlain(String path) {
        return path.chars().allMatch(c -> c > ' ' && c < 127 && c != ';' && c != '%' && c != '"');
    }
}
