package io.millau.server;

import io.undertow.util.StatusCodes;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A response as old, small or faulty servers send it, of a kind that RFC 9110, 9112 or 9113 has a rule for.
 *
 * @param http1 all bytes; empty where HTTP/1.1 can't express it
 * @param ends whether the endpoint closes the connection after these bytes
 * @param http2 names and values of the fields in turn, which a body follows; empty where HTTP/2 can't express it
 */
record OddResponse(String name, String rfc, String http1, boolean ends, List<String> http2) {

    /** The body of each response. */
    static final String BODY = "ok";

    private static final String OK = "HTTP/1.1 200 OK\r\n";
    private static final String LENGTH = "Content-Length: 2\r\n";
    private static final String END = LENGTH + "\r\n" + BODY;
    private static final String CHUNKED = "Transfer-Encoding: chunked\r\n";
    private static final String CHUNKS = "\r\n2\r\nok\r\n0\r\n\r\n";

    static final List<OddResponse> ALL = List.of(
            // ---- Lines
            http1("lines that end with LF alone", "9112, 2.2", "HTTP/1.1 200 OK\nX: a\nContent-Length: 2\n\nok"),
            http1("a line that ends with LF alone", "9112, 2.2", OK + "X: a\n" + END),
            http1("CR within a line", "9112, 2.2", OK + "X: a\rb\r\n" + END),
            http1("empty lines before it", "9112, 2.2", "\r\n\n" + OK + END),
            http1("blank before it", "9112, 4", " " + OK + END),
            http1("value that is folded", "9112, 5.2", OK + "X: a\r\n b\r\n\tc\r\n" + END),
            http1("`Content-Length` that is folded", "9112, 5.2", OK + "Content-Length:\r\n 2\r\n\r\nok"),
            http1("blank before the first field", "9112, 2.2", OK + " X: a\r\n" + END),
            // ---- The status line
            http1("reason that is empty", "9112, 4", "HTTP/1.1 200 \r\n" + END),
            http1("no reason and no blank", "9112, 4", "HTTP/1.1 200\r\n" + END),
            http1("reason of its own", "9112, 4", "HTTP/1.1 200 gr\u00fcn\r\n" + END),
            http1("reason with a control character", "9112, 4", "HTTP/1.1 200 a\u0001b\r\n" + END),
            http1("several blanks, tabs", "9112, 4", "HTTP/1.1\t 200\tOK\r\n" + END),
            http1("version `HTTP/1.0`", "9110, 2.5", "HTTP/1.0 200 OK\r\n" + END),
            http1("version `HTTP/1.2`, `HTTP/2.0`", "9110, 2.5", "HTTP/2.0 200 OK\r\n" + END),
            http1("version `HTTP/2`", "9112, 2.3", "HTTP/2 200 OK\r\n" + END),
            http1("version in lower case", "9112, 2.3", "http/1.1 200 OK\r\n" + END),
            http1("`ICY 200 OK`", "9112, 2.3", "ICY 200 OK\r\n" + END),
            http1("no head", "9112, 2.3", "<html>ok</html>"),
            status("status below 100", "099"),
            status("status from 600 to 999", "999"),
            status("status of four digits", "2000"),
            status("status that is no number", "2xx"),
            http2("`:status` missing", "9113, 8.3.2", "x", "a"),
            http2("`:status` twice", "9113, 8.3.2", ":status", "200", ":status", "200"),
            http2("`:status` after other fields", "9113, 8.3", "x", "a", ":status", "200"),
            http2("`:path`", "9113, 8.3", ":status", "200", ":path", "/"),
            // ---- Fields
            http1("blanks around a value", "9112, 5.1", OK + "X: \t a \t\r\n" + END),
            field("value that is empty", "9110, 5.5", "x", ""),
            field("value with a control character", "9110, 5.5", "x", "a\u0001b"),
            field("value with NUL", "9110, 5.5", "x", "a\u0000b"),
            http2("value with LF", "9113, 8.2.1", ":status", "200", "x", "a\nb: c"),
            field("value with bytes above 0x7F", "9110, 5.5", "x", "gr\u00fcn"),
            field("name with a blank at its end", "9112, 5.1", "x ", "a"),
            field("name with a blank", "9112, 5.1", "x y", "a"),
            field("name with a bracket", "9110, 5.1", "x(", "a"),
            field("name with bytes above 0x7F", "9110, 5.1", "gr\u00fcn", "a"),
            field("name with an underscore", "9110, 5.1", "x_y", "a"),
            http2("name in upper case", "9113, 8.2.1", ":status", "200", "X", "a"),
            http2("name that is empty", "9113, 8.2.1", ":status", "200", "", "a"),
            http2("name with CR", "9113, 8.2.1", ":status", "200", "x\ry", "a"),
            http1("field without a colon", "9112, 5", OK + "xy\r\n" + END),
            http1("field without a name", "9112, 5", OK + ": a\r\n" + END),
            http1("`Connection: x-mine, close`", "9112, 9.6", OK + "X-Mine: 1\r\nConnection: x-mine, close\r\n" + END),
            http2("`connection`", "9113, 8.2.2", ":status", "200", "connection", "close"),
            http2("`transfer-encoding`", "9113, 8.2.2", ":status", "200", "transfer-encoding", "chunked"),
            http1("200 fields", "9110, 5.4", OK + fields(199) + END),
            http1("201 fields", "9110, 5.4", OK + fields(200) + END),
            http1("60 kB of fields", "9110, 5.4", OK + "X: " + "a".repeat(60_000) + "\r\n" + END),
            http1("66 kB of fields", "9110, 5.4", OK + "X: " + "a".repeat(66_000) + "\r\n" + END),
            // ---- Framing
            closing("neither length nor chunks", "9112, 6.3", OK + "\r\n" + BODY),
            http1("`Content-Length` twice, equal", "9112, 6.3", OK + LENGTH + END),
            length("`Content-Length` with two equal numbers", "2, 2"),
            http1("`Content-Length` twice, different", "9112, 6.3", OK + "Content-Length: 1\r\n" + END),
            length("`Content-Length` with two different numbers", "2, 1"),
            length("`Content-Length` with zeros", "0002"),
            length("`Content-Length` with a sign", "+2"),
            length("`Content-Length` that is no number", "2x"),
            length("`Content-Length` that is empty", ""),
            length("`Content-Length` of 20 digits", "99999999999999999999"),
            new OddResponse(
                    "`Content-Length` larger than the body",
                    "9112, 8",
                    OK + "Content-Length: 5\r\n\r\n" + BODY,
                    true,
                    List.of(":status", "200", "content-length", "5")),
            new OddResponse(
                    "`Content-Length` smaller than the body",
                    "9112, 6.3",
                    OK + LENGTH + "\r\n" + BODY + " and more",
                    false,
                    List.of(":status", "200", "content-length", "1")),
            http1("`Content-Length` and `Transfer-Encoding: chunked`", "9112, 6.3", OK + LENGTH + CHUNKED + CHUNKS),
            http1("`Transfer-Encoding: chunked` over HTTP/1.0", "9112, 6.1", "HTTP/1.0 200 OK\r\n" + CHUNKED + CHUNKS),
            http1("`Transfer-Encoding: Chunked`", "9112, 7", OK + "Transfer-Encoding: Chunked\r\n" + CHUNKS),
            http1("`Transfer-Encoding: chunked` twice", "9112, 6.1", OK + CHUNKED + CHUNKED + CHUNKS),
            http1(
                    "`Transfer-Encoding: gzip, chunked`",
                    "9112, 6.1",
                    OK + "Transfer-Encoding: gzip, chunked\r\n" + CHUNKS),
            http1("`Transfer-Encoding: identity`", "9112, 6.1", OK + "Transfer-Encoding: identity\r\n" + END),
            http1("chunks with lines that end with LF alone", "9112, 7.1", OK + CHUNKED + "\r\n2\nok\n0\n\n"),
            http1(
                    "chunk extension, blanks after a size",
                    "9112, 7.1.1",
                    OK + CHUNKED + "\r\n2;a=b\r\nok\r\n0 \r\n\r\n"),
            http1("blank before a chunk's size", "9112, 7.1", OK + CHUNKED + "\r\n 2\r\nok\r\n0\r\n\r\n"),
            closing("no last chunk", "9112, 7.1", OK + CHUNKED + "\r\n2\r\nok\r\n"),
            http1("trailer without a colon", "9112, 7.1.2", OK + CHUNKED + "\r\n2\r\nok\r\n0\r\nxy\r\n\r\n"),
            http1("`204` with a length and a body", "9110, 15.3.5", "HTTP/1.1 204 No Content\r\n" + END),
            http1("`304` with a length", "9110, 15.4.5", "HTTP/1.1 304 Not Modified\r\n" + LENGTH + "\r\n"),
            http1(
                    "`101` that nobody asked for",
                    "9110, 15.2.2",
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"));

    private static OddResponse http1(String name, String rfc, String bytes) {
        return new OddResponse(name, rfc, bytes, false, List.of());
    }

    private static OddResponse closing(String name, String rfc, String bytes) {
        return new OddResponse(name, rfc, bytes, true, List.of());
    }

    private static OddResponse http2(String name, String rfc, String... fields) {
        return new OddResponse(name, rfc, "", false, List.of(fields));
    }

    private static OddResponse status(String name, String status) {
        return new OddResponse(
                name,
                "9110, 15",
                "HTTP/1.1 " + status + " Odd\r\n" + END,
                false,
                List.of(":status", status, "content-length", "2"));
    }

    private static OddResponse field(String name, String rfc, String field, String value) {
        return new OddResponse(
                name,
                rfc,
                OK + field + ": " + value + "\r\n" + END,
                false,
                List.of(":status", "200", field, value, "content-length", "2"));
    }

    private static OddResponse length(String name, String length) {
        return new OddResponse(
                name,
                "9110, 8.6",
                OK + "Content-Length: " + length + "\r\n\r\n" + BODY,
                false,
                List.of(":status", "200", "content-length", length));
    }

    private static String fields(int number) {
        return IntStream.range(0, number).mapToObj(i -> "x" + i + ": 1\r\n").collect(Collectors.joining());
    }

    /** The lines of its head over HTTP/1.1. */
    List<String> lines1() {
        String head = http1.replace("\r\n", "\n").stripLeading().split("\n\n")[0];
        return List.of(head.split("\n"));
    }

    /** The fields over HTTP/2, as a head of HTTP/1.1. */
    List<String> lines2() {
        int status = Integer.parseInt(http2.get(1));
        return Stream.concat(
                        Stream.of("HTTP/1.1 " + status + " " + StatusCodes.getReason(status)),
                        IntStream.range(1, http2.size() / 2)
                                .mapToObj(i -> http2.get(2 * i) + ": " + http2.get(2 * i + 1)))
                .toList();
    }

    @Override
    public String toString() {
        return name;
    }
}
