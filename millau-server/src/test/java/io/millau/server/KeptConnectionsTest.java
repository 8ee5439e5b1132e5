package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.testing.Fault;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/**
 * Which kept connections are used. An endpoint may close one at any time (RFC 9112, 9.5); a request that can't be retried is lost
 * then, unless the endpoint is known to do so.
 */
class KeptConnectionsTest extends ProxyTest {

    private static final String POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";

    /** Whenever this happens, a POST that follows a response within a millisecond is lost about once in 30 times. */
    @Test
    void noPostIsLostAtAnEndpointThatClosesAfterEachResponse() throws Exception {
        clock = ahead::get; // on a slow machine, the proxy could notice late that a connection was closed at once
        startWith(endpoint(connection -> {
            Message request = connection.readRequest();
            if (request != null) {
                connection.respond(request, "ok");
            }
        }));
        RawClient client = client();
        learn(client);

        for (int i = 0; i < 300; i++) {
            assertThat(client.send(POST).read().status()).as("POST %s", i).isEqualTo(200);
        }
    }

    /** The worst case: each connection looks open until the next request arrives. */
    @Test
    void noPostIsLostAtAnEndpointThatClosesWhenTheNextRequestComes() throws Exception {
        clock = ahead::get;
        startWith(closing(ScriptedEndpoint.that(Fault.IDLE_CLOSE)));
        RawClient client = client();
        learn(client);

        for (int i = 0; i < 5; i++) {
            assertThat(client.send(POST).read().status()).as("POST %s", i).isEqualTo(200);
        }
    }

    @Test
    void aPostUsesAConnectionThatWasIdleForLessThanTheEndpointKeepsIt() throws Exception {
        clock = ahead::get;
        ScriptedEndpoint endpoint = startWithOneThatClosesAfter(Duration.ofMillis(50));
        RawClient client = client();

        pass(Duration.ofMillis(40));
        assertThat(client.send(POST).read().status()).isEqualTo(200);
        assertThat(endpoint.connections()).as("connections after 40 ms").isEqualTo(3);
        pass(Duration.ofMillis(10));
        assertThat(client.send(POST).read().status()).isEqualTo(200);
        assertThat(endpoint.connections()).as("connections after 10 ms").isEqualTo(3);
        pass(Duration.ofMillis(40));
        assertThat(client.get("/").status()).isEqualTo(200);
        assertThat(endpoint.connections())
                .as("connections after 40 ms, for a request that can be retried")
                .isEqualTo(3);
    }

    @Test
    void afterAMinuteWithoutSuchACloseItIsForgotten() throws Exception {
        clock = ahead::get;
        ScriptedEndpoint endpoint = startWithOneThatClosesAfter(Duration.ofMillis(50));
        RawClient client = client();

        pass(Duration.ofSeconds(61));
        assertThat(client.get("/").status()).isEqualTo(200);
        pass(Duration.ofMillis(40));
        assertThat(client.send(POST).read().status()).isEqualTo(200);

        assertThat(endpoint.connections()).isEqualTo(2);
    }

    /** It closes its first connection when it was idle for that long, which the proxy has noticed; the second is idle. */
    private ScriptedEndpoint startWithOneThatClosesAfter(Duration time) throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        CountDownLatch first = new CountDownLatch(1);
        ScriptedEndpoint endpoint = endpoint(connection -> {
            boolean closes = first.getCount() > 0;
            first.countDown();
            for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
                connection.respond(request, "ok");
                if (closes) {
                    connection.await(over);
                    return;
                }
            }
        });
        startWith(endpoint);
        RawClient client = client();
        assertThat(client.get("/").status()).isEqualTo(200);
        pass(time);
        over.countDown();
        assertThat(client.get("/").status()).isEqualTo(200);
        assertThat(endpoint.connections()).isEqualTo(2);
        return endpoint;
    }

    @Test
    void aConnectionIsUsedForTheTimeThatTheEndpointAnnounces() throws Exception {
        clock = ahead::get;
        ScriptedEndpoint endpoint =
                endpointThatResponds("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=9\r\nContent-Length: 0\r\n\r\n");
        startWith(endpoint);
        RawClient client = client();
        client.get("/");

        pass(Duration.ofMillis(3900));
        client.get("/");
        assertThat(endpoint.connections()).as("connections after 3.9 s").isEqualTo(1);
        pass(Duration.ofMillis(4000));
        client.get("/");
        assertThat(endpoint.connections()).as("connections after 4 s").isEqualTo(2);
    }

    @Test
    void aConnectionThatIsKeptForNoTimeIsNotUsedAgain() throws Exception {
        ScriptedEndpoint endpoint =
                endpointThatResponds("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 0\r\n\r\n");
        startWith(endpoint);
        RawClient client = client();

        client.get("/");
        client.get("/");

        assertThat(endpoint.connections()).isEqualTo(2);
    }

    /** After the second request the proxy knows: it noticed the close before, or lost its first attempt. */
    private static void learn(RawClient client) throws IOException {
        assertThat(client.get("/").status()).isEqualTo(200);
        assertThat(client.get("/").status()).isEqualTo(200);
    }

    private void pass(Duration time) {
        ahead.addAndGet(time.toNanos());
    }
}
