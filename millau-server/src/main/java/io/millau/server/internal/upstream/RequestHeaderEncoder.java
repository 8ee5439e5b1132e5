package io.millau.server.internal.upstream;

import io.millau.server.internal.http.MessageLength;
import io.millau.server.internal.http2.HeaderBlock;
import io.millau.server.internal.proxy.RequestHead;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Encodes a head that {@link RequestHead} wrote, or trailers, as a header block of HTTP/2 (RFC 9113, 8.3.1). For one thread;
 * holds the block encoded last.
 */
final class RequestHeaderEncoder {

    private static final int AUTHORITY = 1;
    private static final int METHOD = 2;
    private static final int METHOD_GET = 2;
    private static final int METHOD_POST = 3;
    private static final int PATH = 4;
    private static final int SCHEME_HTTP = 6;

    private final HeaderBlock block = new HeaderBlock();
    private byte[] head = new byte[0];
    private int at;
    private boolean headMethod;
    private boolean chunked;
    private long contentLength;

    HeaderBlock block() {
        return block;
    }

    /** Whether the method is HEAD. */
    boolean isHead() {
        return headMethod;
    }

    /** Whether the body comes in chunks. */
    boolean chunked() {
        return chunked;
    }

    /** The length of a body that is not sent in chunks. */
    long contentLength() {
        return contentLength;
    }

    /** Encodes a head; afterwards the buffer's position is after it. */
    void readHead(ByteBuffer from) {
        begin(from, endOfHead(from));
        chunked = false;
        contentLength = 0;
        block.noTable();
        int end = indexOf(' ');
        method(end);
        at = end + 1;
        end = indexOf(' ');
        block.indexed(SCHEME_HTTP);
        indexed(PATH, at, end);
        at = indexOf('\n') + 1;
        fields();
    }

    /** Encodes trailers, which the empty line ends; afterwards the buffer's position is after it. */
    void readTrailers(ByteBuffer from) {
        begin(from, from.remaining());
        fields();
    }

    private void begin(ByteBuffer from, int count) {
        head = new byte[count];
        from.get(head);
        at = 0;
        block.clear();
    }

    private static int endOfHead(ByteBuffer from) {
        for (int i = from.position() + 3; i < from.limit(); i++) {
            if (from.get(i) == '\n' && from.get(i - 2) == '\n') {
                return i + 1 - from.position();
            }
        }
        throw new IllegalStateException("a head is written in one piece");
    }

    private int indexOf(char c) {
        int index = at;
        while (head[index] != c) {
            index++;
        }
        return index;
    }

    private void method(int end) {
        String method = new String(head, at, end - at, StandardCharsets.ISO_8859_1);
        headMethod = method.equals("HEAD");
        switch (method) {
            case "GET" -> block.indexed(METHOD_GET);
            case "POST" -> block.indexed(METHOD_POST);
            default -> indexed(METHOD, at, end);
        }
    }

    private void fields() {
        while (head[at] != '\r') {
            int colon = indexOf(':');
            int end = indexOf('\n') - 1;
            field(new String(head, at, colon - at, StandardCharsets.ISO_8859_1), at, colon, colon + 2, end);
            at = end + 2;
        }
    }

    /** Encodes a field, unless it is specific to a connection or to the framing of HTTP/1.1 (RFC 9113, 8.2.2). */
    private void field(String name, int from, int colon, int valueAt, int end) {
        int valueFrom = Math.min(valueAt, end);
        switch (name.length()) {
            case 4 -> {
                if (name.equalsIgnoreCase("host")) {
                    if (valueFrom < end) {
                        indexed(AUTHORITY, valueFrom, end);
                    }
                    return;
                }
            }
            case 7 -> {
                if (name.equalsIgnoreCase("upgrade")) {
                    return;
                }
            }
            case 10 -> {
                if (name.equalsIgnoreCase("connection")) {
                    return;
                }
            }
            case 14 -> {
                if (name.equalsIgnoreCase("content-length")) {
                    contentLength = MessageLength.parse(head, valueFrom, end);
                }
            }
            case 17 -> {
                if (name.equalsIgnoreCase("transfer-encoding")) {
                    chunked = true;
                    return;
                }
            }
            default -> {}
        }
        block.name(head, from, colon);
        block.string(head, valueFrom, end);
    }

    /** A field whose name is in the static table. */
    private void indexed(int name, int from, int end) {
        block.indexedName(name);
        block.string(head, from, end);
    }
}
