package io.millau.server.internal.upstream;

import io.millau.server.internal.http.MessageLength;
import io.millau.server.internal.proxy.RequestHead;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Encodes a head that {@link RequestHead} wrote, or trailers, as a header block of HTTP/2 (RFC 9113, 8.3.1). For one thread;
 * holds the block encoded last.
 *
 * <p>Every field is sent as a literal (RFC 7541, 6.2.2): on the short way to an endpoint a dynamic table saves little.
 */
final class RequestHeaderEncoder {

    /** Sets the size of the dynamic table to 0 (RFC 7541, 6.3). */
    private static final int NO_TABLE = 0x20;

    private static final int AUTHORITY = 1;
    private static final int METHOD = 2;
    private static final int METHOD_GET = 0x82;
    private static final int METHOD_POST = 0x83;
    private static final int PATH = 4;
    private static final int SCHEME_HTTP = 0x86;

    /** The overhead of each field, in bytes (RFC 7541, 4.1). */
    private static final int FIELD_OVERHEAD = 32;

    private byte[] bytes = new byte[4096];
    private int length;
    private byte[] head = new byte[0];
    private int at;
    private long listBytes;
    private boolean headMethod;
    private boolean chunked;
    private long contentLength;

    byte[] bytes() {
        return bytes;
    }

    int length() {
        return length;
    }

    /** The size of the header list, which the endpoint limits (RFC 9113, 6.5.2). */
    long listBytes() {
        return listBytes;
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
        literal(NO_TABLE);
        int end = indexOf(' ');
        method(end);
        at = end + 1;
        end = indexOf(' ');
        literal(SCHEME_HTTP);
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
        length = 0;
        listBytes = 0;
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
            case "GET" -> literal(METHOD_GET);
            case "POST" -> literal(METHOD_POST);
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
        literal(0);
        lowerCase(from, colon);
        string(valueFrom, end);
        listBytes += FIELD_OVERHEAD + colon - from;
    }

    /** A field whose name is in the static table. */
    private void indexed(int name, int from, int end) {
        literal(name);
        string(from, end);
        listBytes += FIELD_OVERHEAD;
    }

    private void lowerCase(int from, int end) {
        int start = string(from, end);
        for (int i = start; i < length; i++) {
            if (bytes[i] >= 'A' && bytes[i] <= 'Z') {
                bytes[i] |= 0x20;
            }
        }
    }

    /** Appends a string with its length; returns the index where its bytes begin. */
    private int string(int from, int end) {
        integer(end - from);
        room(end - from);
        System.arraycopy(head, from, bytes, length, end - from);
        int start = length;
        length += end - from;
        listBytes += end - from;
        return start;
    }

    /** Appends an integer with a prefix of seven bits (RFC 7541, 5.1). */
    private void integer(int value) {
        if (value < 127) {
            literal(value);
            return;
        }
        literal(127);
        int rest = value - 127;
        for (; rest >= 128; rest >>= 7) {
            literal(rest & 127 | 128);
        }
        literal(rest);
    }

    private void literal(int b) {
        room(1);
        bytes[length++] = (byte) b;
    }

    private void room(int more) {
        if (bytes.length - length < more) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + more));
        }
    }
}
