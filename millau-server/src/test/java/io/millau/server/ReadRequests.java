package io.millau.server;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads requests over HTTP/1.1 by the letter of RFC 9112, with nothing in common with the reader of the proxy: what a service
 * reads that takes nothing but what is well-formed, or what the client's bytes mean where {@code docs/reference/odd-requests.md} says that
 * they have one meaning.
 */
final class ReadRequests {

    private static final String TOKEN = "!#$%&'*+-.^_`|~";

    private final PushbackInputStream in;
    private final boolean strict;
    private String start = "";

    /** What can't be read as a request. */
    static final class MalformedException extends IOException {
        private static final long serialVersionUID = 1;

        MalformedException(String message) {
            super(message);
        }
    }

    /** One field, as name in lower case and value. */
    record Field(String name, String value) {}

    /** A request, without what framed its body. */
    record Request(
            String method, String target, String version, List<Field> fields, String body, List<Field> trailers) {

        List<String> all(String name) {
            return fields.stream()
                    .filter(field -> field.name.equals(name))
                    .map(Field::value)
                    .toList();
        }

        boolean has(String name, String token) {
            return all(name).stream()
                    .flatMap(value -> List.of(value.split(",")).stream())
                    .anyMatch(each -> each.strip().equalsIgnoreCase(token));
        }
    }

    private ReadRequests(InputStream in, boolean strict) {
        this.in = new PushbackInputStream(in, 1);
        this.strict = strict;
    }

    /** Takes nothing but what is well-formed. */
    static ReadRequests strict(InputStream in) {
        return new ReadRequests(in, true);
    }

    /** Takes also what has one meaning only. */
    static ReadRequests tolerant(InputStream in) {
        return new ReadRequests(in, false);
    }

    /**
     * Reads a request.
     *
     * @return null at the end, also in the middle of a request
     */
    @Nullable
    Request next() throws IOException {
        String first = line(strict);
        while (!strict && first != null && first.chars().allMatch(c -> c == '\r')) {
            first = line(false);
        }
        if (first == null) {
            return null;
        }
        start = first;
        String[] parts = start.split(" ", -1);
        check(parts.length == 3, "request line", start);
        check(isToken(parts[0]), "method", start);
        check(!parts[1].isEmpty() && parts[1].chars().allMatch(c -> c > ' ' && c != 127 && c != '#'), "target", start);
        check(parts[2].matches(strict ? "HTTP/1\\.1" : "HTTP/1\\.[0-9]"), "version", start);
        List<Field> fields = fields(strict);
        if (fields == null) {
            return null;
        }
        Request head = new Request(parts[0], parts[1], parts[2], fields, "", List.of());
        List<String> lengths = head.all("content-length");
        List<String> codings = head.all("transfer-encoding");
        check(lengths.size() <= 1, "Content-Length", lengths.toString());
        if (!codings.isEmpty()) {
            boolean plain = codings.size() == 1 && codings.get(0).equalsIgnoreCase("chunked");
            check(plain && lengths.isEmpty() && !parts[2].equals("HTTP/1.0"), "Transfer-Encoding", codings.toString());
            return withChunks(head);
        }
        if (lengths.isEmpty()) {
            return head;
        }
        check(lengths.get(0).matches("[0-9]{1,18}"), "Content-Length", lengths.toString());
        String body = exactly(Long.parseLong(lengths.get(0)));
        return body == null ? null : withBody(head, body, List.of());
    }

    /** Whether the request begun last looks like one whose response has no body. */
    boolean beganWithHead() {
        return start.startsWith("HEAD ");
    }

    private static Request withBody(Request head, String body, List<Field> trailers) {
        return new Request(head.method, head.target, head.version, head.fields, body, trailers);
    }

    private @Nullable Request withChunks(Request head) throws IOException {
        StringBuilder body = new StringBuilder();
        while (true) {
            String line = line(true);
            if (line == null) {
                return null;
            }
            check(line.matches("[0-9a-fA-F]{1,15}([ \t]*;[^\\x00-\\x08\\x0A-\\x1F\\x7F]*|[ \t]*)"), "chunk size", line);
            check(!strict || line.matches("[0-9a-fA-F]+"), "chunk size of the proxy", line);
            long size = Long.parseLong(line.split("[ \t;]", 2)[0], 16);
            if (size == 0) {
                List<Field> trailers = fields(true);
                return trailers == null ? null : withBody(head, body.toString(), trailers);
            }
            String data = exactly(size);
            String end = data == null ? null : exactly(2);
            if (end == null) {
                return null;
            }
            check(end.equals("\r\n"), "end of a chunk", end);
            body.append(data);
        }
    }

    private @Nullable List<Field> fields(boolean onlyCrLf) throws IOException {
        List<Field> fields = new ArrayList<>();
        while (true) {
            String line = line(onlyCrLf);
            if (line == null) {
                return null;
            }
            if (line.isEmpty()) {
                return fields;
            }
            if (!strict && !fields.isEmpty() && (line.charAt(0) == ' ' || line.charAt(0) == '\t')) {
                Field last = fields.remove(fields.size() - 1);
                fields.add(new Field(last.name, value(last.value + ' ' + value(line))));
                continue;
            }
            fields.add(field(line));
        }
    }

    /** Reads a line with a field. */
    static Field field(String line) throws MalformedException {
        int colon = line.indexOf(':');
        check(colon > 0 && isToken(line.substring(0, colon)), "field", line);
        return new Field(line.substring(0, colon).toLowerCase(Locale.ROOT), value(line.substring(colon + 1)));
    }

    private static String value(String text) throws MalformedException {
        check(text.chars().allMatch(c -> c >= ' ' && c != 127 || c == '\t'), "value", text);
        return text.replaceAll("^[ \t]+|[ \t]+$", "");
    }

    private static boolean isToken(String text) {
        return !text.isEmpty()
                && text.chars().allMatch(c -> c < 128 && Character.isLetterOrDigit(c) || TOKEN.indexOf(c) >= 0);
    }

    /** A line without its end; null at the end of all bytes. */
    private @Nullable String line(boolean onlyCrLf) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b >= 0; b = in.read()) {
            if (b == '\r') {
                int next = in.read();
                if (next == '\n') {
                    return line.toString(StandardCharsets.ISO_8859_1);
                }
                if (next >= 0) {
                    in.unread(next);
                }
            } else if (b == '\n') {
                check(!onlyCrLf, "line feed without CR after", line.toString(StandardCharsets.ISO_8859_1));
                return line.toString(StandardCharsets.ISO_8859_1);
            }
            line.write(b);
        }
        return null;
    }

    private @Nullable String exactly(long length) throws IOException {
        byte[] bytes = in.readNBytes((int) Math.min(length, Integer.MAX_VALUE));
        return bytes.length < length ? null : new String(bytes, StandardCharsets.ISO_8859_1);
    }

    static void check(boolean wellFormed, String what, @Nullable String seen) throws MalformedException {
        if (!wellFormed) {
            throw new MalformedException(what + ": “" + seen + "”");
        }
    }
}
