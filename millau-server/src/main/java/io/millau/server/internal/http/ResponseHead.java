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
 * Reads the head of a response (RFC 9112, sections 2 to 6). What can be understood in one way only is read as other proxies read
 * it, and mended: lines that end with a line feed alone, folded values, control characters. An ambiguous head is malformed. Holds
 * the head read last, and passes its fields on without those for this connection (RFC 9110, 7.6.1). For one thread.
 */
public final class ResponseHead {

    /** The body's length is not known from the head. */
    public static final long UNTIL_CLOSE = -1;

    public static final long CHUNKED = -2;

    /** The endpoint does not say how long it keeps the connection. */
    public static final long UNKNOWN = -1;

    /** The largest head, and as it is read in one piece, the smallest buffer to read into. */
    public static final int MAX_BYTES = Buffers.STREAM_BYTES;

    /** The number of bytes that are searched first; nearly every head is shorter. */
    private static final int USUAL_BYTES = 2048;

    private static final int MAX_FIELDS = 200;

    private final HeaderNames names = new HeaderNames();
    private final byte[] bytes = new byte[MAX_BYTES];
    private int at;
    private int end;

    /** The number of bytes of empty lines before the head. */
    private int skipped;

    /** Where the line after the one found last begins. */
    private int nextLine;

    /** Whether the head is to be passed on in another way than it came. */
    private boolean mended;

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
    private long keepAliveSeconds;
    private long length;
    private @Nullable String upgrade;

    /**
     * Reads a head; afterwards the buffer's position is after it.
     *
     * @return false if more bytes are needed; then the buffer is left as it was
     * @throws MalformedResponseException if the head is malformed, even if it is not complete
     */
    public boolean read(ByteBuffer buffer) throws MalformedResponseException {
        skipped = emptyLines(buffer);
        boolean complete =
                readFrom(buffer, USUAL_BYTES) || buffer.remaining() > USUAL_BYTES && readFrom(buffer, MAX_BYTES);
        if (complete) {
            interpret();
            buffer.position(buffer.position() + skipped + at);
        }
        return complete;
    }

    /** The number of bytes of the empty lines that some endpoints send first. */
    private static int emptyLines(ByteBuffer buffer) {
        int index = buffer.position();
        while (index < buffer.limit() && isLineEnd(buffer, index)) {
            index++;
        }
        return index - buffer.position();
    }

    private static boolean isLineEnd(ByteBuffer buffer, int index) {
        byte b = buffer.get(index);
        return b == '\n' || b == '\r' && (index + 1 == buffer.limit() || buffer.get(index + 1) == '\n');
    }

    private boolean readFrom(ByteBuffer buffer, int most) throws MalformedResponseException {
        load(buffer, most);
        return readStatusLine() && readFields() || incomplete();
    }

    private void load(ByteBuffer buffer, int most) {
        end = Math.min(buffer.remaining() - skipped, most);
        buffer.get(buffer.position() + skipped, bytes, 0, end);
        at = 0;
        mended = skipped > 0;
    }

    private boolean incomplete() throws MalformedResponseException {
        if (skipped + end >= MAX_BYTES) {
            throw new MalformedResponseException("head of more than " + MAX_BYTES + " bytes");
        }
        return false;
    }

    /**
     * Reads the trailers of a chunked body (RFC 9112, 7.1.2) as {@link #read} does a head, whose fields it thereby forgets.
     */
    boolean readTrailers(ByteBuffer buffer, HeaderMap trailers) throws MalformedResponseException {
        skipped = 0;
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

    /** Whether the head can be passed on as it came; its status line must have its last blank, which some servers leave out. */
    public boolean isWhole() {
        return !mended && bytes[12] == ' ';
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

    /** How long the endpoint keeps the idle connection, in seconds; {@link #UNKNOWN} if it does not say. */
    public long keepAliveSeconds() {
        return keepAliveSeconds;
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
        int lineEnd = endOfLine(at);
        checkStart();
        if (lineEnd < 0) {
            return false;
        }
        int code = 9;
        while (code < lineEnd && isBlank(bytes[code])) {
            code++;
        }
        int codeEnd = code + 3;
        boolean ends = lineEnd == codeEnd || lineEnd > codeEnd && isBlank(bytes[codeEnd]);
        status = ends ? statusAt(code) : 0;
        if (status < 100) {
            throw new MalformedResponseException(
                    "status line “" + printable(0, lineEnd) + "” (expected a status from 100 to 999)");
        }
        http11 = bytes[5] != '1' || bytes[7] != '0'; // RFC 9110, 2.5: a higher version is read like 1.1
        mended |= bytes[5] != '1' || bytes[7] > '1' || bytes[8] != ' ' || code > 9 || bytes[codeEnd] == '\t';
        reason = lineEnd <= codeEnd + 1 ? null : unusual(codeEnd + 1, lineEnd);
        at = nextLine;
        return true;
    }

    /** Detects anything but HTTP by its first bytes, so that it is not mistaken for an incomplete head. */
    private void checkStart() throws MalformedResponseException {
        for (int i = 0; i < Math.min(end, 9); i++) {
            byte b = bytes[i];
            boolean fits = switch (i) {
                case 5 -> b >= '1' && b <= '9';
                case 7 -> b >= '0' && b <= '9';
                case 8 -> isBlank(b);
                default -> b == "HTTP/1.1".charAt(i);
            };
            if (!fits) {
                throw new MalformedResponseException("no HTTP/1.1: " + shown(0, end));
            }
        }
    }

    /** The number of three digits; 0 if there are others. */
    private int statusAt(int index) {
        int number = 0;
        for (int i = index; i < index + 3; i++) {
            if (bytes[i] < '0' || bytes[i] > '9') {
                return 0;
            }
            number = number * 10 + bytes[i] - '0';
        }
        return number;
    }

    /** The reason phrase, unless it is the usual one, or has characters that must not be in it. */
    private @Nullable String unusual(int from, int to) {
        String usual = StatusCodes.getReason(status);
        boolean same = usual.length() == to - from;
        for (int i = from; i < to; i++) {
            if (isControl(bytes[i])) {
                mended = true;
                return null;
            }
            same = same && bytes[i] == usual.charAt(i - from);
        }
        return same ? null : string(from, to);
    }

    /** Reads the fields, and the empty line after them. */
    private boolean readFields() throws MalformedResponseException {
        for (fields = 0; ; fields++) {
            lineAt[fields] = at;
            int lineEnd = endOfLine(at);
            if (lineEnd == at) {
                at = nextLine;
                return true;
            }
            if (lineEnd >= 0) {
                lineEnd = unfold(lineEnd);
            }
            if (lineEnd < 0) {
                return false;
            }
            if (fields == MAX_FIELDS) {
                throw new MalformedResponseException("more than " + MAX_FIELDS + " header fields");
            }
            readField(lineEnd);
            at = nextLine;
        }
    }

    /**
     * Joins a line with those that begin with a blank and so continue its value (RFC 9112, 5.2).
     *
     * @return where the last of these lines ends; -1 if it is not known yet, which takes the first byte of the next line
     */
    private int unfold(int lineEnd) {
        int last = lineEnd;
        while (last >= 0 && nextLine < end && isBlank(bytes[nextLine])) {
            Arrays.fill(bytes, last, nextLine, (byte) ' ');
            mended = true;
            last = endOfLine(nextLine);
        }
        return nextLine < end ? last : -1;
    }

    private void readField(int lineEnd) throws MalformedResponseException {
        int afterName = at;
        while (afterName < lineEnd && HeaderNames.TOKEN[bytes[afterName] & 0xff]) {
            afterName++;
        }
        int colon = afterName;
        while (colon < lineEnd && isBlank(bytes[colon])) { // RFC 9112, 5.1: removed from responses
            colon++;
            mended = true;
        }
        if (afterName == at || colon == lineEnd || bytes[colon] != ':') {
            throw new MalformedResponseException("header line " + shown(at, lineEnd) + " (expected NAME: VALUE)");
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
            if (isControl(bytes[i])) {
                bytes[i] = ' '; // RFC 9110, 5.5
                mended = true;
            }
        }
        nameEnd[fields] = afterName;
        valueAt[fields] = from;
        valueEnd[fields] = to;
    }

    private static boolean isControl(byte b) {
        return b >= 0 && b < ' ' && b != '\t' || b == 127;
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }

    /** Where the end of the line that has this index begins: a CRLF, or an LF alone (RFC 9112, 2.2); -1 if it is not there yet. */
    private int endOfLine(int from) {
        for (int i = from; i < end; i++) {
            if (bytes[i] == '\n') {
                nextLine = i + 1;
                if (i > from && bytes[i - 1] == '\r') {
                    return i - 1;
                }
                mended = true;
                return i;
            }
        }
        return -1;
    }

    private void interpret() throws MalformedResponseException {
        keepAlive = http11;
        keepAliveSeconds = UNKNOWN;
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
            if (length != UNTIL_CLOSE) {
                dropContentLength();
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
        return Http1.beginsIgnoringCase(bytes, lineAt[field], lowerCaseName);
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
            if (forUs[field]) {
                keepAliveSeconds = KeepAlive.timeout(bytes, valueAt[field], valueEnd[field]);
            }
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
            number = repeatedNumber(field);
        }
        if (length != UNTIL_CLOSE && length != number) {
            throw new MalformedResponseException("contradicting Content-Length fields");
        }
        forUs[field] = length != UNTIL_CLOSE; // the same value again is dropped
        length = number;
    }

    /** The number that is there several times in one field (RFC 9110, 8.6). */
    private long repeatedNumber(int field) throws MalformedResponseException {
        String value = value(field);
        String[] numbers = value.split(",", -1);
        String first = numbers[0].strip();
        long number = MessageLength.parse(first);
        boolean repeated = numbers.length > 1
                && Arrays.stream(numbers).allMatch(each -> each.strip().equals(first));
        if (number < 0 || !repeated) {
            throw new MalformedResponseException("Content-Length “" + value + "” (expected one number)");
        }
        valueEnd[field] = valueAt[field] + first.length();
        mended = true;
        return number;
    }

    /** Transfer-Encoding takes precedence (RFC 9112, 6.3), and the connection serves no other request. */
    private void dropContentLength() {
        keepAlive = false;
        for (int i = 0; i < fields; i++) {
            forUs[i] |= nameEnd[i] - lineAt[i] == 14 && is(i, "content-length");
        }
    }

    private boolean transferEncoding(int field, boolean chunkedBefore) throws MalformedResponseException {
        if (!is(field, "transfer-encoding")) {
            return false;
        }
        String value = value(field);
        if (chunkedBefore || !value.equalsIgnoreCase("chunked")) {
            throw new MalformedResponseException("Transfer-Encoding “" + value + "” (expected chunked alone, once)");
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
        return "“" + printable(from, to).replaceFirst("[: ].*", "…") + "”";
    }

    private String printable(int from, int to) {
        return string(from, Math.min(to, from + 80)).replaceAll("[^ -~]", "?");
    }
}
