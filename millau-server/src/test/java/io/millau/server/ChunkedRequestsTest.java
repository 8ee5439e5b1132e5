package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millau.core.testing.CapturedLog;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;

/** Requests whose body comes in chunks (RFC 9112, 7.1). What is malformed has rows in {@link OddRequest}, too. */
class ChunkedRequestsTest extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String HEAD = "POST /%s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    /** Wherever the network cuts it, the endpoint gets the same body, the same trailers, and then the next request. */
    @Test
    void chunksMayArriveInAnyPieces() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        long seed = System.nanoTime();
        Random random = new Random(seed);
        String large = "0123456789".repeat(7_000);
        String sent = String.format(HEAD, 1) + "3\r\nabc\r\n5;x=y\r\ndefgh\r\n"
                + Integer.toHexString(large.length()) + "\r\n" + large + "\r\n0\r\nX-Sum: 1\r\n\r\n"
                + String.format(HEAD, 2) + "1\r\n2\r\n0\r\n\r\n"
                + "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n";
        for (int round = 0; round < 20; round++) {
            endpoint.requests.clear();
            RawClient client = client();
            for (int from = 0; from < sent.length(); ) {
                int to = Math.min(sent.length(), from + 1 + random.nextInt(random.nextBoolean() ? 8 : 40_000));
                client.send(sent.substring(from, to));
                from = to;
            }
            for (int i = 0; i < 3; i++) {
                assertThat(client.read().body())
                        .as("seed %d, round %d", seed, round)
                        .isEqualTo("ok");
            }
            assertThat(endpoint.requests)
                    .as("seed %d, round %d", seed, round)
                    .extracting(request -> request.startLine().split(" ")[1] + " " + request.body())
                    .containsExactly("/1 abcdefgh" + large + "\ntrailer X-Sum: 1", "/2 2", "/3 ");
        }
    }

    /** A proxy with 64 MB was out of memory after 46 MB of such trailers. */
    @Test
    void trailersWithoutAnEndGet431() throws Exception {
        LinkedBlockingQueue<String> ends = new LinkedBlockingQueue<>();
        startWith(endpointThatTellsHowBodiesEnd(ends));
        RawClient client = client().send(String.format(HEAD, "") + "3\r\nabc\r\n0\r\n");
        int sent = 0;
        try {
            for (; sent < 100_000; sent++) {
                client.send("x" + sent + ": " + "a".repeat(1000) + "\r\n");
            }
        } catch (IOException e) {
            // The proxy does not read on, and ends the connection.
        }

        assertThat(client.read().status()).isEqualTo(431);
        assertThat(sent).isLessThan(100_000);
        assertThat(ends.take()).isEqualTo("cut");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(traffic.events).contains("ended POST app 431 3 0"));
    }

    @Test
    void aMalformedChunkCutsTheRequestToTheEndpoint() throws Exception {
        LinkedBlockingQueue<String> ends = new LinkedBlockingQueue<>();
        startWith(endpointThatTellsHowBodiesEnd(ends));
        try (CapturedLog log = new CapturedLog()) {
            RawClient client = client().send(String.format(HEAD, "") + "3\r\nabc\r\n3g\r\nabc\r\n0\r\n\r\n");

            Message response = client.read();
            assertThat(response.status()).isEqualTo(400);
            assertThat(response.field("Connection")).isEqualTo("close");
            assertThat(client.ended()).isTrue();
            assertThat(ends.take()).isEqualTo("cut");
            assertThat(log.about("Bad request"))
                    .singleElement()
                    .asString()
                    .contains("byte 0x67 in a chunk's size, expected hexadecimal digits and CRLF");
        }
        assertThat(traffic.events).noneMatch(event -> event.startsWith("failed"));
    }

    /** The endpoint responds before it has the whole request; then comes a malformed chunk. */
    @Test
    void aMalformedChunkEndsTheConnectionOnceTheResponseHasBegun() throws Exception {
        LinkedBlockingQueue<String> ends = new LinkedBlockingQueue<>();
        startWith(endpoint(connection -> {
            connection.wire().readHead();
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
            ends.add(connection.wire().readToEnd());
        }));
        RawClient client = client().send(String.format(HEAD, "") + "3\r\nabc\r\n");
        assertThat(client.readHead().status()).isEqualTo(200);

        client.send("3\nabc\r\n0\r\n\r\n");

        assertThatThrownBy(() -> client.wire().readExactly(10)).isInstanceOf(IOException.class);
        assertThat(ends.take()).doesNotContain("0\r\n\r\n");
        await().atMost(PATIENCE)
                .untilAsserted(
                        () -> assertThat(traffic.events).contains("ended POST app delivered client gone 200 3 5"));
    }

    /** The response is not lost in a reset, though the client has not stopped sending when the proxy closes. */
    @Test
    void aClientThatSendsOnGetsItsResponse() throws Exception {
        startWith(endpointThatHangs(new CountDownLatch(1)));
        for (int i = 0; i < 20; i++) {
            RawClient client = client().send(String.format(HEAD, "") + "x");
            client.send("a".repeat(100_000));
            assertThat(client.read().status()).isEqualTo(400);
            client.send("a".repeat(1000));
            assertThat(client.ended()).isTrue();
        }
    }

    private ScriptedEndpoint endpointThatTellsHowBodiesEnd(LinkedBlockingQueue<String> ends) {
        return endpoint(connection -> {
            String received = connection.wire().readToEnd();
            ends.add(received.endsWith("0\r\n\r\n") ? "whole" : "cut");
        });
    }
}
