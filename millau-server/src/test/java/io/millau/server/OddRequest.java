package io.millau.server;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A request as browsers, other proxies or attackers send it, of a kind that RFC 9110, 9112 or 9113 has a rule for.
 *
 * @param http1 all bytes, after which another request is tried over the connection; empty where HTTP/1.1 can't express it
 * @param http2 names and values of the fields in turn; empty where HTTP/2 can't express it
 */
record OddRequest(String name, String rfc, String http1, List<String> http2) {

    private static final String END = "\r\n\r\n";

    static final List<OddRequest> ALL = List.of(
            // ---- The target
            target(
                    "`\\|`, `{`, `}`, `^`, backtick, `\"`, `\\`, `<`, `>` in the query",
                    "/x?a=1|2&f={%22b%22:1}^`\"\\<>"),
            target("the same in the path", "/a|b{c}^`\"\\<>"),
            target("percent sign that is no escape", "/100%?q=100%"),
            target("bytes above 0x7F", "/gr\u00c3\u00b6\u00c3\u009fe?q=\u00c3\u00a4"),
            target("dot segments, empty segments, parameters", "/a/../b//c;d=e/%2F"),
            target("`#`", "/a#b"),
            target("control character", "/a\u0001b"),
            target("DEL", "/a\u007fb"),
            target("tab", "/a\tb"),
            target("longer than 32 KiB", "/" + "a".repeat(33_000)),
            new OddRequest(
                    "absolute form, with the host of `Host`",
                    "9112, 3.2.2",
                    "GET http://a/x?y HTTP/1.1\r\nHost: a" + END,
                    http2("http://a/x?y")),
            http1(
                    "absolute form, with another host than `Host`",
                    "9112, 3.2.2",
                    "GET http://b/x HTTP/1.1\r\nHost: a" + END),
            http1("absolute form, without a path", "9112, 3.2.2", "GET http://a?y HTTP/1.1\r\nHost: a" + END),
            http1("absolute form, with two `Host`", "9112, 3.2", "GET http://a/x HTTP/1.1\r\nHost: a\r\nHost: b" + END),
            http1("absolute form, without a host", "9110, 4.2.1", "GET http:///x HTTP/1.1\r\nHost: a" + END),
            http1("absolute form, with another scheme", "9112, 3.2", "GET ftp://a/x HTTP/1.1\r\nHost: a" + END),
            http1("URL in the query of what is no path", "9112, 3.2", "GET x?y=http://b/z HTTP/1.1\r\nHost: a" + END),
            http1("asterisk form", "9112, 3.2.4", "OPTIONS * HTTP/1.1\r\nHost: a" + END),
            new OddRequest(
                    "`CONNECT`",
                    "9110, 9.3.6",
                    "CONNECT a:443 HTTP/1.1\r\nHost: a:443" + END,
                    fields(":method=CONNECT :authority=a:443")),
            new OddRequest("neither path nor URL", "9112, 3.2", "GET x HTTP/1.1\r\nHost: a" + END, http2("x")),
            // ---- The request line
            http1("empty lines before it", "9112, 2.2", "\r\n\r\nGET / HTTP/1.1\r\nHost: a" + END),
            http1("lines that end with LF alone", "9112, 2.2", "GET / HTTP/1.1\nHost: a\n\n"),
            http1("CR within a line", "9112, 2.2", "GET / HTTP/1.1\r\nHost: a\r\nX: b\rY: c" + END),
            http1("two blanks", "9112, 3", "GET  / HTTP/1.1\r\nHost: a" + END),
            http1("blank in the target", "9112, 3.2", "GET /a b HTTP/1.1\r\nHost: a" + END),
            http1("no version", "9112, 2.3", "GET /" + END),
            http1("version `HTTP/0.9`", "9112, 2.3", "GET / HTTP/0.9\r\nHost: a" + END),
            http1("version `HTTP/1.9`", "9110, 2.5", "GET / HTTP/1.9\r\nHost: a" + END),
            http1("version `HTTP/2.0`, `HTTP/9.9`", "9110, 15.6.6", "GET / HTTP/9.9\r\nHost: a" + END),
            new OddRequest(
                    "method that is no token",
                    "9110, 9.1",
                    "G(T / HTTP/1.1\r\nHost: a" + END,
                    fields(":method=G(T :scheme=http :path=/ :authority=a")),
            new OddRequest(
                    "method that nobody knows",
                    "9110, 9.1",
                    "BREW / HTTP/1.1\r\nHost: a" + END,
                    fields(":method=BREW :scheme=http :path=/ :authority=a")),
            new OddRequest(
                    "`head`, `connect` in lower case",
                    "9110, 9.1",
                    "head / HTTP/1.1\r\nHost: a" + END,
                    fields(":method=head :scheme=http :path=/ :authority=a")),
            http1(
                    "TLS on a port without it",
                    "9112, 3",
                    "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\n\n"),
            // ---- The host
            new OddRequest(
                    "`Host` missing", "9112, 3.2", "GET / HTTP/1.1" + END, fields(":method=GET :scheme=http :path=/")),
            host("host with an empty port", "9110, 4.2", "a:"),
            host("port that is no number", "9112, 3.2", "a:b"),
            host("user information", "9110, 4.2.4", "user@a"),
            host("path in the host", "9112, 3.2", "a/b"),
            host("blank in the host", "9112, 3.2", "a b"),
            host("IPv6 address", "9110, 7.2", "[::1]:80"),
            host("IPv6 address without brackets", "9110, 7.2", "::1"),
            new OddRequest(
                    "two hosts",
                    "9112, 3.2",
                    "GET / HTTP/1.1\r\nHost: a\r\nHost: b" + END,
                    fields(":method=GET :scheme=http :path=/ :authority=a :authority=b")),
            http2("`host` and no `:authority`", "9113, 8.3.1", fields(":method=GET :scheme=http :path=/ host=a")),
            // ---- Fields
            http1("value that is folded", "9112, 5.2", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b" + END),
            field("value with NUL", "9110, 5.5", "x", "a\u0000b"),
            field("value with bytes above 0x7F", "9110, 5.5", "x", "gr\u00fcn"),
            field("name with a blank at its end", "9112, 5.1", "x ", "a"),
            field("name with a bracket", "9110, 5.1", "x(", "a"),
            field("name with a colon", "9113, 8.2.1", "x:y", "a"),
            http1("field without a colon", "9112, 5", "GET / HTTP/1.1\r\nHost: a\r\nxy" + END),
            http1("blank before the first field", "9112, 2.2", "GET / HTTP/1.1\r\n Host: a" + END),
            http1(
                    "`Connection: close, x-mine`",
                    "9112, 9.6",
                    "GET / HTTP/1.1\r\nHost: a\r\nX-Mine: 1\r\nConnection: close, x-mine" + END),
            http1(
                    "`HTTP/1.0` with `Connection: x, keep-alive`",
                    "9112, 9.3",
                    "GET / HTTP/1.0\r\nHost: a\r\nConnection: x, keep-alive" + END),
            http2("`connection`", "9113, 8.2.2", with("connection", "keep-alive")),
            http2("`transfer-encoding`", "9113, 8.2.2", with("transfer-encoding", "chunked")),
            http2("`te: gzip`", "9113, 8.2.2", with("te", "gzip")),
            http2("name in upper case", "9113, 8.2.1", with("X-Mine", "1")),
            http2("name that is empty", "9113, 8.2.1", with("", "1")),
            http2("name with CR", "9113, 8.2.1", with("x\ry", "1")),
            http2("name with LF", "9113, 8.2.1", with("x\ny", "1")),
            new OddRequest(
                    "201 fields",
                    "9110, 5.4",
                    "GET / HTTP/1.1\r\nHost: a\r\n" + fields1(200) + END,
                    with(fields2(198))),
            new OddRequest(
                    "101 fields of one name",
                    "9110, 5.4",
                    "GET / HTTP/1.1\r\nHost: a" + "\r\nx: 1".repeat(101) + END,
                    with("x 1 ".repeat(101).split(" "))),
            field("21 kB of cookies", "9110, 5.4", "cookie", "c".repeat(21_000)),
            field("33 kB of cookies", "9110, 5.4", "cookie", "c".repeat(33_000)),
            // ---- Pseudo-header fields
            http2("`:method` missing", "9113, 8.3.1", fields(":scheme=http :path=/ :authority=a")),
            http2("`:scheme` missing", "9113, 8.3.1", fields(":method=GET :path=/ :authority=a")),
            http2("`:path` missing", "9113, 8.3.1", fields(":method=GET :scheme=http :authority=a")),
            http2("`:path` empty", "9113, 8.3.1", fields(":method=GET :scheme=http :path= :authority=a")),
            http2("`:path` twice", "9113, 8.3.1", fields(":method=GET :scheme=http :path=/ :path=/ :authority=a")),
            http2("`:status`", "9113, 8.3", fields(":method=GET :scheme=http :path=/ :authority=a :status=200")),
            http2(
                    "a pseudo-header field after others",
                    "9113, 8.3",
                    fields(":method=GET :scheme=http :path=/ x=1 :authority=a")),
            // ---- Framing
            length("`Content-Length` that is no number", "1x"),
            length("`Content-Length` with a sign", "+1"),
            length("`Content-Length` of 20 digits", "99999999999999999999"),
            length("`Content-Length` with two equal numbers", "1, 1"),
            http1(
                    "`Content-Length` twice",
                    "9112, 6.3",
                    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1" + END + "x"),
            http1(
                    "`Content-Length` and `Transfer-Encoding`",
                    "9112, 6.3",
                    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked" + END + "0" + END),
            http1(
                    "`Transfer-Encoding: gzip, chunked`",
                    "9112, 6.1",
                    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked" + END + "0" + END),
            http1(
                    "`Transfer-Encoding` over HTTP/1.0",
                    "9112, 6.1",
                    "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked" + END + "0" + END),
            http2("`content-length` without a body", "9113, 8.1.1", with("content-length", "5")),
            // ---- Chunks
            chunks("chunk size with leading zeros", "7.1", "0003\r\nabc\r\n00" + END),
            chunks("chunk size of more than 15 digits", "7.1", "0000000000000003\r\nabc\r\n0" + END),
            chunks("chunk size with `0x`", "7.1", "0x3\r\nabc\r\n0" + END),
            chunks("letter after a chunk's size", "7.1", "3g\r\nabc\r\n0" + END),
            chunks("NUL after a chunk's size", "7.1", "3\u0000\r\nabc\r\n0" + END),
            chunks("blank before a chunk's size", "7.1", " 3\r\nabc\r\n0" + END),
            chunks("blanks after a chunk's size", "7.1.1", "3 \t\r\nabc\r\n0" + END),
            chunks("other bytes after a blank", "7.1.1", "3 4\r\nabc\r\n0" + END),
            chunks("chunk extension", "7.1.1", "3 ; a=\"b c\";d\r\nabc\r\n0;e" + END),
            chunks("chunk extension with a bare CR", "7.1.1", "3;a\rX\r\nabc\r\n0" + END),
            chunks("chunk extension that ends with LF alone", "7.1.1", "3;a\nabc\r\n0" + END),
            chunks("chunk extension of 5 kB", "7.1.1", "3;" + "a".repeat(5000) + "\r\nabc\r\n0" + END),
            chunks("chunk size that ends with LF alone", "7.1", "3\nabc\r\n0" + END),
            chunks("chunk that ends with LF alone", "7.1", "3\r\nabc\n0" + END),
            chunks("chunk that ends with CR alone", "7.1", "3\r\nabc\r0" + END),
            chunks("more data than a chunk's size says", "7.1", "3\r\nabcd\r\n0" + END),
            chunks("less data than a chunk's size says", "7.1", "3\r\nab\r\n0" + END),
            chunks("trailers", "7.1.2", "3\r\nabc\r\n0\r\nX: 1\r\nY: 2" + END),
            chunks("trailer that ends with LF alone", "7.1.2", "3\r\nabc\r\n0\r\nX: 1\n\r\n"),
            chunks("last chunk that ends with two LF alone", "7.1.2", "3\r\nabc\r\n0\r\n\n"),
            chunks("trailer without a colon", "7.1.2", "3\r\nabc\r\n0\r\nX" + END),
            chunks("trailer with NUL", "7.1.2", "3\r\nabc\r\n0\r\nX: \u0000" + END),
            chunks("198 trailers, and 2 fields before", "7.1.2", "0\r\n" + fields1(198) + END),
            chunks("199 trailers, and 2 fields before", "7.1.2", "0\r\n" + fields1(199) + END),
            chunks("33 kB of trailers", "7.1.2", "0\r\nX: " + "x".repeat(33_000) + END));

    /** @param section of RFC 9112 */
    private static OddRequest chunks(String name, String section, String chunks) {
        return http1(
                name, "9112, " + section, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked" + END + chunks);
    }

    private static OddRequest http1(String name, String rfc, String bytes) {
        return new OddRequest(name, rfc, bytes, List.of());
    }

    private static OddRequest http2(String name, String rfc, List<String> fields) {
        return new OddRequest(name, rfc, "", fields);
    }

    /** Names and values in turn, from text like {@code :method=GET :path=/}. */
    private static List<String> fields(String text) {
        return Stream.of(text.split(" "))
                .flatMap(field -> Stream.of(field.split("=", 2)))
                .toList();
    }

    private static OddRequest target(String name, String target) {
        return new OddRequest(name, "9112, 3.2", "GET " + target + " HTTP/1.1\r\nHost: a" + END, http2(target));
    }

    private static OddRequest host(String name, String rfc, String host) {
        return new OddRequest(
                name,
                rfc,
                "GET / HTTP/1.1\r\nHost: " + host + END,
                List.of(":method", "GET", ":scheme", "http", ":path", "/", ":authority", host));
    }

    private static OddRequest field(String name, String rfc, String field, String value) {
        return new OddRequest(
                name, rfc, "GET / HTTP/1.1\r\nHost: a\r\n" + field + ": " + value + END, with(field, value));
    }

    private static String fields1(int number) {
        return IntStream.range(0, number).mapToObj(i -> "x" + i + ": 1").collect(Collectors.joining("\r\n"));
    }

    private static String[] fields2(int number) {
        return IntStream.range(0, number)
                .boxed()
                .flatMap(i -> Stream.of("x" + i, "1"))
                .toArray(String[]::new);
    }

    private static OddRequest length(String name, String length) {
        return new OddRequest(
                name,
                "9110, 8.6",
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + length + END + "x",
                with("content-length", length));
    }

    private static List<String> http2(String path) {
        return List.of(":method", "GET", ":scheme", "http", ":path", path, ":authority", "a");
    }

    /** A plain request with these fields, names and values in turn. */
    private static List<String> with(String... fields) {
        return Stream.concat(http2("/").stream(), Stream.of(fields)).toList();
    }

    @Override
    public String toString() {
        return name;
    }
}
