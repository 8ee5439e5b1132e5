package io.millau.server;

import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.ServerConnection;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import io.undertow.util.Protocols;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Reads what most clients send most of the time: the whole head of a GET or HEAD without a body, in the origin form, with
 * nothing in it that could be read in two ways (RFC 9112, sections 3 and 5). Whatever else comes is left alone for Undertow,
 * whose parser takes or refuses it; nothing is taken here that it would refuse, or read differently. For one thread.
 */
final class PlainRequests {

    private static final int MAX_BYTES = 8 * 1024;
    private static final int MAX_FIELDS = 100;

    private static final byte[] GET = ascii("GET /");
    private static final byte[] HEAD = ascii("HEAD /");
    private static final byte[] VERSION = ascii(" HTTP/1.1\r\n");
    private static final HttpString HTTP2_SETTINGS = new HttpString("HTTP2-Settings");

    private static final boolean[] PATH = HeaderNames.characters("-._~!$&'()*+,=:@/");
    private static final boolean[] QUERY = HeaderNames.characters("-._~!$&'()*+,=:@/?;");
    private static final boolean[] HOST = HeaderNames.characters("-._");
    private static final boolean[] VALUE = new boolean[256];

    static {
        for (int c = ' '; c < 127; c++) {
            VALUE[c] = true;
        }
    }

    private final HeaderNames names = new HeaderNames();
    private final byte[] bytes = new byte[MAX_BYTES + VERSION.length];
    private int at;

    /**
     * The request that the buffer holds, ready for a handler.
     *
     * @return null if it holds anything else, a part of a request or more than one for instance; the buffer is as it was
     */
    @Nullable
    HttpServerExchange read(ByteBuffer buffer, ServerConnection connection) {
        int end = buffer.remaining();
        if (end > MAX_BYTES || end < GET.length + VERSION.length + 2) {
            return null;
        }
        buffer.get(buffer.position(), bytes, 0, end);
        // The blank line ends the input, so that no scan below needs to look where it is.
        if (bytes[end - 4] != '\r' || bytes[end - 3] != '\n' || bytes[end - 2] != '\r' || bytes[end - 1] != '\n') {
            return null;
        }
        boolean get = startsWith(GET, 0);
        if (!get && !startsWith(HEAD, 0)) {
            return null;
        }
        int pathAt = get ? 4 : 5;
        int pathEnd = scan(PATH, pathAt);
        int targetEnd = bytes[pathEnd] == '?' ? endOfQuery(pathEnd + 1) : pathEnd;
        if (!startsWith(VERSION, targetEnd)) {
            return null;
        }
        at = targetEnd + VERSION.length;
        HeaderMap headers = readFields(end);
        if (headers == null) {
            return null;
        }
        String path = text(pathAt, pathEnd);
        HttpServerExchange exchange = new HttpServerExchange(connection, headers, new HeaderMap(), -1);
        exchange.setRequestMethod(get ? Methods.GET : Methods.HEAD);
        exchange.setProtocol(Protocols.HTTP_1_1);
        exchange.setRequestURI(path);
        exchange.setRequestPath(path);
        exchange.setRelativePath(path);
        exchange.setQueryString(targetEnd > pathEnd ? text(pathEnd + 1, targetEnd) : "");
        exchange.setPersistent(true);
        Connectors.terminateRequest(exchange);
        return exchange;
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

    private @Nullable HeaderMap readFields(int end) {
        HeaderMap headers = new HeaderMap();
        boolean host = false;
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
            }
            String value = text(valueAt, valueEnd);
            if (needsSecondLook(name, value, headers)) {
                return null;
            }
            headers.add(name, value);
        }
        return host && at == end - 2 ? headers : null;
    }

    /** A name with or without a port; an address in brackets is none. */
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

    /** What frames a body, asks for something else than an answer, or that Undertow puts together. */
    private static boolean needsSecondLook(HttpString name, String value, HeaderMap before) {
        return switch (name.length()) {
            case 6 -> name.equals(Headers.EXPECT) || name.equals(Headers.COOKIE) && before.contains(name);
            case 7 -> name.equals(Headers.UPGRADE);
            case 10 -> name.equals(Headers.CONNECTION) && !value.equalsIgnoreCase("keep-alive");
            case 14 -> name.equals(Headers.CONTENT_LENGTH) || name.equals(HTTP2_SETTINGS);
            case 17 -> name.equals(Headers.TRANSFER_ENCODING);
            default -> false;
        };
    }

    /** Where the first byte that is none of these is. */
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

    @SuppressWarnings("deprecation") // the one way to make a string of bytes without a look at each
    private String text(int from, int to) {
        return new String(bytes, 0, from, to - from);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
