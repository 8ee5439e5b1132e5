package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Service;
import io.millau.core.testing.CapturedLog;
import io.millau.testing.ScriptedEndpoint;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code millau.max-body}: requests with a longer body get a 413. */
class MaxBodyTest extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final LocalReplies replies = new LocalReplies();
    private final List<String> told = replies.told;

    @Override
    protected Millau.Builder builder() {
        return super.builder().listener(replies);
    }

    private void startWithLimit(ScriptedEndpoint endpoint) throws Exception {
        startWith(app(endpoint.endpoint()).maxBody(10).build());
    }

    private void assertTold(String event) {
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(told).containsExactly(event));
    }

    /** Tells how what it receives over each connection ends. */
    private ScriptedEndpoint endpointThatReadsToTheEnd(LinkedBlockingQueue<String> received, String response) {
        return endpoint(connection -> {
            connection.wire().readHead();
            connection.send(response);
            received.add(connection.wire().readToEnd());
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 10\r\n\r\n0123456789",
                "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"
            })
    void aBodyOfThatLengthIsForwarded(String framingAndBody) throws Exception {
        startWithLimit(endpointThatSays("ok"));

        assertThat(client().send("POST / HTTP/1.1\r\nHost: a\r\n" + framingAndBody)
                        .read()
                        .body())
                .isEqualTo("ok");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Expect: 100-continue\r\n"})
    void nothingIsSentIfItsLengthSaysThatItIsLonger(String fields) throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWithLimit(endpoint);
        try (CapturedLog log = new CapturedLog()) {
            RawClient client = client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n" + fields + "\r\n");

            assertThat(client.read().status()).isEqualTo(413);
            assertThat(client.ended()).isTrue();
            assertThat(log.about("Bad request"))
                    .singleElement()
                    .asString()
                    .contains("body of more than 10 bytes, the limit of service app (millau.max-body)");
        }
        assertTold("413 BODY_TOO_LARGE");
        assertThat(endpoint.connections()).isZero();
        assertThat(traffic.events).noneMatch(event -> event.startsWith("failed"));
    }

    @Test
    void theRequestIsCutWhereChunksPassTheLimit() throws Exception {
        LinkedBlockingQueue<String> received = new LinkedBlockingQueue<>();
        startWithLimit(endpointThatReadsToTheEnd(received, ""));
        RawClient client = client().send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");

        client.send("5\r\n01234\r\n6\r\n567890\r\n0\r\n\r\n");

        assertThat(client.read().status()).isEqualTo(413);
        assertThat(client.ended()).isTrue();
        assertThat(received.take()).doesNotContain("0\r\n\r\n");
        assertTold("413 BODY_TOO_LARGE");
    }

    @Test
    void theConnectionEndsIfTheResponseHasBegun() throws Exception {
        LinkedBlockingQueue<String> received = new LinkedBlockingQueue<>();
        startWithLimit(endpointThatReadsToTheEnd(received, "HTTP/1.1 200 OK\r\n\r\nhello"));
        RawClient client = client().send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        assertThat(client.readHead().status()).isEqualTo(200);

        client.send("b\r\n0123456789a\r\n0\r\n\r\n");

        assertThat(client.wire().readToEnd()).doesNotContain("0\r\n\r\n");
        assertThat(received.take()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void itAppliesOverHttp2(boolean lengthIsKnown) throws Exception {
        startWithLimit(endpoint(connection -> {
            connection.wire().readHead();
            connection.hang();
        }));
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));
        String length = lengthIsKnown ? "content-length" : "x-length";
        client.headers(1, false, ":method", "POST", ":scheme", "http", ":path", "/", ":authority", "a", length, "11");
        client.send(RawHttp2Client.DATA, RawHttp2Client.END_STREAM, 1, new byte[11]);

        assertThat(client.body(1)).isEqualTo("Request Entity Too Large\n");
        assertTold("413 BODY_TOO_LARGE");
    }

    /** Of two services that fit equally well, each applies its own limit. */
    @Test
    void theLimitOfTheNextServiceAppliesToARetry() throws Exception {
        Service strict = Service.named("strict")
                .endpoints(endpointThatSays("ok").endpoint())
                .maxBody(10)
                .build();
        Service broken =
                Service.named("broken").endpoints(endpointThatRefuses()).build();
        startWith(broken, strict);

        for (int i = 0; i < 2; i++) {
            RawClient client = client().send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n0123456789a");
            assertThat(client.read().status()).isEqualTo(413);
        }
    }
}
