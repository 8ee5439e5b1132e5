package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Service;
import io.millau.core.testing.CapturedLog;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** 60 s in which nothing moves, while somebody owes something, end a request. Who owes nothing may be quiet for ever. */
class SilenceTest extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration LONGER_THAN_SILENCE = Duration.ofSeconds(61);
    private static final Duration DAY = Duration.ofDays(1);
    private static final int LARGE = 200_000_000;

    private final LocalReplies replies = new LocalReplies();
    private final List<String> told = replies.told;

    @BeforeEach
    void stopTheClock() {
        clock = ahead::get;
    }

    @Override
    protected Millau.Builder builder() {
        return super.builder().listener(replies);
    }

    /** Lets time pass until a request ended. What moved while it passed may need it to pass once more. */
    private void passUntilTold(String event) {
        await().atMost(PATIENCE).until(() -> {
            ahead.addAndGet(LONGER_THAN_SILENCE.toNanos());
            return told.contains(event);
        });
    }

    private void assertEnded(RawClient client) {
        assertThat(rest(client)).isEmpty();
    }

    /** What still comes before the connection ends. */
    private static String rest(RawClient client) {
        try {
            return client.wire().readToEnd();
        } catch (SocketException e) {
            return "";
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean hasEnded(RawClient client) throws IOException {
        try {
            return client.ended();
        } catch (SocketTimeoutException e) {
            return false;
        }
    }

    private static Service route(String path, ScriptedEndpoint endpoint) {
        return Service.named(path.substring(1))
                .path(path)
                .endpoints(endpoint.endpoint())
                .timeout(DAY)
                .build();
    }

    /** Sends this beginning of a response, and the rest when it may. */
    private ScriptedEndpoint endpointThatPauses(String first, CompletableFuture<Void> mayGoOn, String rest) {
        return endpoint(connection -> {
            connection.wire().readHead();
            connection.send(first);
            mayGoOn.join();
            connection.send(rest);
            connection.hang();
        });
    }

    private ScriptedEndpoint endpointWithALargeResponse(String head) {
        return endpoint(connection -> {
            connection.wire().readHead();
            connection.send(head);
            String part = "x".repeat(1_000_000);
            for (int sent = 0; sent < LARGE; sent += part.length()) {
                connection.send(part);
            }
        });
    }

    /** A thousand such clients held a thousand connections to the service for ever. */
    @Test
    void aClientThatTakesNothingOfItsResponseLosesItsConnection() throws Exception {
        ScriptedEndpoint endpoint =
                endpointWithALargeResponse("HTTP/1.1 200 OK\r\nContent-Length: " + LARGE + "\r\n\r\n");
        startWith(endpoint);
        try (CapturedLog log = new CapturedLog()) {
            RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            assertThat(client.readHead().status()).isEqualTo(200);

            passUntilTold("200 CLIENT_STALLED");

            assertThat(rest(client).length()).isLessThan(LARGE);
            await().atMost(PATIENCE).until(() -> endpoint.openConnections() == 0);
            assertThat(log.about("Bad request"))
                    .singleElement()
                    .asString()
                    .contains("it took nothing of its response for 60 s");
        }
        assertThat(traffic.events).noneMatch(event -> event.startsWith("failed"));
        assertThat(traffic.events).anyMatch(event -> event.startsWith("ended GET app delivered client gone 200"));
    }

    /** Its socket becomes writable only now and then, since the system buffers megabytes, but it takes bytes all the time. */
    @Test
    void aSlowClientKeepsItsConnection() throws Exception {
        startWith(
                route("/large", endpointWithALargeResponse("HTTP/1.1 200 OK\r\nContent-Length: " + LARGE + "\r\n\r\n")),
                route(
                        "/stops",
                        endpointThatPauses(
                                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", new CompletableFuture<>(), "")));
        Socket socket = new Socket();
        socket.setReceiveBufferSize(64 * 1024);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), millau.port()));
        RawClient slow = closing(new RawClient(socket)).send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
        slow.readHead();

        for (int stopped = 1; stopped <= 3; stopped++) {
            client().send("GET /stops HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
            int expected = stopped;
            await().atMost(PATIENCE).until(() -> {
                slow.wire().readExactly(100_000);
                ahead.addAndGet(Duration.ofSeconds(20).toNanos());
                return told.size() == expected; // so the deadline of the slow client has passed, too
            });
        }

        assertThat(told).containsOnly("200 null");
        assertThat(slow.wire().readExactly(1_000_000)).hasSize(1_000_000);
    }

    /** Pipelined requests whose responses nobody reads fill the client's connection. */
    @Test
    void aClientThatTakesNoLocalReplyLosesItsConnection() throws Exception {
        startWith(Service.named("other").hosts("other").build());
        RawClient client = client();
        CompletableFuture<Void> cut = CompletableFuture.runAsync(() -> {
            try {
                while (true) {
                    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000));
                }
            } catch (IOException e) {
                // what this test waits for
            }
        });
        AtomicInteger before = new AtomicInteger();
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(300))
                .until(() -> told.size() > 1000 && before.getAndSet(told.size()) == told.size());
        assertThat(cut).isNotDone();

        await().atMost(PATIENCE).until(() -> {
            ahead.addAndGet(LONGER_THAN_SILENCE.toNanos());
            return cut.isDone();
        });
    }

    @Test
    void aClientThatTakesNothingOfAStreamLosesIt() throws Exception {
        startWith(endpointWithALargeResponse("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"));
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assertThat(client.readHead().status()).isEqualTo(200);

        passUntilTold("200 CLIENT_STALLED");
    }

    @Test
    void aStreamOverHttp2WhoseWindowStaysClosedEnds() throws Exception {
        ScriptedEndpoint endpoint =
                endpointWithALargeResponse("HTTP/1.1 200 OK\r\nContent-Length: " + LARGE + "\r\n\r\n");
        startWith(endpoint);
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));
        client.headers(1, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a");
        assertThat(client.next(1).type()).isEqualTo(RawHttp2Client.HEADERS);

        passUntilTold("200 CLIENT_STALLED");

        await().atMost(PATIENCE).until(() -> endpoint.openConnections() == 0);
    }

    @Test
    void anEndpointThatStopsInTheMiddleOfItsResponseIsGivenUp() throws Exception {
        ScriptedEndpoint endpoint =
                endpointThatPauses("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", new CompletableFuture<>(), "");
        startWith(endpoint);
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assertThat(client.readHead().status()).isEqualTo(200);
        assertThat(client.wire().readExactly(5)).isEqualTo("hello");

        passUntilTold("200 null");

        assertEnded(client);
        assertThat(traffic.events).contains("failed app TIMED_OUT", "ended GET app 200 0 5");
    }

    @Test
    void anEndpointThatStopsInTheMiddleOfAChunkIsGivenUp() throws Exception {
        startWith(endpointThatPauses(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello", new CompletableFuture<>(), ""));
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assertThat(client.readHead().status()).isEqualTo(200);

        passUntilTold("200 null");

        assertThat(traffic.events).contains("failed app TIMED_OUT");
        assertThat(rest(client)).doesNotContain("0\r\n\r\n");
    }

    /** Server-Sent Events, long polling, gRPC, NDJSON, WebSockets, and a response that is late within millau.timeout. */
    @Test
    void whoOwesNothingMayBeQuiet() throws Exception {
        CompletableFuture<Void> mayGoOn = new CompletableFuture<>();
        String chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n";
        startWith(
                route("/chunks", endpointThatPauses(chunked, mayGoOn, "3\r\nllo\r\n0\r\n\r\n")),
                route("/events", endpointThatPauses("HTTP/1.1 200 OK\r\n\r\nhe", mayGoOn, "llo")),
                route("/late", endpointThatPauses("", mayGoOn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")),
                route(
                        "/upgrade",
                        endpointThatPauses(
                                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
                                mayGoOn,
                                "hello")),
                route(
                        "/stops",
                        endpointThatPauses(
                                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", new CompletableFuture<>(), "")));
        RawClient chunks = client().send("GET /chunks HTTP/1.1\r\nHost: a\r\n\r\n");
        chunks.readHead();
        RawClient events = client().send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
        events.readHead();
        RawClient late = client().send("PUT /late HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
        RawClient upgrade =
                client().send("GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
        assertThat(upgrade.readHead().status()).isEqualTo(101);
        RawClient stops = client().send("GET /stops HTTP/1.1\r\nHost: a\r\n\r\n");
        stops.readHead();

        passUntilTold("200 null"); // the deadlines of the others have passed, too
        mayGoOn.complete(null);

        assertThat(chunks.wire().readLine() + chunks.wire().readLine()).isEqualTo("02he");
        assertThat(chunks.wire().readLine() + chunks.wire().readLine()).isEqualTo("03llo");
        assertThat(events.wire().readLine() + events.wire().readLine()).isEqualTo("02he");
        assertThat(events.wire().readLine() + events.wire().readLine()).isEqualTo("03llo");
        assertThat(late.read().body()).isEqualTo("hello");
        assertThat(upgrade.wire().readExactly(5)).isEqualTo("hello");
    }

    /** A client that sends for longer than millau.timeout is not cut, but one that sends nothing, however long the timeout is. */
    @Test
    void aClientThatStopsInTheMiddleOfItsBodyGets408() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        ScriptedEndpoint waits = endpoint(connection -> {
            connection.wire().readHead();
            arrived.countDown();
            connection.hang();
        });
        startWith(app(waits.endpoint()).timeout(DAY).build());
        RawClient client = client().send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
        arrived.await();

        passUntilTold("408 REQUEST_TIMEOUT");

        assertThat(client.read().status()).isEqualTo(408);
        assertThat(client.ended()).isTrue();
    }

    @Test
    void aClientThatStopsInTheMiddleOfItsBodyEndsAResponseThatHasBegun() throws Exception {
        startWith(endpointThatPauses("HTTP/1.1 200 OK\r\n\r\nhello", new CompletableFuture<>(), ""));
        RawClient client = client().send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
        assertThat(client.readHead().status()).isEqualTo(200);

        passUntilTold("200 CLIENT_STALLED");

        assertThat(rest(client)).doesNotEndWith("0\r\n\r\n");
        assertThat(traffic.events).noneMatch(event -> event.startsWith("failed"));
    }

    @Test
    void theRestOfARequestThatHasItsResponseIsNotWaitedForForEver() throws Exception {
        startWith(endpoint(connection -> {
            connection.wire().readHead();
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly");
            connection.hang();
        }));
        for (String framing : List.of("Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nha")) {
            told.clear();
            RawClient client = client().send("PUT / HTTP/1.1\r\nHost: a\r\n" + framing);
            assertThat(client.read().body()).isEqualTo("early");

            client.socket().setSoTimeout(100);

            await().atMost(PATIENCE).until(() -> {
                ahead.addAndGet(LONGER_THAN_SILENCE.toNanos());
                return hasEnded(client);
            });
        }
    }

    @Test
    void aTunnelWhoseClientTakesNothingEnds() throws Exception {
        ScriptedEndpoint endpoint = endpointWithALargeResponse(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
        startWith(endpoint);
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
        assertThat(client.readHead().status()).isEqualTo(101);

        passUntilTold("101 CLIENT_STALLED");

        await().atMost(PATIENCE).until(() -> endpoint.openConnections() == 0);
    }
}
