package io.millau.server.internal.http;

import io.millau.server.internal.io.Buffers;
import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import io.undertow.util.StatusCodes;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads the head of a response (RFC 9112, sections 2 to 6) strictly: ambiguous heads are malformed. Holds the head read last,
 * and passes its fields on without those for this connection (RFC 9110, 7.6.1). For one thread.
 */
public final class ResponseHead {

    /** The body's length is not known from the head. */
    public static final long UNTIL_CLOSE = -1;

    public static final long CHUNKED = -2;

    /** The largest head, and as it is read in one piece, the smallest buffer to read into. */
    public static final int MAX_BYTES = Buffers.STREAM_BYTES;

    /** The number of bytes that are searched first; nearly every head is shorter. */
    private static final int USUAL_BYTES = 2048;

    private static final int MAX_FIELDS = 200;
    private static final byte[] START = "HTTP/1.".getBytes(StandardCharsets.US_ASCII);

    private final HeaderNames names = new HeaderNames();
    private final byte[] bytes = new byte[MAX_BYTES];
    private int at;
    private int end;

    // The fields of the head read last: where each line begins, and its parts.
    private final int[] lineAt = new int[MAX_FIELDS + 1];
    private final int[] nameEnd = new int[MAX_FIELDS];
    private final int[] valueAt = new int[MAX_FIELDS];
    private final int[] valueEnd = new int[MAX_FIELDS];
    private final boolean[] forUs = new boolean[MAX_FIELDS];
    private int fields;
    private int fieldsForUs;

    private int status;
    private @Nullable String reason;
    private boolean http11;
    private boolean keepAlive;
    private long length;
    private @Nullable String upgrade;

    /**
     * Reads a head; afterwards the buffer's position is after it.
     *
     * @return false if more bytes are needed; then the buffer is left as it was
     * @throws MalformedResponseException if the head is malformed, even if it is not complete
     */
    public boolean read(ByteBuffer buffer) throws MalformedResponseException {
        boolean complete =
                readFrom(buffer, USUAL_BYTES) || buffer.remaining() > USUAL_BYTES && readFrom(buffer, MAX_BYTES);
        if (complete) {
            interpret();
            buffer.position(buffer.position() + at);
        }
        return complete;
    }

    private boolean readFrom(ByteBuffer buffer, int most) throws MalformedResponseException {
        load(buffer, most);
        return readStatusLine() && readFields() || incomplete();
    }

    private void load(ByteBuffer buffer, int most) {
        end = Math.min(buffer.remaining(), most);
        buffer.get(buffer.position(), bytes, 0, end);
        at = 0;
    }

    private boolean incomplete() throws MalformedResponseException {
        if (end == MAX_BYTES) {
            throw new MalformedResponseException("head of more than " + MAX_BYTES + " bytes");
        }
        return false;
    }

    /**
     * Reads the trailers of a chunked body (RFC 9112, 7.1.2) as {@link #read} does a head, whose fields it thereby forgets.
     */
    boolean readTrailers(ByteBuffer buffer, HeaderMap trailers) throws MalformedResponseException {
        load(buffer, MAX_BYTES);
        if (!readFields()) {
            return incomplete();
        }
        for (int i = 0; i < fields; i++) {
            trailers.add(name(i), value(i));
        }
        Trailers.clean(trailers);
        buffer.position(buffer.position() + at);
        return true;
    }

    /** Copies the fields that are to be passed on. */
    public void copyTo(HeaderMap headers) {
        for (int i = 0; i < fields; i++) {
            if (!forUs[i]) {
                headers.add(name(i), value(i));
            }
        }
    }

    /** Whether the status line has its last blank, which some servers leave out. */
    public boolean isWhole() {
        return bytes[12] == ' ';
    }

    /**
     * Puts the head as it is to be passed on over HTTP/1.1 in front of what the buffer holds, where it was read from, so that
     * it leaves in one piece with the body. Only where {@link #isWhole}.
     *
     * @return its length
     */
    public int putBefore(ByteBuffer buffer) {
        int to = buffer.position();
        bytes[7] = '1';
        if (fieldsForUs == 0) {
            int length = lineAt[fields] + 2;
            buffer.put(to - length + 7, (byte) '1').position(to - length);
            return length;
        }
        int from = to;
        int end = lineAt[fields] + 2;
        for (int i = fields - 1; i >= 0; i--) {
            if (forUs[i]) {
                from = putEndingAt(from, buffer, lineAt[i + 1], end);
                end = lineAt[i];
            }
        }
        from = putEndingAt(from, buffer, 0, end);
        buffer.position(from);
        return to - from;
    }

    private int putEndingAt(int to, ByteBuffer buffer, int from, int end) {
        buffer.put(to - (end - from), bytes, from, end - from);
        return to - (end - from);
    }

    public int status() {
        return status;
    }

    /** The reason phrase; null if it is the usual one. */
    @Nullable
    public String reason() {
        return reason;
    }

    /** Whether the connection can serve another request after this response. */
    public boolean keepAlive() {
        return keepAlive;
    }

    /** The length of the body in bytes, {@link #CHUNKED} or {@link #UNTIL_CLOSE}; meaningless for a response without a body. */
    public long length() {
        return length;
    }

    /** The value of the Upgrade field; null if there is none. */
    @Nullable
    public String upgrade() {
        return upgrade;
    }

    private boolean readStatusLine() throws MalformedResponseException {
        int lineEnd = endOfLine();
        if (lineEnd < 0) {
            checkStart();
            return false;
        }
        checkStart();
        if (lineEnd < 12 || (lineEnd > 12 && bytes[12] != ' ')) {
            throw new MalformedResponseException("status line " + shown(0, lineEnd));
        }
        http11 = bytes[7] == '1';
        status = digit(9) * 100 + digit(10) * 10 + digit(11);
        if (status < 100) {
            throw new MalformedResponseException("status line " + shown(0, lineEnd));
        }
        reason = lineEnd <= 13 ? null : unusual(13, lineEnd);
        at = lineEnd + 2;
        return true;
    }

    /** Detects anything but HTTP/1 by its first bytes, so that it is not mistaken for an incomplete head. */
    private void checkStart() throws MalformedResponseException {
        if (end > 8 && Arrays.equals(bytes, 0, 7, START, 0, 7) && (bytes[7] & ~1) == '0' && bytes[8] == ' ') {
            return;
        }
        for (int i = 0; i < Math.min(end, 9); i++) {
            boolean fits = i == 7 ? bytes[i] == '1' || bytes[i] == '0' : bytes[i] == "HTTP/1.x ".charAt(i);
            if (!fits) {
                throw new MalformedResponseException("no HTTP/1.1: " + shown(0, end));
            }
        }
    }

    private int digit(int index) throws MalformedResponseException {
        int digit = bytes[index] - '0';
        if (digit < 0 || digit > 9) {
            throw new MalformedResponseException("status code " + shown(9, 12));
        }
        return digit;
    }

    private @Nullable String unusual(int from, int to) throws MalformedResponseException {
        String usual = StatusCodes.getReason(status);
        boolean same = usual.length() == to - from;
        for (int i = from; i < to; i++) {
            checkValueByte(i);
            same = same && bytes[i] == usual.charAt(i - from);
        }
        return same ? null : string(from, to);
    }

    /** Reads the fields, and the empty line after them. */
    private boolean readFields() throws MalformedResponseException {
        for (fields = 0; ; fields++) {
            lineAt[fields] = at;
            if (at + 1 < end && bytes[at] == '\r' && bytes[at + 1] == '\n') {
                at += 2;
                return true;
            }
            int lineEnd = endOfLine();
            if (lineEnd < 0) {
                return false;
            }
            if (fields == MAX_FIELDS) {
                throw new MalformedResponseException("more than " + MAX_FIELDS + " header fields");
            }
            readField(lineEnd);
            at = lineEnd + 2;
        }
    }

    private void readField(int lineEnd) throws MalformedResponseException {
        int colon = at;
        while (colon < lineEnd && HeaderNames.TOKEN[bytes[colon] & 0xff]) {
            colon++;
        }
        if (colon == at || colon == lineEnd || bytes[colon] != ':') {
            throw new MalformedResponseException("header line " + shown(at, lineEnd));
        }
        int from = colon + 1;
        while (from < lineEnd && isBlank(bytes[from])) {
            from++;
        }
        int to = lineEnd;
        while (to > from && isBlank(bytes[to - 1])) {
            to--;
        }
        for (int i = from; i < to; i++) {
            checkValueByte(i);
        }
        nameEnd[fields] = colon;
        valueAt[fields] = from;
        valueEnd[fields] = to;
    }

    private void checkValueByte(int index) throws MalformedResponseException {
        byte b = bytes[index];
        if (b >= 0 && b < ' ' && b != '\t' || b == 127) {
            throw new MalformedResponseException("control character in a header");
        }
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }

    /** Where the line's CRLF begins, or -1; a bare LF ends no line here (RFC 9112, 2.2). */
    private int endOfLine() throws MalformedResponseException {
        for (int i = at; i < end; i++) {
            if (bytes[i] == '\n') {
                if (i == at || bytes[i - 1] != '\r') {
                    throw new MalformedResponseException("line that ends without CR");
                }
                return i - 1;
            }
        }
        return -1;
    }

    private void interpret() throws MalformedResponseException {
        keepAlive = http11;
        upgrade = null;
        length = UNTIL_CLOSE;
        fieldsForUs = 0;
        boolean chunked = false;
        boolean options = false;
        for (int i = 0; i < fields; i++) {
            forUs[i] = false;
            switch (nameEnd[i] - lineAt[i]) { // few names have these lengths, so most fields need no comparison
                case 2 -> forUs[i] = is(i, "te");
                case 7 -> upgrade(i);
                case 10 -> options |= connection(i);
                case 14 -> contentLength(i);
                case 16 -> forUs[i] = is(i, "proxy-connection");
                case 17 -> chunked |= transferEncoding(i, chunked);
                case 18 -> forUs[i] = is(i, "proxy-authenticate");
                case 19 -> forUs[i] = is(i, "proxy-authorization");
                default -> {}
            }
        }
        if (chunked) {
            if (length != UNTIL_CLOSE || !http11) {
                throw new MalformedResponseException(
                        "Transfer-Encoding chunked (expected over HTTP/1.1, without Content-Length)");
            }
            length = CHUNKED;
        }
        if (options) {
            markNamedFields();
        }
        for (int i = 0; i < fields; i++) {
            fieldsForUs += forUs[i] ? 1 : 0;
        }
    }

    private boolean is(int field, String lowerCaseName) {
        for (int i = 0; i < lowerCaseName.length(); i++) {
            int b = bytes[lineAt[field] + i];
            if ((b >= 'A' && b <= 'Z' ? b | 0x20 : b) != lowerCaseName.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private void upgrade(int field) {
        if (is(field, "upgrade")) {
            forUs[field] = true;
            if (upgrade == null) {
                upgrade = value(field);
            }
        }
    }

    /** Whether the field names others. */
    private boolean connection(int field) {
        if (!is(field, "connection")) {
            forUs[field] = is(field, "keep-alive");
            return false;
        }
        forUs[field] = true;
        String options = value(field);
        if (options.equalsIgnoreCase("keep-alive")) {
            return false;
        }
        keepAlive &= !HopByHop.hasToken(options, "close");
        return !options.equalsIgnoreCase("close");
    }

    private void contentLength(int field) throws MalformedResponseException {
        if (!is(field, "content-length")) {
            forUs[field] = is(field, "http2-settings");
            return;
        }
        long number = MessageLength.parse(bytes, valueAt[field], valueEnd[field]);
        if (number < 0) {
            throw new MalformedResponseException("Content-Length " + value(field));
        }
        if (length != UNTIL_CLOSE && length != number) {
            throw new MalformedResponseException("contradicting Content-Length fields");
        }
        forUs[field] = length != UNTIL_CLOSE; // the same value again is dropped
        length = number;
    }

    private boolean transferEncoding(int field, boolean chunkedBefore) throws MalformedResponseException {
        if (!is(field, "transfer-encoding")) {
            return false;
        }
        String value = value(field);
        if (chunkedBefore || !value.equalsIgnoreCase("chunked")) {
            throw new MalformedResponseException("Transfer-Encoding " + value + " (expected chunked alone, once)");
        }
        forUs[field] = true;
        return true;
    }

    private void markNamedFields() {
        for (int i = 0; i < fields; i++) {
            if (nameEnd[i] - lineAt[i] == 10 && is(i, "connection")) {
                String options = value(i);
                for (int other = 0; other < fields; other++) {
                    forUs[other] |= HopByHop.isNamed(options, name(other));
                }
            }
        }
    }

    private HttpString name(int field) {
        return names.get(bytes, lineAt[field], nameEnd[field] - lineAt[field]);
    }

    private String value(int field) {
        return string(valueAt[field], valueEnd[field]);
    }

    private String string(int from, int to) {
        return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
    }

    private String shown(int from, int to) {
        // Only the name is shown: the value may be a cookie.
        String line = string(from, Math.min(to, from + 80)).replaceAll("[^ -~]", "?");
        return "“" + line.replaceFirst("[: ].*", "…") + "”";
    }
}
