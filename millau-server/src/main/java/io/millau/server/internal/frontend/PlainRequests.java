package io.millau.server.internal.frontend;

import io.millau.server.internal.http.HeaderNames;
import io.millau.server.internal.http.HopByHop;
import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http.MessageLength;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.ServerConnection;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import io.undertow.util.Protocols;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads the most common requests: a whole head in origin form, without a body or with a body of known length, and without
 * anything ambiguous (RFC 9112, sections 3 and 5). All other requests are left to {@link HeadReader}, which is slower. No request
 * is accepted here that it would reject or understand differently. For one thread.
 */
final class PlainRequests {

    private static final int MAX_BYTES = 8 * 1024;
    private static final int MAX_FIELDS = 100;

    private static final HttpString[] METHODS = {
        Methods.GET, Methods.POST, Methods.HEAD, Methods.PUT, Methods.PATCH, Methods.DELETE, Methods.OPTIONS
    };
    private static final byte[][] STARTS =
            Stream.of(METHODS).map(method -> Http1.ascii(method + " /")).toArray(byte[][]::new);
    private static final byte[] VERSION = Http1.ascii(" HTTP/1.1\r\n");

    private static final boolean[] PATH = HeaderNames.characters("-._~!$&'()*+,=:@/");
    private static final boolean[] QUERY = HeaderNames.characters("-._~!$&'()*+,=:@/?;");
    private static final boolean[] HOST = HeaderNames.characters("-._");
    private static final boolean[] VALUE = new boolean[256];

    static {
        for (int c = ' '; c < 127; c++) {
            VALUE[c] = true;
        }
    }

    private static final ThreadLocal<PlainRequests> OF_THREAD = ThreadLocal.withInitial(PlainRequests::new);

    private final HeaderNames names = new HeaderNames();

    /** The input, followed by zeros, at which every scan ends. */
    private final byte[] bytes = new byte[MAX_BYTES + VERSION.length];

    private int at;
    private long length;

    /** The instance that the connections of the calling thread share. */
    static PlainRequests ofThread() {
        return OF_THREAD.get();
    }

    /** The names of fields that this thread has seen. */
    HeaderNames names() {
        return names;
    }

    /**
     * Reads the head at the beginning of the buffer. Afterwards the buffer's position is after the head.
     *
     * @return an exchange whose body is not set up yet; null if the buffer holds anything else, a part of a head or more than
     *     one request for instance; the buffer is not changed then
     */
    @Nullable
    HttpServerExchange read(ByteBuffer buffer, ServerConnection connection) {
        int end = Math.min(buffer.remaining(), MAX_BYTES);
        buffer.get(buffer.position(), bytes, 0, end);
        Arrays.fill(bytes, end, end + VERSION.length, (byte) 0);
        HttpString method = readMethod();
        if (method == null) {
            return null;
        }
        int pathAt = at;
        int pathEnd = scan(PATH, pathAt);
        int targetEnd = bytes[pathEnd] == '?' ? endOfQuery(pathEnd + 1) : pathEnd;
        if (!startsWith(VERSION, targetEnd)) {
            return null;
        }
        at = targetEnd + VERSION.length;
        HeaderMap headers = readFields();
        if (headers == null || length <= 0 && at < buffer.remaining()) {
            return null;
        }
        buffer.position(buffer.position() + at);
        HttpServerExchange exchange = new HttpServerExchange(connection, headers, new HeaderMap(), -1);
        exchange.setRequestMethod(method);
        exchange.setProtocol(Protocols.HTTP_1_1);
        if (targetEnd == pathEnd + 1) {
            RequestTarget.set(exchange, text(pathAt, targetEnd));
        } else {
            String query = targetEnd > pathEnd ? text(pathEnd + 1, targetEnd) : "";
            RequestTarget.set(exchange, text(pathAt, pathEnd), query);
        }
        exchange.setPersistent(true);
        return exchange;
    }

    /** The length of the body of the request read last, in bytes; 0 for none. */
    long length() {
        return Math.max(length, 0);
    }

    /** The length of the head of that request, in bytes. */
    int headLength() {
        return at;
    }

    private @Nullable HttpString readMethod() {
        for (int i = 0; i < METHODS.length; i++) {
            if (startsWith(STARTS[i], 0)) {
                at = STARTS[i].length - 1;
                return METHODS[i];
            }
        }
        return null;
    }

    private int endOfQuery(int from) {
        int i = from;
        while (true) {
            i = scan(QUERY, i);
            if (bytes[i] != '%' || Character.digit(bytes[i + 1], 16) < 0 || Character.digit(bytes[i + 2], 16) < 0) {
                return i;
            }
            i += 3;
        }
    }

    private @Nullable HeaderMap readFields() {
        HeaderMap headers = new HeaderMap();
        boolean host = false;
        length = -1;
        for (int fields = 0; bytes[at] != '\r'; fields++) {
            int nameEnd = scan(HeaderNames.TOKEN, at);
            if (nameEnd == at || bytes[nameEnd] != ':' || fields == MAX_FIELDS) {
                return null;
            }
            HttpString name = names.get(bytes, at, nameEnd - at);
            int valueAt = nameEnd + 1;
            while (bytes[valueAt] == ' ') {
                valueAt++;
            }
            int lineEnd = scan(VALUE, valueAt);
            if (bytes[lineEnd] != '\r' || bytes[lineEnd + 1] != '\n') {
                return null;
            }
            int valueEnd = lineEnd;
            while (valueEnd > valueAt && bytes[valueEnd - 1] == ' ') {
                valueEnd--;
            }
            at = lineEnd + 2;
            if (name.equals(Headers.HOST)) {
                if (host || !isName(valueAt, valueEnd)) {
                    return null;
                }
                host = true;
            } else if (name.equals(Headers.CONTENT_LENGTH)) {
                long number = MessageLength.parse(bytes, valueAt, valueEnd);
                if (length >= 0 || number < 0) {
                    return null;
                }
                length = number;
            }
            String value = text(valueAt, valueEnd);
            if (isSpecial(name, value, headers)) {
                return null;
            }
            headers.add(name, value);
        }
        at += 2;
        return host && bytes[at - 1] == '\n' ? headers : null;
    }

    /** Whether these bytes are a host name, with or without a port; false for an IPv6 address in brackets. */
    private boolean isName(int from, int to) {
        int nameEnd = scan(HOST, from);
        if (nameEnd == from || nameEnd == to) {
            return nameEnd > from;
        }
        int port = 0;
        for (int i = nameEnd + 1; i < to; i++) {
            int digit = bytes[i] - '0';
            if (digit < 0 || digit > 9 || i > nameEnd + 5) {
                return false;
            }
            port = port * 10 + digit;
        }
        return bytes[nameEnd] == ':' && port > 0 && port <= 65_535;
    }

    /**
     * Whether a request with this field is not plain: other framing of the body, Expect, an upgrade, connection options, or a
     * second Cookie.
     */
    private static boolean isSpecial(HttpString name, String value, HeaderMap before) {
        return switch (name.length()) {
            case 6 -> name.equals(Headers.EXPECT) || name.equals(Headers.COOKIE) && before.contains(name);
            case 7 -> name.equals(Headers.UPGRADE);
            case 10 -> name.equals(Headers.CONNECTION) && !value.equalsIgnoreCase("keep-alive");
            case 14 -> name.equals(HopByHop.HTTP2_SETTINGS);
            case 17 -> name.equals(Headers.TRANSFER_ENCODING);
            default -> false;
        };
    }

    /** The index of the first byte that is none of these characters. */
    private int scan(boolean[] these, int from) {
        int i = from;
        while (these[bytes[i] & 0xff]) {
            i++;
        }
        return i;
    }

    private boolean startsWith(byte[] what, int from) {
        for (int i = 0; i < what.length; i++) {
            if (bytes[from + i] != what[i]) {
                return false;
            }
        }
        return true;
    }

    @SuppressWarnings("deprecation") // the only way to make a string from Latin-1 bytes without decoding
    private String text(int from, int to) {
        return new String(bytes, 0, from, to - from);
    }
}
