package io.millau.server.internal.frontend;

import io.millau.server.internal.http.HopByHop;
import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http.MessageLength;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import io.undertow.util.Protocols;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The head of a request, as it was received. Undertow gets a plain head in its place, with a body of the same framing: with what
 * strangers send, Undertow would end the connection, or answer without a trace in the log. The exchange that it makes then gets
 * what was received.
 *
 * @param rejection why it is not served; null if it is
 */
record ReceivedHead(
        HttpString method,
        String target,
        HttpString protocol,
        HeaderMap headers,
        @Nullable Rejection rejection) {

    /** The longest plain head. */
    static final int MAX_PLAIN_BYTES = 128;

    /** Stands for a method that could not be read. */
    static final HttpString UNKNOWN_METHOD = new HttpString("-");

    private static final List<String> SCHEMES = List.of("http://", "https://");

    static ReceivedHead rejected(HttpString method, Rejection rejection) {
        return new ReceivedHead(method, "/", Protocols.HTTP_1_1, new HeaderMap(), rejection);
    }

    /**
     * Whether this is {@code HEAD} or {@code CONNECT} in another case. To a service that is another method (RFC 9110, 9.1), to
     * Undertow it is the same: they would not agree on whether the response has a body.
     */
    static boolean isMisspelt(HttpString method) {
        return method.equals(Methods.HEAD) && !method.toString().equals("HEAD")
                || method.equals(Methods.CONNECT) && !method.toString().equals("CONNECT");
    }

    /** Describes what is wrong with a misspelt method. */
    static String misspelt(String method) {
        return "method " + method + ", expected it in upper case";
    }

    /** The same head, but not to be served. */
    ReceivedHead rejected(Rejection why) {
        return new ReceivedHead(method, target, protocol, headers, why);
    }

    /** The head of a request over HTTP/1.1. */
    static ReceivedHead of(HttpString method, String target, HttpString protocol, HeaderMap headers) {
        String inOriginForm = target;
        int authority = authorityAt(target);
        int end = authority;
        while (end >= 0 && end < target.length() && "/?#".indexOf(target.charAt(end)) < 0) {
            end++;
        }
        if (end > authority) {
            // The host of the target counts, whatever Host says (RFC 9112, 3.2.2); but there must not be two.
            if (headers.count(Headers.HOST) <= 1) {
                headers.put(Headers.HOST, target.substring(authority, end));
            }
            String rest = target.substring(end);
            if (rest.isEmpty() && method.toString().equals("OPTIONS")) {
                inOriginForm = "*";
            } else {
                inOriginForm = rest.startsWith("/") ? rest : "/" + rest;
            }
        }
        Rejection rejection = Rejection.ofProblem(RequestTarget.problemOf(inOriginForm));
        return new ReceivedHead(method, inOriginForm, protocol, headers, rejection);
    }

    /** Where the authority begins in a target in absolute form; -1 if it is in another form. */
    private static int authorityAt(String target) {
        for (String scheme : SCHEMES) {
            if (target.regionMatches(true, 0, scheme, 0, scheme.length())) {
                return scheme.length();
            }
        }
        return -1;
    }

    /** A plain head for Undertow's HTTP/1.1 parser: only what frames the body and says whether the connection stays open. */
    byte[] plain() {
        StringBuilder plain = new StringBuilder("GET / ")
                .append(protocol)
                .append("\r\nHost: a\r\nConnection: ")
                .append(isPersistent() ? "keep-alive" : "close")
                .append("\r\n");
        HeaderValues lengths = headers.get(Headers.CONTENT_LENGTH);
        if (rejection == null && lengths != null && MessageLength.parse(lengths.getFirst()) >= 0) {
            plain.append("Content-Length: ").append(lengths.getFirst()).append("\r\n");
        } else if (isChunked()) {
            plain.append("Transfer-Encoding: chunked\r\n");
        }
        return Http1.ascii(plain.append("\r\n").toString());
    }

    /** Whether the request has a body in chunks; where a length contradicts them, it is not served. */
    boolean isChunked() {
        return rejection == null
                && headers.contains(Headers.TRANSFER_ENCODING)
                && !headers.contains(Headers.CONTENT_LENGTH);
    }

    /** RFC 9112, 9.3. */
    private boolean isPersistent() {
        if (rejection != null || has("close")) {
            return false;
        }
        return protocol == Protocols.HTTP_1_1 || has("keep-alive");
    }

    private boolean has(String option) {
        return HopByHop.hasToken(headers.get(Headers.CONNECTION), option);
    }

    /** Gives the exchange that Undertow made of the plain head what was received. */
    void applyTo(HttpServerExchange exchange) {
        exchange.setRequestMethod(method);
        RequestTarget.set(exchange, target);
        HeaderMap fields = exchange.getRequestHeaders();
        fields.clear();
        headers.forEach(values -> fields.putAll(values.getHeaderName(), values));
        if (rejection != null) {
            rejection.reject(exchange);
        }
    }
}
