package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** WebSockets over HTTP/2 (RFC 8441), to services that know them over HTTP/1.1. */
class Http2WebSocketTest extends ProxyTest {

    private static final String SWITCHING = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
            + "Upgrade: websocket\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Accept: x\r\n\r\n";

    private RawHttp2Client http2() throws IOException {
        return closing(new RawHttp2Client(millau.port()));
    }

    private static void ask(RawHttp2Client client, int stream, String protocol) throws IOException {
        client.headers(
                stream,
                false,
                ":method",
                "CONNECT",
                ":protocol",
                protocol,
                ":scheme",
                "http",
                ":path",
                "/chat?room=1",
                ":authority",
                "a",
                "sec-websocket-version",
                "13",
                "sec-websocket-protocol",
                "chat");
    }

    private static void echo(ScriptedEndpoint.Connection connection) throws IOException {
        connection.wire().in().transferTo(connection.wire().out());
    }

    @Test
    void bytesGoBothWays() throws Exception {
        ScriptedEndpoint endpoint = endpoint(connection -> {
            connection.readRequest();
            connection.send(SWITCHING + "hello");
            echo(connection);
        });
        startWith(endpoint);
        RawHttp2Client client = http2();
        ask(client, 1, "websocket");

        RawHttp2Client.Frame head = client.next(1);
        assertThat(head.type()).isEqualTo(RawHttp2Client.HEADERS);
        assertThat(head.payload()).startsWith("\u0088").contains("chat").doesNotContain("upgrade", "accept");
        assertThat(read(client, 5)).isEqualTo("hello");
        Message request = endpoint.requests.get(0);
        assertThat(request.startLine()).isEqualTo("GET /chat?room=1 HTTP/1.1");
        assertThat(request.field("Host")).isEqualTo("a");
        assertThat(request.field("Upgrade")).isEqualTo("websocket");
        assertThat(request.field("Connection")).isEqualTo("Upgrade");
        assertThat(request.field("Sec-WebSocket-Key")).hasSize(24);
        assertThat(request.field("Sec-WebSocket-Version")).isEqualTo("13");

        byte[] sent = new byte[1_000_000];
        new Random(1).nextBytes(sent);
        ScriptedEndpoint.daemon("sender", () -> {
            try {
                client.upload(1, sent, true);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        assertThat(received(client)).isEqualTo(sent);
        assertThat(traffic.await(4)).contains("ended GET app delivered 101 0 0");
        await().until(() -> endpoint.openConnections() == 0);
    }

    private static String read(RawHttp2Client client, int length) throws IOException {
        StringBuilder read = new StringBuilder();
        while (read.length() < length) {
            read.append(client.next(1).payload());
        }
        return read.toString();
    }

    /** Reads to the end, and allows the server to send more as it goes. */
    private static byte[] received(RawHttp2Client client) throws IOException {
        StringBuilder all = new StringBuilder();
        boolean ended = false;
        while (!ended) {
            RawHttp2Client.Frame frame = client.next(1);
            assertThat(frame.type()).isEqualTo(RawHttp2Client.DATA);
            all.append(frame.payload());
            int length = frame.payload().length();
            for (int stream = 0; stream <= 1 && length > 0; stream++) {
                byte[] more = {0, 0, (byte) (length >> 8), (byte) length};
                client.send(RawHttp2Client.WINDOW_UPDATE, 0, stream, more);
            }
            ended = (frame.flags() & RawHttp2Client.END_STREAM) != 0;
        }
        return all.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    @Test
    void aServiceThatDoesNotAcceptItIsNotTakenForOneThatDoes() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("no");
        startWith(endpoint);
        RawHttp2Client client = http2();

        ask(client, 1, "websocket");
        assertThat(client.next(1).payload()).contains("502"); // 200 would accept it
        assertThat(client.body(1)).isEqualTo("no");
        assertThat(traffic.await(4)).contains("ended GET app delivered 502 0 2");
        assertThat(endpoint.requests.get(0).field("Upgrade")).isEqualTo("websocket");
    }

    @Test
    void otherProtocolsAreNotImplemented() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        RawHttp2Client client = http2();

        ask(client, 1, "connect-udp");
        assertThat(client.body(1)).isEqualTo("CONNECT is not implemented\n");
        assertThat(endpoint.requests).isEmpty();
    }

    @Test
    void whenOneSideLeavesTheOtherIsClosed() throws Exception {
        ScriptedEndpoint endpoint = endpoint(connection -> {
            connection.readRequest();
            connection.send(SWITCHING);
            echo(connection);
        });
        startWith(endpoint);
        RawHttp2Client client = http2();
        ask(client, 1, "websocket");
        client.next(1);
        client.cancel(1);
        await().until(() -> endpoint.openConnections() == 0);

        ask(client, 3, "websocket");
        client.next(3);
        client.close();
        await().until(() -> endpoint.openConnections() == 0 && millau.buffersTaken() == 0);
    }
}
