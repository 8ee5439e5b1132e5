package io.millau.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millau.core.Service;
import io.millau.core.testing.CapturedLog;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import io.undertow.Handlers;
import io.undertow.server.HandlerWrapper;
import io.undertow.server.HttpHandler;
import io.undertow.server.handlers.BlockingHandler;
import io.undertow.server.handlers.CookieImpl;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An Undertow application in front of the proxy, on its addresses: {@link Millau.Builder#wrap}. */
class WrapTest extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final LocalReplies replies = new LocalReplies();
    private HandlerWrapper application = proxy -> proxy;

    @Override
    protected Millau.Builder builder() {
        return super.builder()
                .listener(replies)
                .filter(request -> request.setHeader("X-Filtered", "yes").proceed())
                .wrap(application);
    }

    private static HandlerWrapper admin(HttpHandler admin) {
        return proxy -> Handlers.path(proxy).addPrefixPath("/admin", admin);
    }

    private void assertTold(String... events) {
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(replies.told).containsExactly(events));
    }

    @Test
    void anApplicationAndTheProxyShareAnAddress() throws Exception {
        application = admin(exchange -> exchange.getResponseSender().send("admin " + exchange.getRelativePath()));
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        RawClient client = client();

        assertThat(client.get("/admin/users").body()).isEqualTo("admin /users");
        assertThat(client.get("/shop").body()).isEqualTo("ok");
        assertThat(client.get("/admin/").body()).isEqualTo("admin /");
        assertThat(endpoint.requests)
                .singleElement()
                .satisfies(request -> assertThat(request.field("X-Filtered")).isEqualTo("yes"));
        assertTold("200 APPLICATION", "200 null", "200 APPLICATION");
    }

    /** They were lost without a word, where a service responded: as with Undertow's own proxy handler they count. */
    @Test
    void fieldsAndCookiesOfTheApplicationAreAddedToEachResponse() throws Exception {
        application = proxy -> exchange -> {
            exchange.getResponseHeaders()
                    .put(new HttpString("X-Frame-Options"), "DENY")
                    .put(Headers.CONTENT_LENGTH, 7)
                    .put(Headers.SERVER, "gateway")
                    .add(Headers.VARY, "Origin")
                    .add(Headers.VARY, "Cookie");
            exchange.setResponseCookie(new CookieImpl("session", "s1").setPath("/"));
            proxy.handleRequest(exchange);
        };
        startWithFailures(Service.named("cookies")
                .hosts("cookies")
                .endpoints(endpointThatResponds(
                                "HTTP/1.1 200 OK\r\nServer: app\r\nSet-Cookie: a=1\r\nContent-Length: 2\r\n\r\nok")
                        .endpoint())
                .build());
        RawClient client = client();

        for (String host : List.of("app", "cookies", "empty", "moved")) {
            Message response =
                    client.send("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").read();
            assertThat(response.field("X-Frame-Options")).as(host).isEqualTo("DENY");
            assertThat(response.all("Vary")).as(host).containsExactly("Origin", "Cookie");
            assertThat(response.all("Set-Cookie")).as(host).contains("session=s1; Path=/");
            assertThat(response.all("Server")).as(host).containsExactly("gateway");
        }
        assertThat(client.send("GET / HTTP/1.1\r\nHost: cookies\r\n\r\n").read().all("Set-Cookie"))
                .containsExactly("a=1", "session=s1; Path=/");
    }

    @Test
    void aFieldThatCannotBeSentIsLeftOutAndLogged() throws Exception {
        application = proxy -> exchange -> {
            exchange.getResponseHeaders()
                    .put(new HttpString("X-Wrong"), "a\u20ac")
                    .put(new HttpString("X-Right"), "1");
            proxy.handleRequest(exchange);
        };
        startWith(endpointThatSays("ok"));
        try (CapturedLog log = new CapturedLog()) {
            for (int i = 0; i < 2; i++) {
                Message response = client().get("/");
                assertThat(response.body()).isEqualTo("ok");
                assertThat(response.field("X-Wrong")).isNull();
                assertThat(response.field("X-Right")).isEqualTo("1");
            }
            assertThat(log.about("The handler of wrap has set a field that can't be sent"))
                    .singleElement()
                    .asString()
                    .contains("header X-Wrong: character U+20AC");
        }
    }

    @Test
    void aCookieAloneIsAddedToo() throws Exception {
        application = proxy -> exchange -> {
            exchange.setResponseCookie(new CookieImpl("session", "s1"));
            proxy.handleRequest(exchange);
        };
        startWith(endpointThatSays("ok"));

        assertThat(client().get("/").all("Set-Cookie")).containsExactly("session=s1");
    }

    @Test
    void anApplicationMayBlockAndReadBodies() throws Exception {
        application = admin(new BlockingHandler(exchange -> {
            byte[] body = exchange.getInputStream().readAllBytes();
            exchange.getOutputStream().write(body);
        }));
        startWith(endpointThatSays("ok"));
        RawClient client = client();

        assertThat(client.send("POST /admin HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
                        .read()
                        .body())
                .isEqualTo("body");
        assertThat(client.send(
                                "POST /admin HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
                        .read()
                        .body())
                .isEqualTo("abc");
        assertThat(client.get("/").body()).isEqualTo("ok");
        assertTold("200 APPLICATION", "200 APPLICATION", "200 null");
    }

    /** A client that waits for 100 Continue waited until it gave up: curl for a second. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anApplicationThatReadsABodyLetsTheClientSendIt(boolean blocks) throws Exception {
        HttpHandler reads = exchange -> exchange.getRequestReceiver()
                .receiveFullString(
                        (received, body) -> received.getResponseSender().send(body));
        application = admin(blocks ? new BlockingHandler(reads) : reads);
        startWith(endpointThatSays("ok"));
        RawClient client = client();

        client.send("POST /admin HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
        assertThat(client.readHead().status()).isEqualTo(100);
        assertThat(client.send("body").read().body()).isEqualTo("body");
        assertThat(client.get("/").body()).isEqualTo("ok");
    }

    /** Whether the body still comes is not known, so nothing can follow on the connection. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientWhoseBodyNobodyReadsIsNotAskedForIt(boolean withText) throws Exception {
        application = admin(exchange -> {
            exchange.setStatusCode(403);
            if (withText) {
                exchange.getResponseSender().send("no");
            } else {
                exchange.endExchange();
            }
        });
        startWith(endpointThatSays("ok"));
        RawClient client = client();

        client.send("POST /admin HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
        Message response = client.read();
        assertThat(response.status()).isEqualTo(403);
        assertThat(response.field("Connection")).isEqualTo("close");
    }

    @Test
    void anApplicationMayWaitForSlowClients() throws Exception {
        application = admin(new BlockingHandler(exchange -> {
            byte[] body = exchange.getInputStream().readAllBytes();
            exchange.getOutputStream().write(body);
        }));
        startWith(endpointThatSays("ok"));
        byte[] body = new byte[2_000_000];
        new Random(1).nextBytes(body);
        HttpClient client = HttpClient.newHttpClient();

        for (HttpClient.Version version : HttpClient.Version.values()) {
            for (int i = 0; i < 5; i++) {
                HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + millau.port() + "/admin"))
                        .version(version)
                        .timeout(PATIENCE)
                        .expectContinue(i > 0) // the first one may be upgraded to HTTP/2
                        .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                        .build();
                assertThat(client.send(request, HttpResponse.BodyHandlers.ofByteArray())
                                .body())
                        .isEqualTo(body);
            }
        }
        await().atMost(PATIENCE).until(() -> replies.told.size() == 10);
        await().atMost(PATIENCE).until(() -> millau.buffersTakenByRequests() == 0);
    }

    @Test
    void anApplicationMayPassARequestOnFromAThreadThatBlocks() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        application = proxy -> new BlockingHandler(exchange -> exchange.dispatch(exchange.getIoThread(), proxy));
        startWith(endpoint);

        assertThat(client().get("/").body()).isEqualTo("ok");
        application = proxy -> new BlockingHandler(proxy);
        startWith(endpoint);
        assertThat(client().get("/").body()).isEqualTo("ok");
        assertTold("200 null", "200 null");
    }

    /** The instance was sent a head without its body, waited, and was ejected. */
    @ParameterizedTest
    @ValueSource(
            strings = {"Content-Length: 4\r\n\r\nbody", "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"})
    void aRequestWhoseBodyTheApplicationHasReadIsNotSentWithoutIt(String body) throws Exception {
        application = proxy -> new BlockingHandler(exchange -> {
            exchange.getInputStream().readAllBytes();
            proxy.handleRequest(exchange);
        });
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        RawClient client = client();
        try (CapturedLog log = new CapturedLog()) {
            assertThat(client.send("POST / HTTP/1.1\r\nHost: a\r\n" + body)
                            .read()
                            .status())
                    .isEqualTo(500);
            assertThat(client.get("/").body()).isEqualTo("ok");
            assertThat(log.about("The handler of wrap"))
                    .singleElement()
                    .asString()
                    .contains("ERROR", "has read the body of a request that it passes on");
        }
        assertThat(endpoint.requests).hasSize(1);
        assertTold("500 APPLICATION", "200 null");
    }

    /** To check a signature, for instance. */
    @ParameterizedTest
    @ValueSource(ints = {1, 4, 100_000, 3_000_000})
    void anApplicationMayGiveBackABodyThatItHasRead(int length) throws Exception {
        List<Integer> read = new CopyOnWriteArrayList<>();
        application = proxy -> exchange -> exchange.getRequestReceiver().receiveFullBytes((received, bytes) -> {
            read.add(bytes.length);
            Millau.giveBack(received, bytes);
            received.dispatch(proxy);
        });
        byte[] body = new byte[length];
        new Random(1).nextBytes(body);
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        HttpClient client = HttpClient.newHttpClient();
        for (HttpClient.Version version : HttpClient.Version.values()) {
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + millau.port() + "/"))
                    .version(version)
                    .timeout(Duration.ofSeconds(60))
                    .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                    .build();
            assertThat(client.send(request, HttpResponse.BodyHandlers.ofString())
                            .body())
                    .isEqualTo("ok");
        }
        assertThat(read).containsExactly(length, length);
        assertThat(endpoint.requests)
                .hasSize(2)
                .allSatisfy(request ->
                        assertThat(request.body().getBytes(ISO_8859_1)).isEqualTo(body));
        await().atMost(PATIENCE).until(() -> millau.buffersTakenByRequests() == 0);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "Transfer-Encoding: chunked\r\n\r\n1\r\nb\r\n3\r\nody\r\n0\r\n\r\n",
                "Expect: 100-continue\r\nContent-Length: 4\r\n\r\nbody"
            })
    void whatIsGivenBackMayDifferFromWhatWasRead(String body) throws Exception {
        application = proxy -> exchange -> exchange.getRequestReceiver().receiveFullString((received, text) -> {
            Millau.giveBack(received, (text + text).getBytes(ISO_8859_1));
            received.dispatch(proxy);
        });
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        RawClient client = client();

        client.send("POST / HTTP/1.1\r\nHost: a\r\n" + body);
        if (body.startsWith("Expect")) {
            assertThat(client.readHead().status()).isEqualTo(100);
        }
        assertThat(client.read().body()).isEqualTo("ok");
        assertThat(client.get("/").body()).isEqualTo("ok");
        String expected = body.contains("ody") ? "bodybody" : "";
        assertThat(endpoint.requests.get(0).body()).isEqualTo(expected);
        assertThat(endpoint.requests.get(0).all("Content-Length")).containsExactly("" + expected.length());
        assertThat(endpoint.requests.get(0).field("Transfer-Encoding")).isNull();
    }

    /** Who reads as many bytes as the length says has not seen the end, but the whole body. */
    @Test
    void aBodyThatWasReadByItsLengthMayBeGivenBack() throws Exception {
        application = proxy -> new BlockingHandler(exchange -> {
            byte[] body = exchange.getInputStream().readNBytes((int) exchange.getRequestContentLength());
            Millau.giveBack(exchange, body);
            proxy.handleRequest(exchange);
        });
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        HttpClient client = HttpClient.newHttpClient();

        for (HttpClient.Version version : HttpClient.Version.values()) {
            for (int length : new int[] {4, 100_000}) {
                HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + millau.port() + "/"))
                        .version(version)
                        .timeout(PATIENCE)
                        .POST(HttpRequest.BodyPublishers.ofString("x".repeat(length)))
                        .build();
                assertThat(client.send(request, HttpResponse.BodyHandlers.ofString())
                                .body())
                        .isEqualTo("ok");
            }
        }
        assertThat(endpoint.requests)
                .extracting(request -> request.body().length())
                .containsExactly(4, 100_000, 4, 100_000);
    }

    /** The client lost its connection, and nothing said why. */
    @Test
    void whatWasNotReadCantBeGivenBack() throws Exception {
        List<String> told = new CopyOnWriteArrayList<>();
        application = proxy -> exchange -> {
            try {
                Millau.giveBack(exchange, "hello".getBytes(ISO_8859_1));
            } catch (IllegalStateException e) {
                told.add(e.getMessage());
            }
            exchange.dispatch(proxy);
        };
        startWith(endpointThatSays("ok"));

        assertThat(client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
                        .send("body")
                        .read()
                        .body())
                .isEqualTo("ok");
        assertThat(told).containsExactly("the body was not read to its end: expected that before it is given back");
    }

    @Test
    void anApplicationIsNotNull() {
        application = proxy -> null;
        assertThatThrownBy(() -> startWith(endpointThatSays("ok"))).hasMessage("the handler that wrap returned");
    }

    @Test
    void aRequestWithoutABodyStaysWithoutOne() throws Exception {
        List<String> twice = new CopyOnWriteArrayList<>();
        application = proxy -> exchange -> exchange.getRequestReceiver().receiveFullBytes((received, bytes) -> {
            Millau.giveBack(received, bytes);
            try {
                Millau.giveBack(received, bytes);
            } catch (IllegalStateException e) {
                twice.add(e.getMessage());
            }
            received.dispatch(proxy);
        });
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);

        assertThat(client().get("/").body()).isEqualTo("ok");
        assertThat(endpoint.requests.get(0).field("Content-Length")).isNull();
        assertThat(twice).containsExactly("the body was given back already");
    }

    @Test
    void anApplicationThatThrowsIsA500() throws Exception {
        application = admin(exchange -> {
            throw new IllegalStateException("a bug");
        });
        startWith(endpointThatSays("ok"));
        RawClient client = client();

        assertThat(client.get("/admin").status()).isEqualTo(500);
        assertThat(client.get("/").body()).isEqualTo("ok");
        assertTold("500 APPLICATION", "200 null");
    }

    @Test
    void malformedRequestsDoNotReachTheApplication() throws Exception {
        application = proxy -> exchange -> exchange.getResponseSender().send("never");
        startWith(endpointThatSays("ok"));

        assertThat(client().send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
                        .read()
                        .status())
                .isEqualTo(400);
        assertTold("400 BAD_REQUEST");
    }

    @Test
    void theEndWaitsForTheApplication() throws Exception {
        CountDownLatch began = new CountDownLatch(1);
        CountDownLatch ends = new CountDownLatch(1);
        application = admin(new BlockingHandler(exchange -> {
            began.countDown();
            ends.await(60, TimeUnit.SECONDS);
            exchange.getResponseSender().send("done");
        }));
        startWith(endpointThatSays("ok"));
        RawClient client = client().send("GET /admin HTTP/1.1\r\nHost: a\r\n\r\n");
        began.await(60, TimeUnit.SECONDS);
        Thread closing = new Thread(millau::close);
        closing.start();
        await().atMost(PATIENCE).until(() -> !millau.up());
        ends.countDown();

        assertThat(client.read().body()).isEqualTo("done");
        closing.join(PATIENCE.toMillis());
    }
}
