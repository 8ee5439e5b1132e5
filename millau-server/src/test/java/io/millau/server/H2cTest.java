package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.server.internal.http2.Http2;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import io.millau.testing.internal.BlockReader;
import io.millau.testing.internal.Http2Peer;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpHandler;
import io.undertow.server.handlers.BlockingHandler;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code millau.scheme=h2c}: HTTP/2 without TLS between the proxy and an endpoint. */
class H2cTest extends ProxyTest {

    private static final int LARGE = 10 * 1024 * 1024;

    /** Events at an endpoint, in order. */
    private final LinkedBlockingQueue<String> seen = new LinkedBlockingQueue<>();

    /** Plays the endpoint's side of a connection. */
    private interface Play {
        void play(Http2Peer peer) throws Exception;
    }

    private ScriptedEndpoint peer(Play play, int... settings) {
        return endpoint(connection -> {
            try {
                play.play(new Http2Peer(connection, settings));
                connection.hang();
            } catch (Exception e) {
                throw e instanceof IOException broken ? broken : new IOException(e);
            }
        });
    }

    /** Responds to each request once it is complete. */
    private ScriptedEndpoint peerThatReturns(String body, int... settings) {
        return peer(
                peer -> {
                    while (true) {
                        peer.respond(peer.wholeRequest().stream(), body);
                    }
                },
                settings);
    }

    private void startWithPeers(ScriptedEndpoint... peers) throws Exception {
        Endpoint[] endpoints = new Endpoint[peers.length];
        for (int i = 0; i < peers.length; i++) {
            endpoints[i] = Http2Peer.endpoint(peers[i]);
        }
        startWith(app(endpoints).build());
    }

    /** An independent HTTP/2 implementation. */
    private Endpoint undertow(HttpHandler handler) {
        Undertow server = Undertow.builder()
                .setServerOption(UndertowOptions.ENABLE_HTTP2, true)
                .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, -1L)
                .addHttpListener(0, "127.0.0.1", new BlockingHandler(handler))
                .setWorkerThreads(110)
                .build();
        server.start();
        closing(server::stop);
        InetSocketAddress address =
                (InetSocketAddress) server.getListenerInfo().get(0).getAddress();
        return Endpoint.h2c("undertow", address.getAddress(), address.getPort());
    }

    private Endpoint echo() {
        return undertow(exchange -> {
            if (!exchange.getProtocol().toString().equals("HTTP/2.0")) {
                exchange.setStatusCode(505);
                return;
            }
            exchange.getInputStream().transferTo(exchange.getOutputStream());
        });
    }

    private static String post(String body) {
        return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
    }

    private void upload(RawClient client, String request) {
        ScriptedEndpoint.daemon("upload", () -> {
            try {
                client.send(request);
            } catch (IOException e) {
                seen.add(e.toString());
            }
        });
    }

    private RawHttp2Client http2() throws Exception {
        return closing(new RawHttp2Client(millau.port()));
    }

    private static void open(RawHttp2Client client, int stream, boolean end, String method) throws Exception {
        client.headers(
                stream, end, ":method", method, ":scheme", "http", ":path", "/", ":authority", "a", "te", "trailers");
    }

    private String seen() throws Exception {
        String what = seen.poll(20, TimeUnit.SECONDS);
        assertThat(what).isNotNull();
        return what;
    }

    private void awaitNoBuffers() {
        await().until(() -> millau.buffersTakenByRequests() == 0);
    }

    // Messages

    @Test
    void requestsAndResponsesOfAnySizePass() throws Exception {
        startWith(app(echo()).build());
        String large = "0123456789".repeat(LARGE / 10);

        RawClient client = client();
        for (String body : new String[] {"", "small", large}) {
            upload(client, post(body)); // in the background: the echo must be read meanwhile
            assertThat(client.read().body()).isEqualTo(body);
        }
        awaitNoBuffers();
    }

    @Test
    void chunkedBodiesPass() throws Exception {
        startWith(app(echo()).build());
        String part = "0123456789".repeat(10_000);
        RawClient client = client().send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        upload(client, (Integer.toHexString(part.length()) + "\r\n" + part + "\r\n").repeat(30) + "0\r\n\r\n");

        assertThat(client.read().body()).isEqualTo(part.repeat(30));
        awaitNoBuffers();
    }

    @Test
    void anUploadFromAnHttp2ClientArrivesUnchanged() throws Exception {
        startWith(app(undertow(exchange -> {
                    CRC32 sum = new CRC32();
                    sum.update(exchange.getInputStream().readAllBytes());
                    exchange.getOutputStream()
                            .write(Long.toHexString(sum.getValue()).getBytes(StandardCharsets.US_ASCII));
                }))
                .build());
        byte[] bytes = new byte[LARGE];
        new SplittableRandom(1).nextBytes(bytes);
        CRC32 expected = new CRC32();
        expected.update(bytes);
        RawHttp2Client client = http2();
        open(client, 1, false, "POST");
        ScriptedEndpoint.daemon("upload", () -> {
            try {
                client.upload(1, bytes, true);
            } catch (IOException e) {
                seen.add(e.toString());
            }
        });

        assertThat(client.body(1)).isEqualTo(Long.toHexString(expected.getValue()));
        awaitNoBuffers();
    }

    @Test
    void headerFieldsAreTranslatedToHttp2() throws Exception {
        ScriptedEndpoint endpoint = peer(peer -> {
            Http2Peer.Frame request = peer.request();
            peer.fields(request).forEach(seen::add);
            peer.headers(request.stream(), true, ":status", "204", "x-own", "é");
        });
        startWithPeers(endpoint);
        String response = client().send(
                        "PUT /a/b?c=%20d HTTP/1.1\r\nHost: Shop.example:81\r\nX-Own: 1\r\nCookie: a=b\r\n"
                                + "X-Request-Id: its-own\r\nTE: trailers, gzip\r\nConnection: X-Hop\r\nX-Hop: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
                .readHead()
                .toString();

        assertThat(response).contains("204").contains("x-own: é").doesNotContainIgnoringCase("transfer-encoding");
        assertThat(seen)
                .containsExactlyInAnyOrder(
                        ":method: PUT",
                        ":scheme: http",
                        ":path: /a/b?c=%20d",
                        ":authority: Shop.example:81",
                        "x-own: 1",
                        "cookie: a=b",
                        "te: trailers",
                        "x-forwarded-for: 127.0.0.1",
                        "x-real-ip: 127.0.0.1",
                        "x-forwarded-proto: http",
                        "x-forwarded-host: Shop.example:81",
                        "x-forwarded-port: 81",
                        "via: 1.1 millau",
                        "x-request-id: its-own");
    }

    @Test
    void aResponseHasAContentLengthIfItIsKnown() throws Exception {
        startWithPeers(peer(peer -> {
            peer.headers(peer.request().stream(), true, ":status", "200", "content-length", "7");
            int second = peer.request().stream();
            peer.headers(second, false, ":status", "200", "content-length", "2");
            peer.data(second, true, "ok");
            peer.headers(peer.request().stream(), true, ":status", "200");
            int fourth = peer.request().stream();
            peer.headers(fourth, false, ":status", "304");
            peer.data(fourth, true, "");
        }));
        RawClient client = client();

        assertThat(client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").readHead().field("Content-Length"))
                .isEqualTo("7");
        assertThat(client.get("/").field("Content-Length")).isEqualTo("2");
        assertThat(client.get("/").field("Content-Length")).isEqualTo("0");
        assertThat(client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead().status())
                .isEqualTo(304);
        awaitNoBuffers();
    }

    @Test
    void headsMaySpanSeveralFrames() throws Exception {
        String large = "x".repeat(30_000);
        startWithPeers(peer(peer -> {
            Http2Peer.Frame part = peer.request();
            StringBuilder block = new StringBuilder(part.payload());
            while ((part.flags() & Http2.END_HEADERS) == 0) {
                part = peer.next();
                block.append(part.payload());
            }
            seen.add("" + block.toString().contains(large));
            byte[] response = Http2Peer.block(":status", "200", "x-large", large);
            peer.send(Http2.HEADERS, Http2.END_STREAM, 1, Arrays.copyOf(response, 10_000));
            peer.send(Http2.CONTINUATION, 0, 1, Arrays.copyOfRange(response, 10_000, 25_000));
            peer.send(Http2.CONTINUATION, Http2.END_HEADERS, 1, Arrays.copyOfRange(response, 25_000, response.length));
        }));
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\nX-Large: " + large + "\r\n\r\n");

        assertThat(seen()).isEqualTo("true");
        assertThat(client.read().field("x-large")).isEqualTo(large);
    }

    @Test
    void aHeadLargerThanTheEndpointAllowsIs431() throws Exception {
        startWithPeers(peerThatReturns("ok", Http2.MAX_HEADER_LIST_SIZE, 1000));
        RawClient client = client();

        assertThat(client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Large: " + "x".repeat(1000) + "\r\n\r\n")
                        .read()
                        .status())
                .isEqualTo(431);
        assertThat(client.get("/").body()).isEqualTo("ok");
        awaitNoBuffers();
    }

    @Test
    void interimResponsesPass() throws Exception {
        startWithPeers(peer(peer -> {
            int stream = peer.request().stream();
            peer.headers(stream, false, ":status", "103", "link", "</a>");
            peer.respond(stream, "ok");
        }));
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

        assertThat(client.readHead().field("link")).isEqualTo("</a>");
        assertThat(client.read().body()).isEqualTo("ok");
    }

    @Test
    void anUpgradeHeaderIsDropped() throws Exception {
        startWithPeers(peerThatReturns("no socket"));

        assertThat(client().send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
                        .read()
                        .body())
                .isEqualTo("no socket");
    }

    // gRPC

    @Test
    void trailersReachTheClient() throws Exception {
        startWithPeers(peer(peer -> {
            int stream = peer.wholeRequest().stream();
            peer.headers(stream, false, ":status", "200", "content-type", "application/grpc");
            peer.data(stream, false, "message");
            peer.headers(stream, true, "grpc-status", "0");
        }));
        RawHttp2Client client = http2();
        open(client, 1, false, "POST");
        client.upload(1, new byte[5], true);
        BlockReader blocks = new BlockReader();

        assertThat(blocks.read(client.next(1).payload())).contains(":status: 200", "content-type: application/grpc");
        assertThat(client.next(1).payload()).isEqualTo("message");
        RawHttp2Client.Frame trailers = nextWithPayload(client, 1);
        assertThat(trailers.type()).isEqualTo(RawHttp2Client.HEADERS);
        assertThat(trailers.flags() & RawHttp2Client.END_STREAM).isEqualTo(RawHttp2Client.END_STREAM);
        assertThat(blocks.read(trailers.payload())).containsExactly("grpc-status: 0");
        awaitNoBuffers();
    }

    private static RawHttp2Client.Frame nextWithPayload(RawHttp2Client client, int stream) throws Exception {
        RawHttp2Client.Frame frame = client.next(stream);
        while (frame.payload().isEmpty()) {
            frame = client.next(stream);
        }
        return frame;
    }

    @Test
    void aTrailersOnlyResponseIsOneHeadersFrame() throws Exception {
        startWithPeers(peer(peer -> {
            int stream = peer.wholeRequest().stream();
            peer.headers(stream, true, ":status", "200", "content-type", "application/grpc", "grpc-status", "5");
        }));
        RawHttp2Client client = http2();
        open(client, 1, false, "POST");
        client.upload(1, new byte[5], true);
        RawHttp2Client.Frame head = client.next(1);

        assertThat(new BlockReader().read(head.payload())).contains("grpc-status: 5");
        assertThat(head.flags() & RawHttp2Client.END_STREAM).isEqualTo(RawHttp2Client.END_STREAM);
    }

    @Test
    void bothDirectionsFlowIndependently() throws Exception {
        startWithPeers(peer(peer -> {
            int stream = peer.request().stream();
            peer.headers(stream, false, ":status", "200");
            peer.data(stream, false, "first");
            for (Http2Peer.Frame frame = peer.nextOfStream(); !frame.ends(); frame = peer.nextOfStream()) {
                peer.data(stream, false, "echo " + frame.payload());
            }
            peer.headers(stream, true, "grpc-status", "0");
        }));
        RawHttp2Client client = http2();
        open(client, 1, false, "POST");

        assertThat(client.next(1).type()).isEqualTo(RawHttp2Client.HEADERS);
        assertThat(nextWithPayload(client, 1).payload()).isEqualTo("first");
        for (String message : new String[] {"a", "b", "c"}) {
            client.send(RawHttp2Client.DATA, 0, 1, message.getBytes(StandardCharsets.US_ASCII));
            assertThat(nextWithPayload(client, 1).payload()).isEqualTo("echo " + message);
        }
        client.send(RawHttp2Client.DATA, RawHttp2Client.END_STREAM, 1, new byte[0]);
        assertThat(nextWithPayload(client, 1).type()).isEqualTo(RawHttp2Client.HEADERS);
        awaitNoBuffers();
    }

    @Test
    void anEarlyResponseEndsTheRequest() throws Exception {
        startWithPeers(peer(peer -> {
            int stream = peer.request().stream();
            peer.headers(stream, true, ":status", "200", "grpc-status", "8");
            peer.reset(stream, Http2.NO_ERROR);
            peer.respond(peer.wholeRequest().stream(), "next");
        }));
        RawHttp2Client client = http2();
        open(client, 1, false, "POST");

        assertThat(new BlockReader().read(client.next(1).payload())).contains("grpc-status: 8");
        open(client, 3, true, "GET");
        assertThat(client.body(3)).isEqualTo("next");
        awaitNoBuffers();
    }

    // Connections

    @Test
    void manyRequestsShareAConnection() throws Exception {
        CountDownLatch all = new CountDownLatch(100);
        ScriptedEndpoint endpoint = peer(peer -> {
            List<Integer> streams = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                streams.add(peer.wholeRequest().stream());
            }
            Collections.reverse(streams);
            for (int stream : streams) {
                peer.respond(stream, "ok");
            }
        });
        startWithPeers(endpoint);
        for (int i = 0; i < 100; i++) {
            RawClient client = client().send(post("body " + i));
            ScriptedEndpoint.daemon("client", () -> {
                try {
                    assertThat(client.read().body()).isEqualTo("ok");
                    all.countDown();
                } catch (IOException e) {
                    seen.add(e.toString());
                }
            });
        }

        assertThat(all.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(endpoint.connections()).isEqualTo(1);
        awaitNoBuffers();
    }

    @Test
    void requestsBeyondTheStreamLimitUseAnotherConnection() throws Exception {
        CountDownLatch both = new CountDownLatch(2);
        ScriptedEndpoint endpoint = peer(
                peer -> {
                    while (true) {
                        int stream = peer.wholeRequest().stream();
                        both.countDown();
                        both.await();
                        peer.respond(stream, "ok");
                    }
                },
                Http2.MAX_CONCURRENT_STREAMS,
                1);
        startWithPeers(endpoint);
        RawClient one = client().send(post(""));
        RawClient other = client().send(post(""));

        assertThat(one.read().body()).isEqualTo("ok");
        assertThat(other.read().body()).isEqualTo("ok");
        assertThat(one.send(post("")).read().body()).isEqualTo("ok");
        assertThat(endpoint.connections()).isEqualTo(2);
    }

    @Test
    void aConnectionClosedWhileIdleFailsNoRequest() throws Exception {
        ScriptedEndpoint endpoint = endpoint(connection -> {
            Http2Peer peer = new Http2Peer(connection);
            peer.respond(peer.wholeRequest().stream(), "ok");
        });
        startWithPeers(endpoint);
        for (int i = 1; i <= 3; i++) {
            assertThat(client().send(post("")).read().body()).isEqualTo("ok");
            await().until(() -> endpoint.openConnections() == 0);
        }
        assertThat(endpoint.connections()).isEqualTo(3);
        assertThat(traffic.events).noneMatch(event -> event.startsWith("failed"));
    }

    @Test
    void anIdleConnectionIsClosedAfterAMinute() throws Exception {
        ScriptedEndpoint endpoint = peerThatReturns("ok");
        startWithPeers(endpoint);
        client().get("/");
        assertThat(endpoint.openConnections()).isEqualTo(1);
        ahead.addAndGet(TimeUnit.SECONDS.toNanos(61));

        await().until(() -> endpoint.openConnections() == 0);
        assertThat(client().get("/").body()).isEqualTo("ok");
    }

    @Test
    void connectionsToARemovedEndpointCloseAfterTheirLastRequest() throws Exception {
        CountDownLatch removed = new CountDownLatch(1);
        ScriptedEndpoint idle = peerThatReturns("ok");
        ScriptedEndpoint busy = peer(peer -> {
            int stream = peer.wholeRequest().stream();
            seen.add("arrived");
            removed.await();
            peer.respond(stream, "late");
        });
        startWith(
                app(Http2Peer.endpoint(idle)).build(),
                Service.named("busy")
                        .endpoints(Http2Peer.endpoint(busy))
                        .path("/busy")
                        .build());
        assertThat(client().get("/").body()).isEqualTo("ok");
        RawClient waiting = client().send("GET /busy HTTP/1.1\r\nHost: a\r\n\r\n");
        seen();
        services.replace(app(endpointThatSays("new").endpoint()).build());

        await().until(() -> idle.openConnections() == 0);
        removed.countDown();
        assertThat(waiting.read().body()).isEqualTo("late");
        await().until(() -> busy.openConnections() == 0);
        assertThat(client().get("/").body()).isEqualTo("new");
    }

    @Test
    void aRequestStillRunningAfterTheDrainIsReset() throws Exception {
        startWith(app(Http2Peer.endpoint(peer(peer -> {
                    peer.headers(peer.wholeRequest().stream(), false, ":status", "200");
                    seen.add(peer.nextOfStream().type() == Http2.RST_STREAM ? "reset" : "?");
                })))
                .drain(Duration.ofMillis(100))
                .build());
        RawHttp2Client client = http2();
        open(client, 1, true, "GET");
        client.next(1);
        services.replace(app(endpointThatSays("new").endpoint()).build());

        assertThat(client.body(1)).isEqualTo("(reset)");
        assertThat(seen()).isEqualTo("reset");
    }

    // Back-pressure

    @Test
    void aClientThatDoesNotReadTakesBoundedMemory() throws Exception {
        AtomicInteger sent = new AtomicInteger();
        startWith(app(undertow(exchange -> {
                    byte[] part = new byte[64 * 1024];
                    int parts = exchange.getRequestPath().equals("/large") ? 800 : 0;
                    for (int i = 0; i < parts; i++) {
                        exchange.getOutputStream().write(part);
                        sent.incrementAndGet();
                    }
                }))
                .build());
        RawClient slow = client().send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
        await().during(Duration.ofMillis(500)).until(sent::get, parts -> parts > 0 && parts == sent.get());

        assertThat(sent.get()).isBetween(1, 400); // no more than the socket buffers hold
        assertThat(millau.buffersTakenByRequests()).isLessThanOrEqualTo(4);
        assertThat(client().get("/").status()).isEqualTo(200); // over the same connection

        InputStream in = slow.wire().in();
        String head = slow.readHead().toString();
        assertThat(head).contains("200");
        assertThat(slow.wire()
                        .readBody(new Message("", List.of("Transfer-Encoding: chunked"), ""), true)
                        .body())
                .hasSize(800 * 64 * 1024);
        assertThat(in.available()).isZero();
        awaitNoBuffers();
    }

    @Test
    void aRequestBodyWaitsForTheWindow() throws Exception {
        CountDownLatch opened = new CountDownLatch(1);
        startWithPeers(peer(
                peer -> {
                    Http2Peer.Frame head = peer.request();
                    seen.add("head");
                    opened.await();
                    peer.windowUpdate(head.stream(), 3);
                    seen.add(peer.nextOfStream().payload());
                    peer.send(Http2.SETTINGS, 0, 0, new byte[] {0, 4, 0, 0, 0, 100});
                    seen.add(peer.nextOfStream().payload());
                    peer.respond(head.stream(), "ok");
                },
                Http2.INITIAL_WINDOW_SIZE,
                0));
        RawClient client = client().send(post("abcde"));
        assertThat(seen()).isEqualTo("head");
        opened.countDown();

        assertThat(seen()).isEqualTo("abc");
        assertThat(seen()).isEqualTo("de");
        assertThat(client.read().body()).isEqualTo("ok");
    }

    @Test
    void aStalledUploadDoesNotBlockOtherStreams() throws Exception {
        startWithPeers(peer(
                peer -> {
                    int upload = peer.request().stream();
                    int other = peer.request().stream();
                    peer.respond(other, "other");
                    peer.windowUpdate(upload, 1_000_000);
                    peer.respond(upload, "upload");
                },
                Http2.INITIAL_WINDOW_SIZE,
                1000));
        RawClient upload = client().send(post("x".repeat(2000)));
        await().until(() -> traffic.events.size() >= 2);

        assertThat(client().get("/").body()).isEqualTo("other");
        assertThat(upload.read().body()).isEqualTo("upload");
    }

    // Failures

    @Test
    void anEndpointThatDoesNotSpeakHttp2IsUnreachable() throws Exception {
        ScriptedEndpoint http1 = endpoint(connection -> {
            connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            connection.hang();
        });
        ScriptedEndpoint garbage = endpoint(connection -> {
            connection.send("SSH-2.0-OpenSSH_9.2\r\n");
            connection.hang();
        });
        ScriptedEndpoint closing = endpoint(connection -> {});
        ScriptedEndpoint good = peerThatReturns("good");
        Endpoint refusing = endpointThatRefuses();
        startWith(app(
                        Http2Peer.endpoint(http1),
                        Http2Peer.endpoint(garbage),
                        Http2Peer.endpoint(closing),
                        Endpoint.h2c("refusing", refusing.address(), refusing.port()),
                        Http2Peer.endpoint(good))
                .build());

        for (int i = 0; i < 5; i++) {
            assertThat(client().send(post("hi")).read().body()).isEqualTo("good");
        }
        assertThat(traffic.events.stream().filter(event -> event.startsWith("failed")))
                .hasSize(4)
                .allMatch(event -> event.equals("failed app UNREACHABLE retried"));
    }

    @Test
    void anEndpointThatDoesNotSendSettingsIsAFailedAttempt() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        startWithPeers(endpoint(connection -> {
            connection.wire().in().read();
            arrived.countDown();
            connection.hang();
        }));
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        arrived.await();
        ahead.addAndGet(TimeUnit.SECONDS.toNanos(6));

        assertThat(client.read().status()).isEqualTo(502);
        awaitNoBuffers();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRequestThatTheEndpointDidNotProcessIsRetriedWithAnyMethod(boolean goAway) throws Exception {
        AtomicInteger requests = new AtomicInteger();
        ScriptedEndpoint endpoint = peer(peer -> {
            while (true) {
                int stream = peer.wholeRequest().stream();
                if (requests.incrementAndGet() != 2) {
                    peer.respond(stream, "ok");
                } else if (goAway) {
                    peer.goAway(stream - 2, Http2.NO_ERROR);
                } else {
                    peer.reset(stream, Http2.REFUSED_STREAM);
                }
            }
        });
        startWithPeers(endpoint);
        RawClient client = client();

        assertThat(client.send(post("hello")).read().body()).isEqualTo("ok");
        assertThat(client.send(post("hello")).read().body()).isEqualTo("ok");
        assertThat(traffic.events).contains("failed app NOT_PROCESSED retried");
        await().until(() -> endpoint.openConnections() == 1);
    }

    @Test
    void aRequestAcceptedBeforeGoAwayIsFinished() throws Exception {
        ScriptedEndpoint endpoint = peer(peer -> {
            int stream = peer.wholeRequest().stream();
            peer.goAway(stream, Http2.NO_ERROR);
            peer.respond(stream, "ok");
        });
        startWithPeers(endpoint);

        assertThat(client().send(post("")).read().body()).isEqualTo("ok");
        await().until(() -> endpoint.openConnections() == 0);
        assertThat(client().send(post("")).read().body()).isEqualTo("ok");
        assertThat(endpoint.connections()).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"GET, good", "POST, No instance could answer"})
    void aResetRequestIsRetriedOnlyIfIdempotent(String method, String body) throws Exception {
        ScriptedEndpoint resetting = peer(peer -> {
            while (true) {
                peer.reset(peer.wholeRequest().stream(), 2);
            }
        });
        startWithPeers(resetting, peerThatReturns("good"));
        List<String> bodies = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            bodies.add(client().send(method + " / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
                    .read()
                    .body()
                    .strip());
        }

        assertThat(bodies).contains(body).contains("good");
        assertThat(traffic.events).anyMatch(event -> event.startsWith("failed app BROKEN"));
        awaitNoBuffers();
    }

    @Test
    void aResponseCutByTheEndpointIsCutForTheClient() throws Exception {
        startWithPeers(peer(peer -> {
            int stream = peer.wholeRequest().stream();
            peer.headers(stream, false, ":status", "200");
            peer.data(stream, false, "half");
            seen.add("half");
            peer.reset(stream, 2);
            peer.respond(peer.wholeRequest().stream(), "next");
        }));
        RawHttp2Client client = http2();
        open(client, 1, true, "GET");
        assertThat(client.body(1)).endsWith("(reset)");

        open(client, 3, true, "GET");
        assertThat(client.body(3)).isEqualTo("next");
        awaitNoBuffers();
    }

    @Test
    void aTimeoutResetsOnlyItsStream() throws Exception {
        ScriptedEndpoint endpoint = peer(peer -> {
            int silent = peer.wholeRequest().stream();
            int other = peer.wholeRequest().stream();
            peer.headers(other, false, ":status", "200");
            Http2Peer.Frame reset = peer.nextOfStream();
            seen.add(
                    reset.stream() == silent && reset.type() == Http2.RST_STREAM
                            ? "reset " + (int) reset.payload().charAt(3)
                            : reset.toString());
            while (peer.next().type() != Http2.PING) {}
            peer.send(Http2.PING, Http2.ACK, 0, new byte[8]);
            peer.data(other, true, "other");
            peer.respond(peer.wholeRequest().stream(), "third");
        });
        // Longer than the second of silence after which the proxy sends a PING: the head of the other response ends the
        // silence once.
        startWith(
                app(Http2Peer.endpoint(endpoint)).timeout(Duration.ofSeconds(3)).build());
        RawHttp2Client client = http2();
        open(client, 1, true, "POST");
        open(client, 3, true, "POST");

        assertThat(client.body(1)).isEqualTo("No answer in time\n");
        assertThat(seen()).isEqualTo("reset 8");
        assertThat(client.body(3)).isEqualTo("other");
        open(client, 5, true, "GET");
        assertThat(client.body(5)).isEqualTo("third");
        assertThat(endpoint.connections()).isEqualTo(1);
    }

    @Test
    void aSilentConnectionGetsNoMoreRequests() throws Exception {
        AtomicInteger connections = new AtomicInteger();
        ScriptedEndpoint endpoint = peer(peer -> {
            if (connections.incrementAndGet() == 1) {
                peer.respond(peer.wholeRequest().stream(), "first");
                while (true) {
                    peer.next();
                }
            }
            while (true) {
                peer.respond(peer.wholeRequest().stream(), "good");
            }
        });
        startWith(
                app(Http2Peer.endpoint(endpoint)).timeout(Duration.ofSeconds(2)).build());
        assertThat(client().get("/").body()).isEqualTo("first");

        assertThat(client().get("/").status()).isEqualTo(504);
        assertThat(client().get("/").body()).isEqualTo("good");
        assertThat(endpoint.connections()).isEqualTo(2);
    }

    @Test
    void whenAClientLeavesOnlyItsStreamIsReset() throws Exception {
        ScriptedEndpoint endpoint = peer(peer -> {
            int left = peer.wholeRequest().stream();
            int other = peer.wholeRequest().stream();
            seen.add("both");
            Http2Peer.Frame reset = peer.nextOfStream();
            seen.add(reset.type() == Http2.RST_STREAM && reset.stream() == left ? "reset" : reset.toString());
            peer.respond(other, "other");
        });
        startWithPeers(endpoint);
        RawClient leaves = client().send(post(""));
        await().until(() -> endpoint.attempts() == 1 && endpoint.connections() == 1);
        await().until(() -> traffic.events.size() >= 2);
        RawClient stays = client().send(post(""));
        assertThat(seen()).isEqualTo("both");
        leaves.close();

        assertThat(seen()).isEqualTo("reset");
        assertThat(stays.read().body()).isEqualTo("other");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "connection: close",
                "transfer-encoding: chunked",
                "content-length: 3",
                "content-length: -1",
                "Upper: x",
                "x y: z",
                "x: a\r\nb: c",
                ":path: /",
                ":status: 200"
            })
    void anInvalidResponseIsReset(String field) throws Exception {
        startWithPeers(peer(peer -> {
            int stream = peer.wholeRequest().stream();
            int colon = field.indexOf(": ");
            peer.headers(stream, true, ":status", "200", field.substring(0, colon), field.substring(colon + 2));
            Http2Peer.Frame reset = peer.nextOfStream();
            seen.add(
                    reset.type() == Http2.RST_STREAM
                            ? "reset " + (int) reset.payload().charAt(3)
                            : reset.toString());
            peer.respond(peer.wholeRequest().stream(), "next");
        }));

        assertThat(client().get("/").status()).isEqualTo(502);
        assertThat(seen()).isEqualTo("reset 1");
        assertThat(client().get("/").body()).isEqualTo("next");
        awaitNoBuffers();
    }

    @ParameterizedTest
    @ValueSource(strings = {"frame", "stream", "push", "block", "window", "settings"})
    void anEndpointThatViolatesTheProtocolGetsGoAway(String rule) throws Exception {
        startWithPeers(peer(peer -> {
            peer.wholeRequest();
            switch (rule) {
                case "frame" -> peer.send(Http2.DATA, 0, 1, new byte[16_385]);
                case "stream" -> peer.headers(7, true, ":status", "200");
                case "push" -> peer.send(Http2.PUSH_PROMISE, 4, 1, new byte[8]);
                case "block" -> peer.send(Http2.HEADERS, 4, 1, new byte[] {-1, -1, -1, -1, -1, -1});
                case "window" -> peer.windowUpdate(0, 0);
                default -> peer.send(Http2.SETTINGS, 0, 0, new byte[5]);
            }
            for (Http2Peer.Frame frame = peer.next(); ; frame = peer.next()) {
                if (frame.type() == Http2.GO_AWAY) {
                    seen.add("GOAWAY");
                }
            }
        }));

        assertThat(client().send(post("")).read().status()).isEqualTo(502);
        assertThat(seen()).isEqualTo("GOAWAY");
        assertThat(traffic.events).contains("failed app BROKEN");
        awaitNoBuffers();
    }

    @Test
    void aPingIsAcknowledged() throws Exception {
        startWithPeers(peer(peer -> {
            int stream = peer.wholeRequest().stream();
            peer.send(Http2.PING, 0, 0, "12345678".getBytes(StandardCharsets.US_ASCII));
            Http2Peer.Frame frame = peer.next();
            while (frame.type() != Http2.PING) {
                frame = peer.next();
            }
            peer.respond(stream, frame.flags() + frame.payload());
        }));

        assertThat(client().get("/").body()).isEqualTo("112345678");
    }

    @Test
    void healthChecksUseHttp2() throws Exception {
        CountDownLatch well = new CountDownLatch(1);
        ScriptedEndpoint endpoint = peer(peer -> {
            while (true) {
                Http2Peer.Frame request = peer.wholeRequest();
                boolean asked = peer.fields(request).contains(":path: /health");
                if (asked) {
                    seen.add("asked");
                }
                peer.headers(
                        request.stream(), true, ":status", asked && well.getCount() > 0 ? "503" : "200", "x-well", "1");
            }
        });
        startWith(app(Http2Peer.endpoint(endpoint)).health("/health").build());
        seen();
        assertThat(client().get("/").status())
                .isEqualTo(200); // an unhealthy endpoint is still used if there is no other
        well.countDown();
        seen();
        await().until(() -> millau.buffersTakenByRequests() == 0);
    }
}
