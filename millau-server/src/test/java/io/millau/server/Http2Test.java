package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Service;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What only HTTP/2 can express must not turn into another request on the way to an HTTP/1.1 endpoint. */
class Http2Test extends ProxyTest {

    @Test
    void aContentLengthWithoutABodyIsABadRequest() throws Exception {
        // The endpoint would read the next client's request as the body.
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));

        client.headers(1, true, get("/", "content-length", "5"));
        assertThat(client.body(1)).isEqualTo("Bad Request\n");
        client.headers(3, true, get("/", "content-length", "0"));
        assertThat(client.body(3)).isEqualTo("ok");
        assertThat(endpoint.requests).hasSize(1);
    }

    @Test
    void theForwardedSchemeIsThatOfTheListener() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));

        client.headers(1, true, ":method", "GET", ":scheme", "https", ":path", "/", ":authority", "a");
        assertThat(client.body(1)).isEqualTo("ok");
        assertThat(endpoint.requests.get(0).field("X-Forwarded-Proto")).isEqualTo("http");
    }

    @ParameterizedTest
    @ValueSource(strings = {"transfer-encoding:chunked", "host:other", "x:"})
    void aFieldNameWithAColonIsABadRequest(String name) throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));

        client.headers(1, true, get("/", name, ""));
        assertThat(client.body(1)).isEqualTo("Bad Request\n");
        assertThat(endpoint.requests).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://other.example/", "other"})
    void aPathThatNamesAnotherHostIsABadRequest(String path) throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));

        client.headers(1, true, get(path, "x", "y"));
        assertThat(client.body(1)).isEqualTo("Bad Request\n");
        assertThat(endpoint.requests).isEmpty();
    }

    /** Streams share the connection's window: unread data must not use it up for the other streams (RFC 9113, 6.9.1). */
    @Test
    void unreadUploadsDoNotBlockOtherStreams() throws Exception {
        clock = ahead::get;
        Service good = Service.named("good")
                .path("/good")
                .endpoints(endpointThatSays("good").endpoint())
                .build();
        startWith(good);
        services.replace(
                good, app(endpointThatRefuses()).build()); // requests wait, since the endpoint may still be starting
        try (RawHttp2Client client = new RawHttp2Client(millau.port())) {
            for (int i = 0, stream = 1; i < 40; i++, stream += 4) {
                post(client, stream, "/waits");
                client.upload(stream, new byte[60_000], false);
                post(client, stream + 2, "/good");
                client.upload(stream + 2, new byte[1000], true);

                assertThat(client.body(stream + 2)).isEqualTo("good");
                client.cancel(stream);
            }
        }
    }

    private static void post(RawHttp2Client client, int stream, String path) throws Exception {
        client.headers(stream, false, ":method", "POST", ":scheme", "http", ":path", path, ":authority", "a");
    }

    @Test
    void aClosedUpstreamConnectionThatIsNotReadTakesNoCpu() throws Exception {
        CountDownLatch responded = new CountDownLatch(1);
        // The endpoint responds early and closes, while the client neither sends the rest of its body nor reads the
        // response. The close event fired again and again and kept the I/O thread busy.
        startWith(endpoint(connection -> {
            connection.wire().readHead();
            connection.wire().readExactly("0003\r\nabc\r\n".length());
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            responded.countDown();
        }));
        RawHttp2Client client = closing(new RawHttp2Client(millau.port(), 0));
        client.headers(1, false, ":method", "POST", ":scheme", "http", ":path", "/", ":authority", "a");
        client.send(RawHttp2Client.DATA, 0, 1, new byte[3]);
        responded.await();

        long before = ioThreadNanos();
        await().during(Duration.ofSeconds(1)).until(() -> true);
        assertThat(Duration.ofNanos(ioThreadNanos() - before)).isLessThan(Duration.ofMillis(300));

        client.send(RawHttp2Client.WINDOW_UPDATE, 0, 1, new byte[] {0, 0, 1, 0});
        assertThat(client.body(1)).isEqualTo("ok");
    }

    /**
     * An early response waited for the client's window when the upload ended. The end of the response then went unnoticed,
     * and the request kept its buffer, or the response was never sent.
     */
    @Test
    void aResponseThatWaitsForTheWindowIsSentAfterTheUploadEnds() throws Exception {
        CountDownLatch uploaded = new CountDownLatch(1);
        startWith(endpoint(connection -> {
            Message head = connection.wire().readHead();
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            connection.readBody(head);
            uploaded.countDown();
            connection.hang();
        }));
        RawHttp2Client client = closing(new RawHttp2Client(millau.port(), 0));
        post(client, 1, "/");
        await().until(() -> millau.buffersTakenByRequests() > 0);

        client.upload(1, new byte[3], true);
        uploaded.await();
        client.send(RawHttp2Client.WINDOW_UPDATE, 0, 1, new byte[] {0, 0, 1, 0});
        assertThat(client.body(1)).isEqualTo("ok");
        await().until(() -> millau.buffersTakenByRequests() == 0);
    }

    private static long ioThreadNanos() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        return Arrays.stream(threads.getThreadInfo(threads.getAllThreadIds()))
                .filter(thread -> thread != null && thread.getThreadName().matches("millau(-\\d+)? I/O.*"))
                .mapToLong(thread -> threads.getThreadCpuTime(thread.getThreadId()))
                .sum();
    }

    private static String[] get(String path, String name, String value) {
        return new String[] {":method", "GET", ":scheme", "http", ":path", path, ":authority", "a", name, value};
    }

    /** RFC 9113, 5.1.2; h2spec 5.1.2. */
    @Test
    void moreRequestsAtOnceThanAnnouncedAreRefusedAndOthersServed() throws Exception {
        CountDownLatch mayRespond = new CountDownLatch(1);
        ScriptedEndpoint endpoint = endpoint(connection -> {
            Message request = connection.readRequest();
            if (request != null) {
                connection.await(mayRespond);
                connection.respond(request, "done");
            }
        });
        startWith(endpoint);
        try (RawHttp2Client client = new RawHttp2Client(millau.port())) {
            for (int i = 0; i < 260; i++) {
                client.headers(2 * i + 1, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a");
                int sent = Math.min(i + 1, 256);
                if (sent % 32 == 0) {
                    // A machine that is busy may not open hundreds of connections in the second that each may take.
                    await().atMost(Duration.ofSeconds(30)).until(() -> endpoint.requests.size() == sent);
                }
            }
            for (int i = 256; i < 260; i++) {
                RawHttp2Client.Frame refused = client.next(2 * i + 1);
                assertThat(refused.type()).isEqualTo(RawHttp2Client.RST_STREAM);
                assertThat(refused.payload()).isEqualTo("\0\0\0\7");
            }
            mayRespond.countDown();
            for (int ended = 0; ended < 256; ) {
                RawHttp2Client.Frame frame = client.next();
                boolean ofResponse = frame.type() == RawHttp2Client.DATA || frame.type() == RawHttp2Client.HEADERS;
                if (frame.type() == RawHttp2Client.HEADERS) {
                    assertThat(frame.payload()).startsWith("\u0088"); // :status 200
                }
                ended += ofResponse && (frame.flags() & RawHttp2Client.END_STREAM) != 0 ? 1 : 0;
            }
            client.headers(521, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a");
            assertThat(client.body(521)).isEqualTo("done");
        }
        assertThat(endpoint.requests).hasSize(257);
        await().atMost(Duration.ofSeconds(30)).until(() -> millau.buffersTaken() == 0);
    }

    /** RFC 9113, 5.1; h2spec 5.1 and 6.1. */
    @Test
    void dataAfterTheEndOfARequestResetsItsStreamAlone() throws Exception {
        startWith(endpointThatSays("ok"));
        try (RawHttp2Client client = new RawHttp2Client(millau.port())) {
            client.headers(1, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a");
            assertThat(client.body(1)).isEqualTo("ok");
            client.send(RawHttp2Client.DATA, 0, 1, new byte[10]);
            client.send(RawHttp2Client.DATA, 0, 1, new byte[10]);
            RawHttp2Client.Frame reset = client.next(1);
            assertThat(reset.type()).isEqualTo(RawHttp2Client.RST_STREAM);
            assertThat(reset.payload()).isEqualTo("\0\0\0\5");

            client.headers(3, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a");
            assertThat(client.body(3)).isEqualTo("ok");
        }
    }

    /** As in an open stream of gRPC or events: what the window held back follows when it widens, not with the next event. */
    @Test
    void whatTheWindowHeldBackFollowsWhileTheResponseIsOpen() throws Exception {
        startWith(endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5dc\r\n" + "x".repeat(1500) + "\r\n");
            connection.hang();
        }));
        try (RawHttp2Client client = new RawHttp2Client(millau.port(), 1000)) {
            client.headers(1, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a");
            awaitBody(client, 1000);
            client.send(RawHttp2Client.WINDOW_UPDATE, 0, 1, new byte[] {0, 0, 3, (byte) 0xe8});
            awaitBody(client, 500);
        }
    }

    private static void awaitBody(RawHttp2Client client, int length) throws Exception {
        int received = 0;
        while (received < length) {
            RawHttp2Client.Frame frame = client.next(1);
            received += frame.type() == RawHttp2Client.DATA ? frame.payload().length() : 0;
        }
        assertThat(received).isEqualTo(length);
    }
}
