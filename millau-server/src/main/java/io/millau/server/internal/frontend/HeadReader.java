package io.millau.server.internal.frontend;

import io.millau.server.internal.http.HeaderNames;
import io.millau.server.internal.io.HeldMemory;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Protocols;
import io.undertow.util.StatusCodes;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads the head of a request over HTTP/1.1, however it arrives (RFC 9112, sections 2 to 5). Where a head can be understood in one
 * way only, it is as tolerant as other servers: lines may end with a line feed alone, empty lines may come first, and a folded
 * value becomes one line. For one connection. Also reads the trailers of a chunked body, which must not be as tolerant.
 */
final class HeadReader {

    /** How much more of a head that is too large is read, so that the client gets to read its response. */
    static final int MAX_SKIPPED = 256 * 1024;

    private static final int FIRST_BYTES = HeldMemory.FREE_BYTES;

    private final HeaderNames names;
    private final HeldMemory memory;

    /** What counts together with the fields read here: for trailers, the head of their request. */
    private final int fieldsBefore;

    private final int bytesBefore;

    private byte[] bytes = new byte[FIRST_BYTES];
    private int size;
    private int lineBytes;
    private boolean requestLineEnded;

    private int held;
    private int skipped;

    private @Nullable Rejection tooLarge;

    /** While it parses: the next byte. */
    private int at;

    /** @param memory is asked for what is large */
    HeadReader(HeaderNames names, HeldMemory memory) {
        this(names, memory, 0, 0);
    }

    private HeadReader(HeaderNames names, HeldMemory memory, int fieldsBefore, int bytesBefore) {
        this.names = names;
        this.memory = memory;
        this.fieldsBefore = fieldsBefore;
        this.bytesBefore = bytesBefore;
    }

    /** A reader of the trailers of a request with these fields. */
    static HeadReader ofTrailers(HeaderNames names, HeldMemory memory, HeaderMap head) {
        int fields = 0;
        int bytes = 0;
        for (HeaderValues values : head) {
            for (int i = 0; i < values.size(); i++) {
                fields++;
                bytes += values.getHeaderName().length() + values.get(i).length();
            }
        }
        HeadReader reader = new HeadReader(names, memory, fields, Math.min(bytes, Rejection.MAX_HEAD_BYTES));
        reader.requestLineEnded = true;
        return reader;
    }

    /**
     * Reads on.
     *
     * @return the head, if all of it was read; the buffer's position is after it; null if more is needed
     */
    @Nullable
    ReceivedHead read(ByteBuffer buffer) {
        return readToEnd(buffer) ? parse() : null;
    }

    /**
     * Reads on in trailers.
     *
     * @return the trailers, if all of them were read; the buffer's position is after them; null if more is needed
     */
    @Nullable
    HeaderMap readTrailers(ByteBuffer buffer) throws RejectedBodyException {
        if (!readToEnd(buffer)) {
            return null;
        }
        HeaderMap trailers = new HeaderMap();
        Rejection rejection = tooLarge;
        if (rejection == null && hasLineFeedAlone()) {
            rejection = Rejection.badRequest("line feed without CR in trailers, expected CRLF");
        }
        if (rejection == null) {
            rejection = readFields(trailers);
        }
        if (rejection != null) {
            throw new RejectedBodyException(rejection);
        }
        return trailers;
    }

    private boolean hasLineFeedAlone() {
        for (int i = indexOf((byte) '\n', 0); i < size; i = indexOf((byte) '\n', i + 1)) {
            if (i == 0 || bytes[i - 1] != '\r') {
                return true;
            }
        }
        return false;
    }

    /** Whether all was read, or as much as is read of what is too large. */
    private boolean readToEnd(ByteBuffer buffer) {
        while (buffer.hasRemaining()) {
            byte next = buffer.get();
            keep(next);
            if (next != '\n') {
                lineBytes += next == '\r' ? 0 : 1;
            } else if (lineBytes > 0) {
                requestLineEnded = true;
                lineBytes = 0;
            } else if (requestLineEnded) {
                return true;
            } else {
                size = 0; // RFC 9112, 2.2: empty lines before the request line are ignored
            }
            if (skipped == MAX_SKIPPED) {
                return true;
            }
        }
        return false;
    }

    private void keep(byte next) {
        if (bytesBefore + size == Rejection.MAX_HEAD_BYTES) {
            skipped++;
            if (tooLarge == null) {
                tooLarge = requestLineEnded
                        ? Rejection.ofSize(0, Rejection.MAX_HEAD_BYTES + 1)
                        : Rejection.targetTooLong();
            }
            return;
        }
        if (size == bytes.length && !grow()) {
            skipped++;
            return;
        }
        bytes[size++] = next;
    }

    /** Makes room for as many bytes again; false if there is no memory for them, once and for all. */
    private boolean grow() {
        if (tooLarge == null && !memory.take(size)) {
            tooLarge = Rejection.OVERLOADED;
        }
        if (tooLarge != null) {
            return false;
        }
        held += size;
        bytes = Arrays.copyOf(bytes, 2 * size);
        return true;
    }

    /** How much memory it has taken, to be given back when its head is not needed any more. */
    int held() {
        return held;
    }

    /** The head so far, as one that did not arrive in time. */
    ReceivedHead timedOut() {
        return rejected(new Rejection(StatusCodes.REQUEST_TIME_OUT, "the rest of its head did not arrive in time"));
    }

    /** What is known of the request line goes into the access log. */
    private ReceivedHead rejected(Rejection rejection) {
        at = 0;
        HttpString method = token(' ');
        return ReceivedHead.rejected(
                method == null || ReceivedHead.isMisspelt(method) ? ReceivedHead.UNKNOWN_METHOD : method, rejection);
    }

    private ReceivedHead parse() {
        if (tooLarge != null) {
            return rejected(tooLarge);
        }
        at = 0;
        HttpString method = token(' ');
        if (method == null) {
            return rejected(Rejection.badRequest("method that is no token, expected METHOD TARGET HTTP/1.1"));
        }
        if (ReceivedHead.isMisspelt(method)) {
            return rejected(Rejection.badRequest(ReceivedHead.misspelt(method.toString())));
        }
        int targetEnd = indexOf((byte) ' ', at);
        int lineEnd = endOfLine(at);
        if (targetEnd <= at || targetEnd > lineEnd) {
            return rejected(Rejection.badRequest("request line without a version, expected METHOD TARGET HTTP/1.1"));
        }
        String target = text(at, targetEnd);
        String version = text(targetEnd + 1, lineEnd);
        Rejection wrongVersion = versionProblem(version);
        if (wrongVersion != null) {
            return rejected(wrongVersion);
        }
        at = indexOf((byte) '\n', lineEnd) + 1;
        HeaderMap headers = new HeaderMap();
        Rejection badFields = readFields(headers);
        if (badFields != null) {
            return rejected(badFields);
        }
        HttpString protocol = version.equals("HTTP/1.0") ? Protocols.HTTP_1_0 : Protocols.HTTP_1_1;
        return ReceivedHead.of(method, target, protocol, headers);
    }

    /** A higher minor version is served as HTTP/1.1 (RFC 9110, 2.5). */
    private static @Nullable Rejection versionProblem(String version) {
        boolean wellFormed = version.length() == 8
                && version.startsWith("HTTP/")
                && isDigit(version.charAt(5))
                && version.charAt(6) == '.'
                && isDigit(version.charAt(7));
        if (!wellFormed || version.charAt(5) == '0') {
            return Rejection.badRequest("version " + version + ", expected HTTP/1.1");
        }
        return version.charAt(5) == '1'
                ? null
                : new Rejection(
                        StatusCodes.HTTP_VERSION_NOT_SUPPORTED, "version " + version + ", expected HTTP/1.1 or 1.0");
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private @Nullable Rejection readFields(HeaderMap headers) {
        HttpString name = null;
        String value = "";
        int fields = 0;
        while (true) {
            int lineEnd = endOfLine(at);
            boolean folded = lineEnd > at && isBlank(bytes[at]);
            if (folded && name == null) {
                return Rejection.badRequest("blank before the first field");
            }
            if (!folded) {
                if (name != null) {
                    if (headers.count(name) == Rejection.MAX_FIELDS_OF_ONE_NAME) {
                        return Rejection.tooManyOfOneName(name.toString());
                    }
                    add(headers, name, value);
                }
                if (lineEnd == at) {
                    return null;
                }
                name = token(':');
                if (name == null) {
                    return Rejection.badRequest(
                            "field whose name is no token, after " + fields + ", expected NAME: VALUE");
                }
                Rejection tooMany = Rejection.ofSize(fieldsBefore + ++fields, bytesBefore + size);
                if (tooMany != null) {
                    return tooMany;
                }
            }
            int from = at;
            int to = lineEnd;
            while (from < to && isBlank(bytes[from])) {
                from++;
            }
            while (to > from && isBlank(bytes[to - 1])) {
                to--;
            }
            for (int i = from; i < to; i++) {
                char c = (char) (bytes[i] & 0xff);
                if (isControl(c)) {
                    return Rejection.badRequest(String.format("control character 0x%02X in field %s", (int) c, name));
                }
            }
            String part = text(from, to);
            value = folded ? value + ' ' + part : part;
            at = indexOf((byte) '\n', lineEnd) + 1;
        }
    }

    /** Several Cookie fields become one, since services may read the first alone. */
    private static void add(HeaderMap headers, HttpString name, String value) {
        HeaderValues before = headers.get(name);
        if (before != null && name.equals(Headers.COOKIE)) {
            headers.put(name, before.getFirst() + "; " + value);
        } else {
            headers.add(name, value);
        }
    }

    /** Reads a token and the character after it; null if it is none. */
    private @Nullable HttpString token(char end) {
        int from = at;
        int to = from;
        while (to < size && HeaderNames.TOKEN[bytes[to] & 0xff]) {
            to++;
        }
        if (to == from || to == size || bytes[to] != end) {
            return null;
        }
        at = to + 1;
        return names.get(bytes, from, to - from);
    }

    /** The index after the last character of a line, without CR and LF. */
    private int endOfLine(int from) {
        int end = indexOf((byte) '\n', from);
        return end > from && bytes[end - 1] == '\r' ? end - 1 : end;
    }

    private int indexOf(byte what, int from) {
        int i = from;
        while (i < size && bytes[i] != what) {
            i++;
        }
        return i;
    }

    /** Whether a value must not have this character (RFC 9110, 5.5). */
    static boolean isControl(char c) {
        return c < ' ' && c != '\t' || c == 127;
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }

    @SuppressWarnings("deprecation") // the only way to make a string from Latin-1 bytes without decoding
    private String text(int from, int to) {
        return new String(bytes, 0, from, to - from);
    }
}
