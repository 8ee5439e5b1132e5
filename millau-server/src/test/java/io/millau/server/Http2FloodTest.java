package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.testing.ScriptedEndpoint;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Clients that send frames of HTTP/2 only to cause work (RFC 9113, 10.5), or that stop in the middle of one. */
class Http2FloodTest extends ProxyTest {

    private static final String[] GET = {":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a"};
    private static final String[] POST = {":method", "POST", ":scheme", "http", ":path", "/", ":authority", "a"};

    private final AtomicLong ahead = new AtomicLong();

    private RawHttp2Client http2() throws IOException {
        return closing(new RawHttp2Client(millau.port()));
    }

    /** The code of the GOAWAY that ends the connection. */
    private static int codeOfGoAway(RawHttp2Client client) throws IOException {
        RawHttp2Client.Frame frame = client.next();
        while (frame.type() != RawHttp2Client.GO_AWAY) {
            frame = client.next();
        }
        return frame.payload().charAt(7);
    }

    @ParameterizedTest
    @CsvSource({
        "SETTINGS, 4, 0, 0",
        "PING, 6, 0, 8",
        "acknowledged PING, 6, 0, 8",
        "PRIORITY, 2, 3, 5",
        "WINDOW_UPDATE, 8, 0, 4",
        "unknown, 200, 0, 100",
        "empty DATA, 0, 1, 0",
    })
    void aFloodOfFramesThatCarryNothingEndsTheConnection(String name, int type, int stream, int length)
            throws Exception {
        startWith(endpointThatHangs(new CountDownLatch(1)));
        RawHttp2Client client = http2();
        client.headers(1, false, POST);
        byte[] payload = new byte[length];
        if (type == RawHttp2Client.WINDOW_UPDATE) {
            payload[3] = 1;
        }
        flood(client, type, name.startsWith("acknowledged") ? 1 : 0, stream, payload);

        assertThat(codeOfGoAway(client)).isEqualTo(11); // ENHANCE_YOUR_CALM
        await().until(() -> millau.buffersTaken() == 0);
    }

    /** Sends a frame again and again, as long as the connection takes it. */
    private static void flood(RawHttp2Client client, int type, int flags, int stream, byte[] payload) {
        ScriptedEndpoint.daemon("flood", () -> {
            try {
                while (true) {
                    client.send(type, flags, stream, payload);
                }
            } catch (IOException e) {
                // the connection has ended
            }
        });
    }

    @Test
    void aFloodOfEmptyContinuationsEndsTheConnection() throws Exception {
        startWith(endpointThatSays("ok"));
        RawHttp2Client client = http2();
        client.headers(1, true, GET);
        assertThat(client.body(1)).isEqualTo("ok");
        client.send(RawHttp2Client.HEADERS, 1, 3, new byte[0]);
        flood(client, RawHttp2Client.CONTINUATION, 0, 3, new byte[0]);

        assertThat(codeOfGoAway(client)).isEqualTo(11);
    }

    /** Rapid reset (CVE-2023-44487). */
    @Test
    void aFloodOfResetsEndsTheConnection() throws Exception {
        floodOfRequests(RawHttp2Client.RST_STREAM);
    }

    /** MadeYouReset (CVE-2025-9784): the proxy resets the streams, because of what the client sends. */
    @Test
    void aFloodOfRequestsThatHaveToBeResetEndsTheConnection() throws Exception {
        floodOfRequests(RawHttp2Client.WINDOW_UPDATE);
    }

    private void floodOfRequests(int typeThatEndsThem) throws Exception {
        startWith(endpointThatHangs(new CountDownLatch(1)));
        RawHttp2Client client = http2();
        ScriptedEndpoint.daemon("flood", () -> {
            try {
                for (int stream = 1; ; stream += 2) {
                    client.headers(stream, true, GET);
                    client.send(typeThatEndsThem, 0, stream, new byte[4]);
                }
            } catch (IOException e) {
                // the connection has ended
            }
        });
        assertThat(codeOfGoAway(client)).isEqualTo(11); // ENHANCE_YOUR_CALM
        await().until(() -> millau.buffersTaken() == 0);
    }

    @Test
    void aFloodOfRequestsBeyondThoseInProgressEndsTheConnection() throws Exception {
        startWith(endpointThatHangs(new CountDownLatch(1)));
        RawHttp2Client client = http2();
        ScriptedEndpoint.daemon("flood", () -> {
            try {
                for (int stream = 1; ; stream += 2) {
                    client.headers(stream, true, GET);
                }
            } catch (IOException e) {
                // the connection has ended
            }
        });
        assertThat(codeOfGoAway(client)).isEqualTo(11); // ENHANCE_YOUR_CALM
    }

    /** As a proxy in front does, whose clients leave now and then. */
    @Test
    void aBusyClientMayResetManyStreams() throws Exception {
        startWith(endpointThatSays("ok"));
        RawHttp2Client client = http2();
        int stream = -1;
        for (int i = 0; i < 300; i++) {
            for (int answered = 0; answered < 3; answered++) {
                client.headers(stream += 2, true, GET);
                assertThat(client.body(stream)).isEqualTo("ok");
            }
            client.headers(stream += 2, false, POST);
            client.cancel(stream);
        }
    }

    @Test
    void aHeadWhoseRestDoesNotArriveEndsTheConnection() throws Exception {
        clock = ahead::get;
        startWith(endpointThatSays("ok"));
        RawHttp2Client client = http2();
        client.headers(1, true, GET);
        assertThat(client.body(1)).isEqualTo("ok");
        client.send(RawHttp2Client.HEADERS, 1, 3, new byte[0]);
        RawHttp2Client other = http2();
        other.headers(1, true, GET);
        assertThat(other.body(1)).isEqualTo("ok"); // the beginning above was read before

        ahead.addAndGet(Duration.ofSeconds(31).toNanos());

        assertThat(codeOfGoAway(client)).isEqualTo(1); // PROTOCOL_ERROR
        other.headers(3, true, GET);
        assertThat(other.body(3)).isEqualTo("ok");
    }

    /** A client with many requests at once may always be in the middle of one when the others are read. */
    @Test
    void theTimeForAHeadBeginsAnewWithEachHead() throws Exception {
        clock = ahead::get;
        startWith(endpointThatSays("ok"));
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), millau.port());
        RawHttp2Client client = closing(new RawHttp2Client(socket, 65_535));
        client.headers(1, true, GET);
        assertThat(client.body(1)).isEqualTo("ok");
        ByteArrayOutputStream heads = new ByteArrayOutputStream();
        for (int stream = 3; stream <= 9; stream += 2) {
            byte[] head = {0, 0, 6, 1, 5, 0, 0, 0, (byte) stream, (byte) 0x82, (byte) 0x86, (byte) 0x84, 0x41, 1, 'a'};
            heads.writeBytes(head);
        }
        int length = heads.size() / 4;
        socket.getOutputStream().write(heads.toByteArray(), 0, 5);
        RawClient late = client().send("GET / HTTP/1.1\r\nHo");
        client().get("/"); // after this response, both beginnings were read
        for (int i = 0; i < 3; i++) {
            socket.getOutputStream().write(heads.toByteArray(), i * length + 5, length);
            assertThat(client.body(2 * i + 3)).isEqualTo("ok");
            ahead.addAndGet(Duration.ofSeconds(4).toNanos());
        }
        assertThat(late.read().status()).isEqualTo(408); // the deadlines were checked
        socket.getOutputStream().write(heads.toByteArray(), 3 * length + 5, length - 5);
        assertThat(client.body(9)).isEqualTo("ok");
    }

    @Test
    void aConnectionWithoutSettingsEnds() throws Exception {
        clock = ahead::get;
        startWith(endpointThatSays("ok"));
        RawClient client = client().send("PRI * HTTP/2.0\r\n\r\nSM");
        client().get("/"); // the beginning above was read before

        ahead.addAndGet(Duration.ofSeconds(31).toNanos());

        assertThat(client.wire().in().readAllBytes()).isNotEmpty();
    }

    @Test
    void anIdleConnectionIsClosed() throws Exception {
        clock = ahead::get;
        startWith(endpointThatSays("ok"));
        RawHttp2Client client = http2();
        client.headers(1, true, GET);
        assertThat(client.body(1)).isEqualTo("ok");

        RawHttp2Client other = http2();
        other.headers(1, true, GET);
        assertThat(other.body(1)).isEqualTo("ok"); // the connection above is idle now

        ahead.addAndGet(Duration.ofSeconds(181).toNanos());

        assertThat(codeOfGoAway(client)).isZero();
    }

    @Test
    void aBodyOfAnotherLengthThanAnnouncedEndsItsStreamAlone() throws Exception {
        startWith(endpointThatHangs(new CountDownLatch(1)));
        RawHttp2Client client = http2();
        String[] head = {":method", "POST", ":scheme", "http", ":path", "/", ":authority", "a", "content-length", "5"};
        for (int stream = 1; stream <= 3; stream += 2) {
            client.headers(stream, false, head);
            client.send(RawHttp2Client.DATA, RawHttp2Client.END_STREAM, stream, new byte[stream == 1 ? 4 : 6]);
            RawHttp2Client.Frame reset = client.next(stream);
            assertThat(reset.type()).isEqualTo(RawHttp2Client.RST_STREAM);
            assertThat(reset.payload()).isEqualTo("\0\0\0\1"); // PROTOCOL_ERROR
        }
        client.headers(5, true, ":method", "GET", ":scheme", "http", ":path", "*", ":authority", "nobody");
        assertThat(client.body(5)).isNotEmpty();
    }

    @Test
    void malformedTrailersEndTheirStreamAlone() throws Exception {
        startWith(endpointThatHangs(new CountDownLatch(1)));
        RawHttp2Client client = http2();
        String[][] trailers = {{":path", "/"}, {"Upper", "case"}, {"x", "a\nb"}, {"connection", "close"}};
        for (int i = 0; i < trailers.length; i++) {
            int stream = 2 * i + 1;
            client.headers(stream, false, POST);
            client.headers(stream, true, trailers[i]);
            assertThat(client.next(stream).payload()).isEqualTo("\0\0\0\1"); // PROTOCOL_ERROR
        }
    }
}
