package io.millau.server;

import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.StatusCodes;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Reads the head of an answer (RFC 9112, sections 2 to 6) strictly: what two parsers could read in two ways is refused. For
 * one thread; holds the head read last.
 */
final class AnswerHead {

    /** The body's length is not known from the head. */
    static final long UNTIL_CLOSE = -1;

    static final long CHUNKED = -2;

    /** The largest head, and as it is read in one piece, the smallest buffer to read into. */
    static final int MAX_BYTES = 64 * 1024;

    /** Nearly every head ends within these, and what follows it needs no look. */
    private static final int USUAL_BYTES = 2048;

    private static final int MAX_FIELDS = 200;
    private static final boolean[] TOKEN = tokenCharacters();

    private final HeaderNames names = new HeaderNames();
    private final byte[] bytes = new byte[MAX_BYTES];
    private int at;
    private int end;

    private int status;
    private @Nullable String reason;
    private boolean http11;
    private boolean keepAlive;
    private long length;
    private @Nullable String upgrade;

    private static boolean[] tokenCharacters() {
        boolean[] token = new boolean[256];
        for (char c = '0'; c <= 'z'; c++) {
            token[c] = Character.isLetterOrDigit(c);
        }
        for (char c : "!#$%&'*+-.^_`|~".toCharArray()) {
            token[c] = true;
        }
        return token;
    }

    /**
     * Reads a head. Its fields, less those meant for the next hop, are put into the map, which is left empty while the head
     * is incomplete.
     *
     * @return false if more bytes are needed; then the buffer is left as it was
     * @throws MalformedAnswerException if this can't become a head any more
     */
    boolean read(ByteBuffer buffer, HeaderMap headers) throws MalformedAnswerException {
        try {
            boolean complete = readFrom(buffer, USUAL_BYTES, headers)
                    || buffer.remaining() > USUAL_BYTES && readFrom(buffer, MAX_BYTES, headers);
            if (complete) {
                interpret(headers);
                buffer.position(buffer.position() + at);
            } else {
                headers.clear();
            }
            return complete;
        } catch (MalformedAnswerException e) {
            headers.clear();
            throw e;
        }
    }

    private boolean readFrom(ByteBuffer buffer, int most, HeaderMap headers) throws MalformedAnswerException {
        load(buffer, most);
        headers.clear();
        return readStatusLine() && readFields(headers) || incomplete();
    }

    private void load(ByteBuffer buffer, int most) {
        end = Math.min(buffer.remaining(), most);
        buffer.get(buffer.position(), bytes, 0, end);
        at = 0;
    }

    private boolean incomplete() throws MalformedAnswerException {
        if (end == MAX_BYTES) {
            throw new MalformedAnswerException("head of more than " + MAX_BYTES + " bytes");
        }
        return false;
    }

    /** Reads the trailers of a chunked body (RFC 9112, 7.1.2) as {@link #read} does a head. */
    boolean readTrailers(ByteBuffer buffer, HeaderMap trailers) throws MalformedAnswerException {
        load(buffer, MAX_BYTES);
        trailers.clear();
        if (!readFields(trailers)) {
            trailers.clear();
            return incomplete();
        }
        HopByHop.removeFromTrailers(trailers);
        buffer.position(buffer.position() + at);
        return true;
    }

    int status() {
        return status;
    }

    /** The reason phrase where it isn't the usual one. */
    @Nullable
    String reason() {
        return reason;
    }

    /** Whether the connection can serve another request after this answer. */
    boolean keepAlive() {
        return keepAlive;
    }

    /** Bytes of the body, or {@link #CHUNKED}, or {@link #UNTIL_CLOSE}; says nothing of what has no body anyway. */
    long length() {
        return length;
    }

    /** What the Upgrade field says, of a 101. */
    @Nullable
    String upgrade() {
        return upgrade;
    }

    private boolean readStatusLine() throws MalformedAnswerException {
        int lineEnd = endOfLine();
        if (lineEnd < 0) {
            checkStart();
            return false;
        }
        checkStart();
        if (lineEnd < 12 || (lineEnd > 12 && bytes[12] != ' ')) {
            throw new MalformedAnswerException("status line " + shown(0, lineEnd));
        }
        http11 = bytes[7] == '1';
        status = digit(9) * 100 + digit(10) * 10 + digit(11);
        if (status < 100) {
            throw new MalformedAnswerException("status line " + shown(0, lineEnd));
        }
        reason = lineEnd <= 13 ? null : unusual(13, lineEnd);
        at = lineEnd + 2;
        return true;
    }

    /** Garbage is told from an incomplete head by its first bytes, so that nobody waits for its end. */
    private void checkStart() throws MalformedAnswerException {
        for (int i = 0; i < Math.min(end, 9); i++) {
            boolean fits = i == 7 ? bytes[i] == '1' || bytes[i] == '0' : bytes[i] == "HTTP/1.x ".charAt(i);
            if (!fits) {
                throw new MalformedAnswerException("no HTTP/1.1: " + shown(0, end));
            }
        }
    }

    private int digit(int index) throws MalformedAnswerException {
        int digit = bytes[index] - '0';
        if (digit < 0 || digit > 9) {
            throw new MalformedAnswerException("status code " + shown(9, 12));
        }
        return digit;
    }

    private @Nullable String unusual(int from, int to) throws MalformedAnswerException {
        String usual = StatusCodes.getReason(status);
        boolean same = usual.length() == to - from;
        for (int i = from; i < to; i++) {
            checkValueByte(i);
            same = same && bytes[i] == usual.charAt(i - from);
        }
        return same ? null : string(from, to);
    }

    /** Up to and with the empty line. */
    private boolean readFields(HeaderMap headers) throws MalformedAnswerException {
        for (int fields = 0; ; fields++) {
            if (at + 1 < end && bytes[at] == '\r' && bytes[at + 1] == '\n') {
                at += 2;
                return true;
            }
            int lineEnd = endOfLine();
            if (lineEnd < 0) {
                return false;
            }
            if (fields == MAX_FIELDS) {
                throw new MalformedAnswerException("more than " + MAX_FIELDS + " header fields");
            }
            readField(headers, lineEnd);
            at = lineEnd + 2;
        }
    }

    private void readField(HeaderMap headers, int lineEnd) throws MalformedAnswerException {
        int colon = at;
        while (colon < lineEnd && TOKEN[bytes[colon] & 0xff]) {
            colon++;
        }
        if (colon == at || colon == lineEnd || bytes[colon] != ':') {
            throw new MalformedAnswerException("header line " + shown(at, lineEnd));
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
        headers.add(names.get(bytes, at, colon - at), string(from, to));
    }

    private void checkValueByte(int index) throws MalformedAnswerException {
        byte b = bytes[index];
        if (b >= 0 && b < ' ' && b != '\t' || b == 127) {
            throw new MalformedAnswerException("control character in a header");
        }
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }

    /** Where the line's CRLF begins, or -1; a bare LF ends no line here (RFC 9112, 2.2). */
    private int endOfLine() throws MalformedAnswerException {
        for (int i = at; i < end; i++) {
            if (bytes[i] == '\n') {
                if (i == at || bytes[i - 1] != '\r') {
                    throw new MalformedAnswerException("line that ends without CR");
                }
                return i - 1;
            }
        }
        return -1;
    }

    private void interpret(HeaderMap headers) throws MalformedAnswerException {
        keepAlive = http11;
        upgrade = headers.getFirst(Headers.UPGRADE);
        length = UNTIL_CLOSE;
        HeaderValues lengths = headers.get(Headers.CONTENT_LENGTH);
        if (lengths != null) {
            length = contentLength(lengths, headers);
        }
        HeaderValues codings = headers.get(Headers.TRANSFER_ENCODING);
        if (codings != null) {
            if (codings.size() != 1 || !"chunked".equalsIgnoreCase(codings.getFirst()) || lengths != null || !http11) {
                throw new MalformedAnswerException("Transfer-Encoding " + codings + " (expected chunked alone, over"
                        + " HTTP/1.1, without Content-Length)");
            }
            length = CHUNKED;
        }
        HeaderValues connection = headers.get(Headers.CONNECTION);
        if (connection != null) {
            for (int i = 0; i < connection.size(); i++) {
                keepAlive &= !HopByHop.hasToken(connection.get(i), "close");
            }
        }
        HopByHop.removeFrom(headers);
    }

    private static long contentLength(HeaderValues lengths, HeaderMap headers) throws MalformedAnswerException {
        String first = lengths.getFirst();
        for (int i = 1; i < lengths.size(); i++) {
            if (!lengths.get(i).equals(first)) {
                throw new MalformedAnswerException("contradicting Content-Length fields");
            }
        }
        long length = MessageLength.parse(first);
        if (length < 0) {
            throw new MalformedAnswerException("Content-Length " + first);
        }
        if (lengths.size() > 1) {
            headers.put(Headers.CONTENT_LENGTH, first);
        }
        return length;
    }

    private String string(int from, int to) {
        return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
    }

    private String shown(int from, int to) {
        return "“" + string(from, Math.min(to, from + 80)).replaceAll("[^ -~]", "?") + "”";
    }
}
