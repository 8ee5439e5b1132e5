package io.millau.server.internal.upstream;

import io.millau.server.internal.http.HeaderNames;
import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http.MessageLength;
import io.millau.server.internal.http.ResponseHead;
import io.millau.server.internal.http2.HeaderBlockReader;
import io.millau.server.internal.http2.Http2;
import io.undertow.util.HttpString;
import io.undertow.util.StatusCodes;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads the header blocks of an HTTP/2 connection (RFC 9113, 8.3.2), and writes them as HTTP/1.1 for {@link ResponseHead}. Each
 * connection has its own, since the meaning of a block depends on earlier ones; holds the block read last. For one thread.
 */
final class ResponseHeaderDecoder {

    private static final byte[] CLOSE = Http1.ascii("Connection: close\r\n");
    private static final byte[] CHUNKED = Http1.ascii("Transfer-Encoding: chunked\r\n");
    private static final byte[] NO_BODY = Http1.ascii("Content-Length: 0\r\n");
    private static final byte[] CRLF = Http1.ascii("\r\n");

    /** The room for the status line and for the lines above. */
    private static final int ROOM_BYTES = 1024;

    private final HeaderBlockReader reader = new HeaderBlockReader(this::field);
    private byte[] fields = new byte[1024];
    private int length;
    private int status;
    private long contentLength;
    private @Nullable String violation;

    /**
     * Reads a whole block.
     *
     * @throws Http2.ConnectionException if it can't be read; then no later block can be read either
     */
    void read(ByteBuffer block) throws Http2.ConnectionException {
        length = 0;
        status = 0;
        contentLength = -1;
        violation = null;
        reader.read(block);
    }

    /** Describes why the block is not a valid head of a response, or not valid trailers; null if it is valid. */
    @Nullable
    String violation(boolean trailers) {
        if (violation == null && trailers == status > 0) {
            return trailers ? ":status in trailers" : "head without :status";
        }
        return violation;
    }

    int status() {
        return status;
    }

    /** The value of Content-Length; -1 if there is none. */
    long contentLength() {
        return contentLength;
    }

    /** The block as the head of an interim response. */
    byte[] interim() {
        return join(statusLine(), fields(), CRLF);
    }

    /**
     * The block as the head of a response with {@code Connection: close}, since a stream serves only one request.
     *
     * @param hasBody whether the request's method and the status allow a body
     * @param ended whether the response ends with this block
     */
    byte[] head(boolean hasBody, boolean ended) {
        byte[] framing = {};
        if (hasBody && contentLength < 0) {
            framing = ended ? NO_BODY : CHUNKED;
        }
        return join(statusLine(), CLOSE, fields(), framing, CRLF);
    }

    /** The block as the trailers of a chunked body. */
    byte[] trailers() {
        return join(fields(), CRLF);
    }

    private byte[] statusLine() {
        return Http1.ascii("HTTP/1.1 " + status + " " + StatusCodes.getReason(status) + "\r\n");
    }

    private byte[] fields() {
        return Arrays.copyOf(fields, length);
    }

    static byte[] join(byte[]... parts) {
        int total = 0;
        for (byte[] part : parts) {
            total += part.length;
        }
        ByteBuffer joined = ByteBuffer.allocate(total);
        for (byte[] part : parts) {
            joined.put(part);
        }
        return joined.array();
    }

    /** Called for each field. After a violation the reader continues, since its table needs every field. */
    private void field(HttpString name, String value) {
        if (violation != null) {
            return;
        }
        boolean pseudoHeader = name.length() > 0 && name.byteAt(0) == ':';
        violation = pseudoHeader ? status(name, value) : check(name, value);
        if (violation == null && !pseudoHeader) {
            line(name, value);
        }
    }

    private @Nullable String status(HttpString name, String value) {
        if (!name.toString().equals(":status") || status > 0 || length > 0) {
            return "field " + shown(name) + " (expected :status, once and first)";
        }
        if (!value.matches("[1-9][0-9]{2}")) {
            return ":status " + shown(value) + " (expected three digits)";
        }
        status = Integer.parseInt(value);
        return null;
    }

    /** Checks a field. In HTTP/2 a value can contain a line end. Over HTTP/1.1 it would become another field or message. */
    private @Nullable String check(HttpString name, String value) {
        if (!HeaderNames.isLowerCase(name)) {
            return "field named " + shown(name);
        }
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < ' ' && c != '\t' || c == 127) {
                return "control character in a header";
            }
        }
        return switch (name.toString()) {
            case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade" ->
                "field " + name + ", which HTTP/2 does not have";
            case "content-length" -> checkLength(value);
            default -> null;
        };
    }

    private @Nullable String checkLength(String value) {
        long number = MessageLength.parse(value);
        if (number < 0 || contentLength >= 0 && contentLength != number) {
            return "Content-Length " + shown(value) + " (expected one number)";
        }
        contentLength = number;
        return null;
    }

    private void line(HttpString name, String value) {
        int more = name.length() + value.length() + 4;
        if (length + more > ResponseHead.MAX_BYTES - ROOM_BYTES) {
            violation = "head of more than " + (ResponseHead.MAX_BYTES - ROOM_BYTES) + " bytes";
            return;
        }
        if (fields.length - length < more) {
            fields = Arrays.copyOf(fields, Math.max(2 * fields.length, length + more));
        }
        name.copyTo(fields, length);
        length += name.length();
        fields[length++] = ':';
        fields[length++] = ' ';
        byte[] bytes = value.getBytes(StandardCharsets.ISO_8859_1);
        System.arraycopy(bytes, 0, fields, length, bytes.length);
        length += bytes.length;
        fields[length++] = '\r';
        fields[length++] = '\n';
    }

    private static String shown(Object text) {
        String printable = text.toString().replaceAll("[^ -~]", "?");
        return "“" + printable.substring(0, Math.min(80, printable.length())) + "”";
    }
}
