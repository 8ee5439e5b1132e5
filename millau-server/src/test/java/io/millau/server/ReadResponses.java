package io.millau.server;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads responses over HTTP/1.1, and takes nothing but what is well-formed (RFC 9112). */
final class ReadResponses {

    private final InputStream in;

    /** A response; the names of its fields are in lower case. */
    record Response(int status, List<ReadRequests.Field> fields, String body) {

        List<String> all(String name) {
            return fields.stream()
                    .filter(field -> field.name().equals(name))
                    .map(ReadRequests.Field::value)
                    .toList();
        }
    }

    ReadResponses(InputStream in) {
        this.in = in;
    }

    /**
     * Reads a response, and those with a status of 1xx before it, which it drops.
     *
     * @param toHead whether it is one to HEAD, which has no body
     * @return null if the connection ends before its first byte
     * @throws EOFException if the connection ends in the middle
     * @throws ReadRequests.MalformedException if it is malformed
     */
    @Nullable
    Response next(boolean toHead) throws IOException {
        while (true) {
            String start = line();
            if (start == null) {
                return null;
            }
            check(start.matches("HTTP/1\\.[01] [1-9][0-9]{2} [^\\x00-\\x08\\x0A-\\x1F\\x7F]*"), "status line", start);
            int status = Integer.parseInt(start.substring(9, 12));
            List<ReadRequests.Field> fields = fields();
            Response head = new Response(status, fields, "");
            if (status >= 200 || status == 101) {
                return status == 101 || status == 204 || status == 304 || toHead ? withoutBody(head) : withBody(head);
            }
        }
    }

    private static Response withoutBody(Response head) throws IOException {
        checkFraming(head);
        boolean mayHaveLength = head.status != 204 && head.status != 101;
        check(
                mayHaveLength
                        || head.all("content-length").isEmpty()
                                && head.all("transfer-encoding").isEmpty(),
                "framing of a response without a body",
                head.toString());
        return head;
    }

    private Response withBody(Response head) throws IOException {
        checkFraming(head);
        List<String> lengths = head.all("content-length");
        if (!head.all("transfer-encoding").isEmpty()) {
            return new Response(head.status, head.fields, chunks());
        }
        return new Response(
                head.status,
                head.fields,
                lengths.isEmpty()
                        ? new String(in.readAllBytes(), StandardCharsets.ISO_8859_1)
                        : exactly(Long.parseLong(lengths.get(0))));
    }

    private static void checkFraming(Response head) throws IOException {
        List<String> lengths = head.all("content-length");
        List<String> codings = head.all("transfer-encoding");
        check(lengths.size() + codings.size() <= 1, "framing", lengths + " " + codings);
        check(codings.isEmpty() || codings.get(0).equals("chunked"), "Transfer-Encoding", codings.toString());
        check(lengths.isEmpty() || lengths.get(0).matches("[0-9]{1,18}"), "Content-Length", lengths.toString());
    }

    private String chunks() throws IOException {
        StringBuilder body = new StringBuilder();
        while (true) {
            String line = line();
            check(line == null || line.matches("[0-9a-fA-F]{1,8}"), "chunk size", line);
            if (line == null) {
                throw new EOFException("connection ended within a chunked body");
            }
            int size = Integer.parseInt(line, 16);
            if (size == 0) {
                fields();
                return body.toString();
            }
            body.append(exactly(size));
            String end = exactly(2);
            check(end.equals("\r\n"), "end of a chunk", end);
        }
    }

    private List<ReadRequests.Field> fields() throws IOException {
        List<ReadRequests.Field> fields = new ArrayList<>();
        while (true) {
            String line = line();
            if (line == null) {
                throw new EOFException("connection ended within a head");
            }
            if (line.isEmpty()) {
                return fields;
            }
            fields.add(ReadRequests.field(line));
        }
    }

    private @Nullable String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\r'; b = in.read()) {
            if (b < 0 && line.size() > 0) {
                throw new EOFException("connection ended within a line: " + line);
            }
            if (b < 0) {
                return null;
            }
            check(b != '\n', "line feed without CR after", line.toString(StandardCharsets.ISO_8859_1));
            line.write(b);
        }
        int end = in.read();
        if (end < 0) {
            throw new EOFException("connection ended within a line: " + line);
        }
        check(end == '\n', "CR without line feed after", line.toString(StandardCharsets.ISO_8859_1));
        return line.toString(StandardCharsets.ISO_8859_1);
    }

    private String exactly(long length) throws IOException {
        byte[] bytes = in.readNBytes((int) Math.min(length, Integer.MAX_VALUE));
        if (bytes.length < length) {
            throw new EOFException("connection ended after " + bytes.length + " of " + length + " bytes");
        }
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static void check(boolean wellFormed, String what, @Nullable String seen) throws IOException {
        ReadRequests.check(wellFormed, what, seen);
    }
}
