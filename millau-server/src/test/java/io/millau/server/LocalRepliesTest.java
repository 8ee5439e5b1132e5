package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.testing.CapturedLog;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every response of Millau's own is told with its reason. */
class LocalRepliesTest extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final LocalReplies replies = new LocalReplies();
    private final List<String> told = replies.told;

    @Override
    protected Millau.Builder builder() {
        return super.builder().listener(replies);
    }

    private void assertTold(String... events) {
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(told).containsExactly(events));
    }

    @ParameterizedTest
    @CsvSource({
        "'GET / HTTP/1.1\r\nHost: app', 200 null",
        "'GET / HTTP/1.1\r\nHost: a b', 400 BAD_REQUEST",
        "'GET /a b HTTP/1.1\r\nHost: app', 400 BAD_REQUEST",
        "'CONNECT app:443 HTTP/1.1\r\nHost: app', 501 CONNECT",
        "'GET / HTTP/1.1\r\nHost: moved', 308 REDIRECT",
        "'GET / HTTP/1.1\r\nHost: else', 502 NO_SERVICE",
        "'GET / HTTP/1.1\r\nHost: empty', 502 NO_ENDPOINT",
        "'GET / HTTP/1.1\r\nHost: down', 502 UPSTREAM_FAILED",
        "'GET / HTTP/1.1\r\nHost: slow', 504 UPSTREAM_TIMEOUT"
    })
    void aResponseIsToldWithItsReason(String head, String event) throws Exception {
        startWithFailures();
        client().send(head + "\r\n\r\n").read();
        assertTold(event);
    }

    @Test
    void anOverlongHeadIsToldWithItsReason() throws Exception {
        startWithFailures();
        client().send("GET / HTTP/1.1\r\nHost: app\r\nX: " + "x".repeat(40_000) + "\r\n\r\n")
                .readHead();
        assertTold("431 HEAD_TOO_LARGE");
    }

    @Test
    void aHeadThatDoesNotArriveIsToldWithItsReason() throws Exception {
        startWithFailures();
        RawClient client = client().send("GET / HTTP/1.1\r\nHost:");
        client().get("/"); // accepted later, so the first one is being read
        ahead.addAndGet(Duration.ofSeconds(11).toNanos());
        client.readHead();
        assertTold("502 NO_SERVICE", "408 REQUEST_TIMEOUT");
    }

    @Test
    void aStreamThatEndsWithoutAResponseIsTold() throws Exception {
        startWithFailures();
        try (RawHttp2Client http2 = new RawHttp2Client(millau.port())) {
            // A head with a priority that depends on its own stream (RFC 7540, 5.3.1).
            byte[] head = {0, 0, 0, 1, 0, (byte) 0x82, (byte) 0x86, (byte) 0x84, 0x41, 1, 'a'};
            http2.send(RawHttp2Client.HEADERS, 0x25, 1, head);
            assertThat(http2.next(1).type()).isEqualTo(RawHttp2Client.RST_STREAM);
        }
        assertTold("malformed");
    }

    @Test
    void whatIsRefusedIsLogged() throws Exception {
        startWithFailures();
        try (CapturedLog log = new CapturedLog()) {
            client().send("CONNECT app:443 HTTP/1.1\r\nHost: app\r\n\r\n").read();
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(log.about("Bad request"))
                            .singleElement()
                            .asString()
                            .contains("client=127.0.0.1 reason=\"method CONNECT, which is not implemented\""));
        }
    }

    @Test
    void aConnectionEndsWhereTheClientMayStillSendItsBodyOrItsNextRequest() throws Exception {
        // A client that gets a final response instead of 100 may leave the body out. Its next request must not be read
        // as that.
        startWithFailures();
        RawClient client =
                client().send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");

        assertThat(client.read().field("Connection")).isEqualTo("close");
        assertThat(client.ended()).isTrue();
    }
}
