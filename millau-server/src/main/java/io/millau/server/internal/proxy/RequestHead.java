package io.millau.server.internal.proxy;

import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.frontend.Forwarding;
import io.millau.server.internal.frontend.RequestChanges;
import io.millau.server.internal.frontend.RequestId;
import io.millau.server.internal.http.Authority;
import io.millau.server.internal.http.HopByHop;
import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http.OwnFields;
import io.millau.server.internal.io.Buffers;
import io.millau.server.internal.tls.ClientIdentity;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes the head of a request for the endpoint: the client's head without the fields that concern only the connection to this
 * proxy (RFC 9110, 7.6.1), and with fields that describe the client. For one thread; holds the head written last.
 */
public final class RequestHead {

    private static final byte[] VERSION = Http1.ascii(" HTTP/1.1\r\n");
    private static final byte[] X_FORWARDED_FOR = Http1.ascii("X-Forwarded-For: ");
    private static final byte[] X_REAL_IP = Http1.ascii("\r\nX-Real-IP: ");
    private static final byte[] X_FORWARDED_PROTO = Http1.ascii("\r\nX-Forwarded-Proto: ");
    private static final byte[] X_FORWARDED_HOST = Http1.ascii("\r\nX-Forwarded-Host: ");
    private static final byte[] X_FORWARDED_PORT = Http1.ascii("\r\nX-Forwarded-Port: ");
    private static final byte[] FORWARDED = Http1.ascii("\r\nForwarded: ");
    private static final byte[] HTTP_PORT = Http1.ascii("80");
    private static final byte[] HTTPS_PORT = Http1.ascii("443");
    private static final byte[] VIA = Http1.ascii("\r\nVia: 1.1 millau\r\n");
    private static final byte[] REQUEST_ID = Http1.ascii("X-Request-Id: ");
    private static final byte[] HOST = Http1.ascii("Host: ");
    private static final byte[] CHUNKED = Http1.ascii("Transfer-Encoding: chunked\r\n");
    private static final byte[] TE_TRAILERS = Http1.ascii("TE: trailers\r\nConnection: TE\r\n");
    private static final byte[] UPGRADE = Http1.ascii("Connection: Upgrade\r\nUpgrade: ");
    private static final byte[] CRLF = Http1.ascii("\r\n");

    private final byte[] bytes = new byte[Buffers.STREAM_BYTES];
    private int at;

    /** Thrown when a head can't be forwarded: it is too large, or has characters that would change its meaning. */
    static final class UnfitException extends Exception {
        private static final long serialVersionUID = 1;

        UnfitException(String message) {
            super(message, null, false, false);
        }
    }

    byte[] bytes() {
        return bytes;
    }

    int length() {
        return at;
    }

    /**
     * Writes the head.
     *
     * @param chunked whether the body is sent in chunks, since its length is not known
     * @param upgrade the protocol to upgrade to; null for none
     */
    void write(Downstream client, boolean chunked, @Nullable String upgrade) throws UnfitException {
        HttpServerExchange exchange = client.exchange;
        at = 0;
        RequestChanges changes = client.changes();
        HeaderMap headers = exchange.getRequestHeaders();
        String host = headers.getFirst(Headers.HOST);
        put(exchange.getRequestMethod());
        put((byte) ' ');
        target(exchange, changes);
        put(VERSION);
        put(HOST);
        value(changes != null && changes.host() != null ? changes.host() : host == null ? "" : host);
        put(CRLF);
        fields(headers, headers.get(Headers.CONNECTION), chunked, changes);
        if (changes != null) {
            changed(changes);
        }
        Forwarding forwarding = client.forwarding();
        put(X_FORWARDED_FOR);
        value(forwarding == null ? client.address() : forwarding.addresses());
        put(X_REAL_IP);
        value(client.address());
        put(X_FORWARDED_PROTO);
        value(exchange.getRequestScheme());
        String asked = forwarding == null || forwarding.host() == null ? host : forwarding.host();
        if (asked != null) {
            put(X_FORWARDED_HOST);
            value(asked);
        }
        put(X_FORWARDED_PORT);
        port(forwarding == null ? null : forwarding.port(), asked, exchange.getRequestScheme());
        if (forwarding != null && forwarding.field() != null) {
            put(FORWARDED);
            value(forwarding.field());
        }
        put(VIA);
        put(REQUEST_ID);
        id(client.requestId());
        put(CRLF);
        ClientIdentity proved = Downstream.provedBy(exchange);
        if (proved != null) {
            put(proved.fields());
        }
        if (chunked) {
            put(CHUNKED);
        }
        if (upgrade != null) {
            put(UPGRADE);
            value(upgrade);
            put(CRLF);
        } else if (Http1.wantsTrailers(headers.get(Headers.TE))) {
            put(TE_TRAILERS);
        }
        put(CRLF);
    }

    private void target(HttpServerExchange exchange, @Nullable RequestChanges changes) throws UnfitException {
        int start = at;
        if (changes == null || changes.path() == null && changes.query() == null) {
            latin1(exchange.getRequestURI());
            query(exchange.getQueryString());
        } else {
            latin1(changes.path() == null ? exchange.getRequestPath() : changes.path());
            query(changes.query() == null ? exchange.getQueryString() : changes.query());
        }
        for (int i = start; i < at; i++) {
            if (bytes[i] >= 0 && bytes[i] <= ' ' || bytes[i] == 127) {
                throw new UnfitException("control character or blank in the request target");
            }
        }
    }

    private void query(String query) throws UnfitException {
        if (!query.isEmpty()) {
            put((byte) '?');
            latin1(query);
        }
    }

    private void fields(
            HeaderMap headers, @Nullable HeaderValues connection, boolean chunked, @Nullable RequestChanges changes)
            throws UnfitException {
        for (long i = headers.fastIterateNonEmpty(); i != -1L; i = headers.fiNextNonEmpty(i)) {
            HeaderValues values = headers.fiCurrent(i);
            HttpString name = values.getHeaderName();
            if (isReplaced(name)
                    || HopByHop.contains(name)
                    || HopByHop.isNamed(connection, name)
                    || chunked && name.equals(Headers.CONTENT_LENGTH)
                    || changes != null && changes.replaces(name)) {
                continue;
            }
            for (int v = 0; v < values.size(); v++) {
                field(name, values.get(v));
            }
        }
    }

    /** Writes the fields as filters changed them. */
    private void changed(RequestChanges changes) throws UnfitException {
        for (Map.Entry<HttpString, List<String>> field : changes.fields().entrySet()) {
            for (String value : field.getValue()) {
                field(field.getKey(), value);
            }
        }
    }

    private static boolean isReplaced(HttpString name) {
        return name.equals(Headers.HOST) || OwnFields.contains(name);
    }

    private void field(HttpString name, String value) throws UnfitException {
        put(name);
        put((byte) ':');
        put((byte) ' ');
        value(value);
        put(CRLF);
    }

    private void port(@Nullable String said, @Nullable String host, String scheme) throws UnfitException {
        String port = said != null || host == null ? said : Authority.port(host);
        if (port != null) {
            value(port);
        } else {
            put(scheme.equals("https") ? HTTPS_PORT : HTTP_PORT);
        }
    }

    private void value(String value) throws UnfitException {
        int start = at;
        latin1(value);
        for (int i = start; i < at; i++) {
            byte b = bytes[i];
            if (b >= 0 && b < ' ' && b != '\t' || b == 127) {
                throw new UnfitException("control character in a header");
            }
        }
    }

    @SuppressWarnings("deprecation") // the only way to copy a string's characters as bytes without another array
    private void latin1(String value) throws UnfitException {
        int length = value.length();
        room(length);
        value.getBytes(0, length, bytes, at);
        at += length;
    }

    private void id(RequestId id) throws UnfitException {
        room(id.length());
        id.copyTo(bytes, at);
        at += id.length();
    }

    private void put(HttpString name) throws UnfitException {
        int length = name.length();
        room(length);
        name.copyTo(bytes, at);
        at += length;
    }

    private void put(byte[] ascii) throws UnfitException {
        room(ascii.length);
        System.arraycopy(ascii, 0, bytes, at, ascii.length);
        at += ascii.length;
    }

    private void put(byte b) throws UnfitException {
        room(1);
        bytes[at++] = b;
    }

    private void room(int length) throws UnfitException {
        if (bytes.length - at < length + RequestBody.FRAMING_BYTES) {
            throw new UnfitException("head of more than " + bytes.length + " bytes");
        }
    }
}
