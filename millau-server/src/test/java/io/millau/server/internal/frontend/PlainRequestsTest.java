package io.millau.server.internal.frontend;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which requests are parsed on the fast path, and which are left to Undertow. */
class PlainRequestsTest {

    private final PlainRequests requests = new PlainRequests();

    @Test
    void aTypicalRequestIsParsed() {
        ByteBuffer buffer =
                bytes("GET /a/b?c=d%20e;f HTTP/1.1\r\nhost: Company.com:8080\r\nACCEPT:  text/html, */* \r\n"
                        + "Accept: x\r\nConnection: Keep-Alive\r\nEmpty:\r\nCookie: a=b\r\n\r\n");

        HttpServerExchange exchange = requests.read(buffer, null);

        assertThat(exchange.getRequestMethod()).isSameAs(Methods.GET);
        assertThat(exchange.isHttp11()).isTrue();
        assertThat(exchange.getRequestURI()).isEqualTo("/a/b");
        assertThat(exchange.getRequestPath()).isEqualTo("/a/b");
        assertThat(exchange.getQueryString()).isEqualTo("c=d%20e;f");
        assertThat(exchange.getRequestHeaders().getFirst(Headers.HOST)).isEqualTo("Company.com:8080");
        assertThat(exchange.getRequestHeaders().get("Accept")).containsExactly("text/html, */*", "x");
        assertThat(exchange.getRequestHeaders().get("Empty")).containsExactly("");
        assertThat(exchange.isPersistent()).isTrue();
        assertThat(requests.length()).isZero();
        assertThat(buffer.hasRemaining()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET"})
    void aBodyOfKnownLengthIsLeftInTheBuffer(String method) {
        for (String body : List.of("hello", "", "hello, and then some")) {
            ByteBuffer buffer = bytes(method + " / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n" + body);

            HttpServerExchange exchange = requests.read(buffer, null);

            assertThat(exchange.getRequestMethod()).isEqualTo(new HttpString(method));
            assertThat(requests.length()).isEqualTo(5);
            assertThat(StandardCharsets.ISO_8859_1.decode(buffer).toString()).isEqualTo(body);
        }
        assertThat(requests.read(bytes(method + " / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"), null))
                .isNotNull();
        assertThat(requests.length()).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CONNECT / HTTP/1.1;Host: a",
                "PRI / HTTP/1.1;Host: a",
                "PROPFIND / HTTP/1.1;Host: a",
                "get / HTTP/1.1;Host: a",
                "GET  / HTTP/1.1;Host: a",
                "GET * HTTP/1.1;Host: a",
                "GET http://a/ HTTP/1.1;Host: a",
                "GET /%2e HTTP/1.1;Host: a",
                "GET /?%2 HTTP/1.1;Host: a",
                "GET /?% HTTP/1.1;Host: a",
                "GET /# HTTP/1.1;Host: a",
                "GET /\u00e4 HTTP/1.1;Host: a",
                "GET / HTTP/1.0;Host: a",
                "GET / HTTP/1.1 ;Host: a",
                "GET /;Host: a",
                "GET / HTTP/1.1",
                "GET / HTTP/1.1;Accept: b",
                "GET / HTTP/1.1;Host:",
                "GET / HTTP/1.1;Host: ",
                "GET / HTTP/1.1;Host: a;Host: a",
                "GET / HTTP/1.1;Host: a, b",
                "GET / HTTP/1.1;Host: a/b",
                "GET / HTTP/1.1;Host: a:",
                "GET / HTTP/1.1;Host: a:0",
                "GET / HTTP/1.1;Host: a:65536",
                "GET / HTTP/1.1;Host: a:000080",
                "GET / HTTP/1.1;Host: a:8x",
                "GET / HTTP/1.1;Host: [::1]",
                "GET / HTTP/1.1;Host: user@a",
                "GET / HTTP/1.1;Host : a",
                "GET / HTTP/1.1; Host: a",
                "GET / HTTP/1.1;Host: a; folded",
                "GET / HTTP/1.1;Host: a;: b",
                "GET / HTTP/1.1;Host: a;b",
                "GET / HTTP/1.1;Host: a;B: c\u0000d",
                "GET / HTTP/1.1;Host: a;B: c\rd",
                "GET / HTTP/1.1;Host: a;B: c\nd: e",
                "GET / HTTP/1.1;Host: a;B: c\td",
                "GET / HTTP/1.1;Host: a;B: \u00e4",
                "POST / HTTP/1.1;Host: a;Content-Length: 1;Content-Length: 1",
                "POST / HTTP/1.1;Host: a;Content-Length: 0;Content-Length: 1",
                "POST / HTTP/1.1;Host: a;Content-Length: 1;Transfer-Encoding: chunked",
                "POST / HTTP/1.1;Host: a;Content-Length:",
                "POST / HTTP/1.1;Host: a;Content-Length: +1",
                "POST / HTTP/1.1;Host: a;Content-Length: -1",
                "POST / HTTP/1.1;Host: a;Content-Length: 0x1",
                "POST / HTTP/1.1;Host: a;Content-Length: 1, 1",
                "POST / HTTP/1.1;Host: a;Content-Length: 1 1",
                "POST / HTTP/1.1;Host: a;Content-Length: 1000000000000000000",
                "POST / HTTP/1.1;Host: a;Content-Length: 0;;GET / HTTP/1.1;Host: a",
                "GET / HTTP/1.1;Host: a;transfer-encoding: chunked",
                "GET / HTTP/1.1;Host: a;Connection: close",
                "GET / HTTP/1.1;Host: a;Connection: keep-alive, x",
                "GET / HTTP/1.1;Host: a;Upgrade: websocket",
                "GET / HTTP/1.1;Host: a;HTTP2-Settings: x",
                "GET / HTTP/1.1;Host: a;Expect: 100-continue",
                "GET / HTTP/1.1;Host: a;Cookie: b=c;cookie: d=e",
                "GET / HTTP/1.1;Host: a;;GET / HTTP/1.1;Host: a",
                "GET / HTTP/1.1;Host: a;;GET / HTTP/1.1;Host: "
            })
    void anUnusualRequestIsLeftToUndertow(String head) {
        ByteBuffer buffer = bytes(head.replace(";", "\r\n") + "\r\n\r\n");

        assertThat(requests.read(buffer, null)).isNull();
        assertThat(buffer.position()).isZero();
    }

    @Test
    void anIncompleteRequestIsLeftToUndertow() {
        String whole = "HEAD /some/where?a=b HTTP/1.1\r\nHost: company.com\r\nAccept: */*\r\n\r\n";

        for (int length = 0; length < whole.length(); length++) {
            assertThat(requests.read(bytes(whole.substring(0, length)), null)).isNull();
        }
        assertThat(requests.read(bytes(whole), null)).isNotNull();
        assertThat(requests.read(bytes(whole + "G"), null)).isNull();
        assertThat(requests.read(bytes(whole), null)).isNotNull(); // no state is left from the previous request
        assertThat(requests.read(bytes(whole.substring(0, whole.length() - 1)), null))
                .isNull();
    }

    @Test
    void sizesAreLimited() {
        assertThat(requests.read(withFields(99), null)).isNotNull();
        assertThat(requests.read(withFields(100), null)).isNull();
        int rest = 8 * 1024 - "GET / HTTP/1.1\r\nHost: a\r\n\r\n".length();
        assertThat(requests.read(withPath(rest), null)).isNotNull();
        assertThat(requests.read(withPath(rest + 1), null)).isNull();
    }

    private static ByteBuffer withFields(int more) {
        return bytes("GET / HTTP/1.1\r\nHost: a\r\n" + "B: c\r\n".repeat(more) + "\r\n");
    }

    private static ByteBuffer withPath(int more) {
        return bytes("GET /" + "a".repeat(more) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
    }
}
