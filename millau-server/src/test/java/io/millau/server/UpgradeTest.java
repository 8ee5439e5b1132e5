package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Service;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Connections that change their protocol are tunnelled from the 101 on (RFC 9110, 7.8). */
class UpgradeTest extends ProxyTest {

    private static final String UPGRADE =
            "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo\r\n\r\n";
    private static final String SWITCHING =
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX: y\r\n\r\n";

    private static void echo(ScriptedEndpoint.Connection connection) throws java.io.IOException {
        byte[] bytes = new byte[8192];
        for (int n = connection.wire().in().read(bytes);
                n >= 0;
                n = connection.wire().in().read(bytes)) {
            connection.wire().out().write(bytes, 0, n);
        }
    }

    @Test
    void bytesGoBothWays() throws Exception {
        ScriptedEndpoint endpoint = endpoint(connection -> {
            connection.readRequest();
            connection.send(SWITCHING + "hello");
            echo(connection);
        });
        startWith(endpoint);
        RawClient client = client().send(UPGRADE);

        Message head = client.readHead();
        assertThat(head.startLine()).isEqualTo("HTTP/1.1 101 Switching Protocols");
        assertThat(head.field("Upgrade")).isEqualTo("echo");
        assertThat(head.field("Connection")).isEqualToIgnoringCase("upgrade");
        assertThat(head.field("X")).isEqualTo("y");
        assertThat(client.wire().readExactly(5)).isEqualTo("hello");
        assertThat(endpoint.requests.get(0).field("Upgrade")).isEqualTo("echo");
        assertThat(endpoint.requests.get(0).field("Connection")).isEqualTo("Upgrade");

        byte[] sent = new byte[3_000_000];
        new Random(1).nextBytes(sent);
        ScriptedEndpoint.daemon("sender", () -> {
            try {
                client.wire().out().write(sent);
                client.socket().shutdownOutput();
            } catch (java.io.IOException e) {
                throw new AssertionError(e);
            }
        });
        assertThat(client.wire().in().readAllBytes()).isEqualTo(sent);
        assertThat(traffic.await(4)).contains("ended GET app delivered 101 0 0");
        await().until(() -> endpoint.openConnections() == 0);
    }

    @Test
    void nothingIsTunnelledBeforeTheEndpointAgrees() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("no");
        startWith(endpoint);
        RawClient client = client().send(UPGRADE + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");

        assertThat(client.read().body()).isEqualTo("no");
        assertThat(client.read().body()).isEqualTo("no");
        // The rest is a separate request, with all fields that we add.
        assertThat(endpoint.requests.get(1).startLine()).isEqualTo("GET /smuggled HTTP/1.1");
        assertThat(endpoint.requests.get(1).field("Via")).isEqualTo("1.1 millau");
    }

    @Test
    void earlyDataOfTheClientIsTunnelledAfterThe101() throws Exception {
        startWith(endpoint(connection -> {
            connection.readRequest();
            connection.send(SWITCHING);
            echo(connection);
        }));
        RawClient client = client().send(UPGRADE + "early");

        assertThat(client.readHead().status()).isEqualTo(101);
        assertThat(client.wire().readExactly(5)).isEqualTo("early");
    }

    @Test
    void anUpgradeWithABodyIsIgnored() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        client().send(
                        "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\nContent-Length: 2\r\n\r\nhi")
                .read();

        assertThat(endpoint.requests.get(0).field("Upgrade")).isNull();
    }

    @Test
    void whenOneSideClosesTheOtherIsClosed() throws Exception {
        startWith(endpoint(connection -> {
            connection.readRequest();
            connection.send(SWITCHING);
        }));
        RawClient client = client().send(UPGRADE);

        assertThat(client.readHead().status()).isEqualTo(101);
        assertThat(client.ended()).isTrue();
    }

    @Test
    void aTunnelToARemovedEndpointIsClosedAfterTheDrain() throws Exception {
        ScriptedEndpoint endpoint = echoing();
        clock = ahead::get;
        startWith(app(endpoint.endpoint()).build(), brief());
        RawClient client = upgraded("app");
        RawClient atBrief = upgraded("brief");

        replaceWith();
        ahead.addAndGet(Duration.ofSeconds(29).toNanos());
        assertThat(atBrief.ended()).isTrue();
        assertEchoes(client);
        ahead.addAndGet(Duration.ofSeconds(2).toNanos());

        assertThat(client.ended()).isTrue();
        await().until(() -> endpoint.openConnections() == 0);
    }

    @Test
    void aTunnelContinuesIfItsEndpointReturnsDuringTheDrain() throws Exception {
        Service app = app(echoing().endpoint()).build();
        clock = ahead::get;
        startWith(app, brief());
        RawClient client = upgraded("app");
        RawClient atBrief = upgraded("brief");

        replaceWith();
        replaceWith(app);
        ahead.addAndGet(Duration.ofDays(1).toNanos());
        assertThat(atBrief.ended()).isTrue();

        assertEchoes(client);
    }

    private Service brief() {
        return Service.named("brief")
                .hosts("brief")
                .drain(Duration.ofSeconds(10))
                .endpoints(echoing().endpoint())
                .build();
    }

    private ScriptedEndpoint echoing() {
        return endpoint(connection -> {
            connection.readRequest();
            connection.send(SWITCHING);
            echo(connection);
        });
    }

    private RawClient upgraded(String host) throws Exception {
        RawClient client = client().send(UPGRADE.replace("Host: a", "Host: " + host));
        assertThat(client.readHead().status()).isEqualTo(101);
        assertEchoes(client);
        return client;
    }

    private static void assertEchoes(RawClient client) throws Exception {
        assertThat(client.send("hello").wire().readExactly(5)).isEqualTo("hello");
    }

    @Test
    void aRealWebSocketWorks() throws Exception {
        startWith(app(closing(new WebSocketEcho()).endpoint()).build());
        CompletableFuture<String> received = new CompletableFuture<>();
        WebSocket socket = HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .buildAsync(URI.create("ws://127.0.0.1:" + millau.port() + "/"), new WebSocket.Listener() {
                    private final StringBuilder text = new StringBuilder();

                    @Override
                    public java.util.concurrent.CompletionStage<?> onText(
                            WebSocket webSocket, CharSequence data, boolean last) {
                        text.append(data);
                        webSocket.request(1);
                        if (last) {
                            received.complete(text.toString());
                        }
                        return null;
                    }
                })
                .get(30, TimeUnit.SECONDS);
        socket.sendText("x".repeat(100_000), true).get(30, TimeUnit.SECONDS);

        assertThat(received.get(30, TimeUnit.SECONDS)).isEqualTo("x".repeat(100_000));
        socket.abort();
    }
}
