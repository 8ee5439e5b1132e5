package io.millau.server.internal.frontend;

import io.millau.server.internal.http.HeaderNames;
import io.millau.server.internal.http.HopByHop;
import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http.MessageLength;
import io.undertow.protocols.http2.Http2Channel;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import io.undertow.util.Protocols;
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

    /** Stands for a method that could not be read. */
    static final HttpString UNKNOWN_METHOD = new HttpString("-");

    static ReceivedHead rejected(HttpString method, Rejection rejection) {
        return new ReceivedHead(method, "/", Protocols.HTTP_1_1, new HeaderMap(), rejection);
    }

    /** The same head, but not to be served. */
    ReceivedHead rejected(Rejection why) {
        return new ReceivedHead(method, target, protocol, headers, why);
    }

    /** The head of a request over HTTP/1.1. */
    static ReceivedHead of(HttpString method, String target, HttpString protocol, HeaderMap headers) {
        String inOriginForm = target;
        int scheme = target.indexOf("://");
        if (scheme > 0 && target.charAt(0) != '/') {
            // The host of the target counts, whatever Host says (RFC 9112, 3.2.2).
            int authority = scheme + 3;
            int end = authority;
            while (end < target.length() && "/?#".indexOf(target.charAt(end)) < 0) {
                end++;
            }
            headers.put(Headers.HOST, target.substring(authority, end));
            String rest = target.substring(end);
            if (rest.isEmpty() && method.equals(Methods.OPTIONS)) {
                inOriginForm = "*";
            } else {
                inOriginForm = rest.startsWith("/") ? rest : "/" + rest;
            }
        }
        Rejection rejection = Rejection.ofProblem(RequestTarget.problemOf(inOriginForm));
        return new ReceivedHead(method, inOriginForm, protocol, headers, rejection);
    }

    /** The head of a request over HTTP/2 (RFC 9113, 8.3.1). */
    static ReceivedHead ofHttp2(HeaderMap fields) {
        String method = fields.getFirst(Http2Channel.METHOD);
        HttpString name = method == null || !isToken(method) ? UNKNOWN_METHOD : Methods.fromString(method);
        Rejection rejection = sizeProblem(fields);
        if (rejection == null) {
            rejection = Rejection.ofProblem(http2Problem(name, fields));
        }
        if (rejection != null) {
            return rejected(name, rejection);
        }
        HeaderMap headers = new HeaderMap();
        for (HeaderValues values : fields) {
            if (values.getHeaderName().byteAt(0) != ':') {
                headers.putAll(values.getHeaderName(), values);
            }
        }
        String authority = fields.getFirst(Http2Channel.AUTHORITY);
        if (authority != null) {
            headers.put(Headers.HOST, authority);
        }
        String path = fields.getFirst(Http2Channel.PATH);
        return new ReceivedHead(name, path == null ? "/" : path, Protocols.HTTP_2_0, headers, null);
    }

    private static @Nullable Rejection sizeProblem(HeaderMap fields) {
        int number = 0;
        int bytes = 0;
        for (HeaderValues values : fields) {
            for (int i = 0; i < values.size(); i++) {
                number++;
                bytes += values.getHeaderName().length() + values.get(i).length();
            }
        }
        String path = fields.getFirst(Http2Channel.PATH);
        return path != null && path.length() > Rejection.MAX_HEAD_BYTES
                ? Rejection.targetTooLong()
                : Rejection.ofSize(number, bytes);
    }

    private static @Nullable String http2Problem(HttpString method, HeaderMap fields) {
        boolean connect = method.equals(Methods.CONNECT);
        String path = fields.getFirst(Http2Channel.PATH);
        if (method == UNKNOWN_METHOD || fields.count(Http2Channel.METHOD) > 1) {
            return ":method " + fields.get(Http2Channel.METHOD) + ", expected one token";
        }
        if (!connect && (path == null || fields.count(Http2Channel.PATH) > 1)) {
            return ":path is missing or there twice, expected one";
        }
        if (!connect && fields.count(Http2Channel.SCHEME) != 1) {
            return ":scheme " + fields.get(Http2Channel.SCHEME) + ", expected one";
        }
        if (fields.count(Http2Channel.AUTHORITY) > 1) {
            return ":authority " + fields.get(Http2Channel.AUTHORITY) + ", expected one";
        }
        for (HeaderValues values : fields) {
            String problem = fieldProblem(values);
            if (problem != null) {
                return problem;
            }
        }
        if (path == null) {
            return null;
        }
        if (path.isEmpty()) {
            return ":path is empty, expected one that starts with /";
        }
        String problem = RequestTarget.formProblemOf(path);
        return problem == null ? RequestTarget.problemOf(path) : problem;
    }

    /** What is wrong with a field (RFC 9113, 8.2); Undertow has checked that names are in lower case. */
    private static @Nullable String fieldProblem(HeaderValues values) {
        HttpString name = values.getHeaderName();
        boolean ofConnection = HopByHop.contains(name) && !name.equals(Headers.TE) && !isAllowed(name);
        if (ofConnection || name.equals(Headers.TE) && !"trailers".equalsIgnoreCase(values.getFirst())) {
            return "field " + name + ", which HTTP/2 does not have";
        }
        boolean isPseudoHeader = name.byteAt(0) == ':'; // Undertow has checked which
        if (!isPseudoHeader && !HeaderNames.isToken(name)) {
            return "field named " + name + ", expected a token";
        }
        for (int v = 0; v < values.size(); v++) {
            String value = values.get(v);
            for (int i = 0; i < value.length(); i++) {
                if (HeadReader.isControl(value.charAt(i))) {
                    return String.format("control character 0x%02X in field %s", (int) value.charAt(i), name);
                }
            }
        }
        return null;
    }

    /** Fields that are not forwarded, but not forbidden in HTTP/2 either. */
    private static boolean isAllowed(HttpString name) {
        return name.length() > 6 && name.toString().regionMatches(true, 0, "proxy-auth", 0, 10)
                || name.toString().equalsIgnoreCase("HTTP2-Settings");
    }

    private static boolean isToken(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) > 255 || !HeaderNames.TOKEN[text.charAt(i)]) {
                return false;
            }
        }
        return !text.isEmpty();
    }

    /** Replaces fields by a plain head for Undertow's HTTP/2. */
    void becomePlain(HeaderMap fields) {
        fields.clear();
        fields.put(Http2Channel.METHOD, method.equals(Methods.HEAD) ? "HEAD" : "GET");
        fields.put(Http2Channel.SCHEME, "http");
        fields.put(Http2Channel.AUTHORITY, "a");
        fields.put(Http2Channel.PATH, "/");
    }

    /** A plain head for Undertow's HTTP/1.1 parser: only what frames the body and says whether the connection stays open. */
    byte[] plain() {
        StringBuilder plain = new StringBuilder("GET / ")
                .append(protocol)
                .append("\r\nHost: a\r\nConnection: ")
                .append(isPersistent() ? "keep-alive" : "close")
                .append("\r\n");
        HeaderValues lengths = headers.get(Headers.CONTENT_LENGTH);
        HeaderValues codings = headers.get(Headers.TRANSFER_ENCODING);
        if (rejection == null && lengths != null && MessageLength.parse(lengths.getFirst()) >= 0) {
            plain.append("Content-Length: ").append(lengths.getFirst()).append("\r\n");
        } else if (rejection == null && codings != null) {
            plain.append("Transfer-Encoding: chunked\r\n");
        }
        return Http1.ascii(plain.append("\r\n").toString());
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
