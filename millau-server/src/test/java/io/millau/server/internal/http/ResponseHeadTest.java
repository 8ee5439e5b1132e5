package io.millau.server.internal.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.undertow.util.HeaderMap;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A response's head is edited in place: it is forwarded as received, without the hop-by-hop fields. */
class ResponseHeadTest {

    private final ResponseHead head = new ResponseHead();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "nothing to remove | HTTP/1.1 200 OK;Server: x;Content-Length: 4 | HTTP/1.1 200 OK;Server: x;Content-Length: 4",
                "first | HTTP/1.1 200 OK;Connection: keep-alive;A: 1;Content-Length: 4 | HTTP/1.1 200 OK;A: 1;Content-Length: 4",
                "last | HTTP/1.1 200 OK;Content-Length: 4;Keep-Alive: timeout=5 | HTTP/1.1 200 OK;Content-Length: 4",
                "at several places | HTTP/1.1 404 Not Found;TE: x;A: 1;upgrade: h2c;B: 2;Content-Length: 4;Proxy-Connection: y | HTTP/1.1 404 Not Found;A: 1;B: 2;Content-Length: 4",
                "two adjacent fields | HTTP/1.1 200 OK;A: 1;Connection: close;Keep-Alive: x;Content-Length: 4 | HTTP/1.1 200 OK;A: 1;Content-Length: 4",
                "named by Connection | HTTP/1.1 200 OK;X-Own: 1;Connection: x-own, close;Content-Length: 4 | HTTP/1.1 200 OK;Content-Length: 4",
                "fields that Connection can't name | HTTP/1.1 200 OK;Date: now;Connection: date, content-length;Content-Length: 4 | HTTP/1.1 200 OK;Date: now;Content-Length: 4",
                "a duplicate length | HTTP/1.1 200 OK;Content-Length: 4;A: 1;Content-Length: 4 | HTTP/1.1 200 OK;Content-Length: 4;A: 1",
                "an older version | HTTP/1.0 200 OK;Content-Length: 4 | HTTP/1.1 200 OK;Content-Length: 4",
                "an older version, with a field to remove | HTTP/1.0 200 OK;Connection: close;Content-Length: 4 | HTTP/1.1 200 OK;Content-Length: 4",
                "only the length is left | HTTP/1.1 200 OK;Connection: a;A: 1;Content-Length: 4 | HTTP/1.1 200 OK;Content-Length: 4"
            })
    void aHeadIsForwardedWithoutHopByHopFields(String what, String came, String leaves) throws Exception {
        String expected = leaves.replace(";", "\r\n") + "\r\n\r\nbody";
        byte[] bytes = (came.replace(";", "\r\n") + "\r\n\r\nbody").getBytes(StandardCharsets.ISO_8859_1);
        int headEnd = bytes.length - 4;

        for (int known = 1; known < headEnd; known++) {
            ByteBuffer part =
                    ByteBuffer.allocateDirect(4096).put(bytes, 0, known).flip();
            assertThat(head.read(part)).as("complete after %s bytes", known).isFalse();
            assertThat(part.position()).isZero();
        }
        ByteBuffer buffer = ByteBuffer.allocateDirect(4096).put(bytes).flip();

        assertThat(head.read(buffer)).isTrue();
        assertThat(buffer.position()).isEqualTo(headEnd);
        assertThat(head.length()).isEqualTo(4);
        int length = head.putBefore(buffer);
        assertThat(StandardCharsets.ISO_8859_1.decode(buffer).toString()).isEqualTo(expected);
        assertThat(length).isEqualTo(expected.length() - 4);
    }

    /** Cut behind the line, this was malformed, and in one piece it was not: it depended on the network. */
    @Test
    void aLineThatMayBeContinuedIsNotReadBeforeTheNextOneBegins() throws Exception {
        byte[] bytes = "HTTP/1.1 200 OK\r\nX\r\n : y\r\nContent-Length: 0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        for (int known = 0; known < bytes.length; known++) {
            assertThat(head.read(ByteBuffer.wrap(bytes, 0, known)))
                    .as("complete after %s bytes", known)
                    .isFalse();
        }
        assertThat(head.read(ByteBuffer.wrap(bytes))).isTrue();
        HeaderMap fields = new HeaderMap();
        head.copyTo(fields);
        assertThat(fields.getFirst("X")).isEqualTo("y");
    }

    @Test
    void theFinalHeadIsForwardedAfterAnInterimHead() throws Exception {
        ByteBuffer buffer = ByteBuffer.allocate(4096)
                .put(
                        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nConnection: x\r\nContent-Length: 0\r\n\r\n"
                                .getBytes(StandardCharsets.ISO_8859_1))
                .flip();

        assertThat(head.read(buffer)).isTrue();
        HeaderMap hints = new HeaderMap();
        head.copyTo(hints);
        assertThat(hints.getFirst("Link")).isEqualTo("</a>");
        assertThat(head.read(buffer)).isTrue();
        head.putBefore(buffer);

        assertThat(StandardCharsets.ISO_8859_1.decode(buffer).toString())
                .isEqualTo("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }

    /** Some servers write a head in a way that has one meaning only; other proxies read it, and it is not forwarded like that. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "HTTP/1.1 200 OK^A: 1^^|A: 1",
                "HTTP/1.1 200 OK;A: 1^Content-Length: 4;^|A: 1;Content-Length: 4",
                "^;HTTP/1.1 200 OK;A: 1;;|A: 1",
                "HTTP/1.1\t200\tOK;A: 1;;|A: 1",
                "HTTP/1.1  200;A: 1;;|A: 1",
                "HTTP/1.2 200 OK;A: 1;;|A: 1",
                "HTTP/2.0 200 OK;A: 1;;|A: 1",
                "HTTP/1.1 200 O\u0001K;A: 1;;|A: 1",
                "HTTP/1.1 200 OK;A: 1;  2;\t3;B: 4;;|A: 1    2  \t3;B: 4",
                "HTTP/1.1 200 OK;A:; 1;;|A: 1",
                "HTTP/1.1 200 OK;Content-Length:; 4;;|Content-Length: 4",
                "HTTP/1.1 200 OK;A : 1;;|A: 1",
                "HTTP/1.1 200 OK;A: 1\u00002;;|A: 1 2",
                "HTTP/1.1 200 OK;A: 1~2;;|A: 1 2",
                "HTTP/1.1 200 OK;Content-Length: 4, 4;;|Content-Length: 4",
            })
    void aHeadThatIsWrittenOddlyIsMended(String came, String leaves) throws Exception {
        byte[] bytes =
                came.replace(";", "\r\n").replace("^", "\n").replace("~", "\r").getBytes(StandardCharsets.ISO_8859_1);
        for (int known = 0; known < bytes.length; known++) {
            assertThat(head.read(ByteBuffer.wrap(bytes, 0, known)))
                    .as("complete after %s bytes", known)
                    .isFalse();
        }
        ByteBuffer whole = ByteBuffer.wrap(bytes);

        assertThat(head.read(whole)).isTrue();
        assertThat(whole.hasRemaining()).isFalse();
        assertThat(head.status()).isEqualTo(200);
        assertThat(head.reason()).isNull();
        assertThat(head.isWhole()).as("forwarded as received").isFalse();
        HeaderMap headers = new HeaderMap();
        head.copyTo(headers);
        for (String field : leaves.split(";")) {
            String[] parts = field.split(": ", 2);
            assertThat(headers.getFirst(parts[0])).isEqualTo(parts[1]);
            headers.remove(parts[0]);
        }
        assertThat(headers).isEmpty();
    }

    @Test
    void theNextHeadIsForwardedAsReceivedAgain() throws Exception {
        ByteBuffer both =
                ByteBuffer.wrap("HTTP/1.1 103 Early Hints\nA: 1\n\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
                        .getBytes(StandardCharsets.ISO_8859_1));

        assertThat(head.read(both)).isTrue();
        assertThat(head.isWhole()).isFalse();
        assertThat(head.read(both)).isTrue();
        assertThat(head.isWhole()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK;Content-Length: 4;Transfer-Encoding: chunked;Content-Length: 4",
                "HTTP/1.0 200 OK;Transfer-Encoding: chunked"
            })
    void aChunkedBodyWithAnotherLengthIsTheLastOnItsConnection(String came) throws Exception {
        ByteBuffer buffer =
                ByteBuffer.wrap((came.replace(";", "\r\n") + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));

        assertThat(head.read(buffer)).isTrue();
        assertThat(head.length()).isEqualTo(ResponseHead.CHUNKED);
        assertThat(head.keepAlive()).isFalse();
        HeaderMap headers = new HeaderMap();
        head.copyTo(headers);
        assertThat(headers).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Keep-Alive: timeout=5 | 5",
                "Keep-Alive: max=100, Timeout=15 | 15",
                "keep-alive:max=100,timeout=0 | 0",
                "Keep-Alive: timeout=x | -1",
                "Keep-Alive: notimeout=5 | -1",
                "Keep-Alive: timeout | -1",
                "A: 1 | -1"
            })
    void theHeadSaysHowLongTheConnectionIsKept(String field, long seconds) throws Exception {
        ByteBuffer buffer =
                ByteBuffer.wrap(("HTTP/1.1 200 OK\r\n" + field + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));

        assertThat(head.read(buffer)).isTrue();
        assertThat(head.keepAliveSeconds()).isEqualTo(seconds);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ICY 200 OK",
                "http/1.1 200 OK",
                "HTTP/2 200 OK",
                "HTTP/0.9 200 OK",
                "HTTP/01.1 200 OK",
                "HTTP/1.1200 OK",
                "HTTP/1.1 20 OK",
                "HTTP/1.1 099 OK",
                "HTTP/1.1 2000 OK",
                "HTTP/1.1 2xx OK",
                "HTTP/1.1 OK",
                " HTTP/1.1 200 OK"
            })
    void aStatusLineThatIsNoneIsRejected(String line) {
        ByteBuffer buffer = ByteBuffer.wrap((line + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));

        assertThatThrownBy(() -> head.read(buffer)).isInstanceOf(MalformedResponseException.class);
    }

    @Test
    void emptyLinesWithoutEndAreRejected() {
        ByteBuffer buffer =
                ByteBuffer.wrap("\r\n".repeat(ResponseHead.MAX_BYTES / 2).getBytes(StandardCharsets.ISO_8859_1));

        assertThatThrownBy(() -> head.read(buffer)).hasMessageContaining("more than 65536 bytes");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 4;Content-Length: 5",
                "Content-Length: +4",
                "Content-Length: 4, 5",
                "Content-Length: 4,",
                "Content-Length: 4\u0001",
                "Content-Length: 99999999999999999999",
                "Content-Length:",
                "Transfer-Encoding: chunked;Transfer-Encoding: chunked",
                "Transfer-Encoding: gzip, chunked",
                "Transfer-Encoding: \u000bchunked",
                "A",
                "A b: 1",
                " A: 1",
                ": 1",
            })
    void anAmbiguousHeadIsRejected(String fields) {
        ByteBuffer buffer = ByteBuffer.wrap(("HTTP/1.1 200 OK\r\n" + fields.replace(";", "\r\n") + "\r\n\r\n")
                .getBytes(StandardCharsets.ISO_8859_1));

        assertThatThrownBy(() -> head.read(buffer)).isInstanceOf(MalformedResponseException.class);
    }

    /** The reason is written to the log and shown on the status page. */
    @Test
    void theReasonOfARejectionContainsNoCookie() {
        ByteBuffer buffer = ByteBuffer.wrap(
                "HTTP/1.1 200 OK\r\nSet-Cookie session=SECRET: x\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));

        assertThatThrownBy(() -> head.read(buffer))
                .isInstanceOf(MalformedResponseException.class)
                .hasMessageContaining("Set-Cookie")
                .hasMessageNotContaining("SECRET");
    }

    @Test
    void aHeadMayHaveTwoHundredFields() throws Exception {
        String fields = "A: 1\r\n".repeat(200);
        ByteBuffer most =
                ByteBuffer.wrap(("HTTP/1.1 200 OK\r\n" + fields + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        ByteBuffer tooMany = ByteBuffer.wrap(
                ("HTTP/1.1 200 OK\r\n" + fields + "A: 1\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));

        assertThat(head.read(most)).isTrue();
        assertThatThrownBy(() -> head.read(tooMany)).hasMessageContaining("200 header fields");
    }
}
