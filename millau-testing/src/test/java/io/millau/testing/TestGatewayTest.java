package io.millau.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.core.internal.Issuer;
import io.millau.core.testing.CapturedLog;
import io.millau.core.testing.TrustAll;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;

class TestGatewayTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Test
    void twoProxiesRunSideBySide() {
        try (TestGateway one = TestGateway.start();
                TestGateway two = TestGateway.start()) {
            one.upstream("app").responds(200, "one");
            two.upstream("app").responds(200, "two");

            assertThat(one.get("/").body()).isEqualTo("one");
            assertThat(two.get("/").body()).isEqualTo("two");
            assertThat(one.uri()).isNotEqualTo(two.uri()).hasPath("");
        }
    }

    /** Each had a client of its own, whose thread stayed until the garbage collection: 400 tests, 400 threads. */
    @Test
    void testsOneAfterTheOtherLeaveNoThreads() {
        startAndGet();
        long before = clientThreads();
        for (int i = 0; i < 10; i++) {
            startAndGet();
        }

        assertThat(clientThreads()).isEqualTo(before);
    }

    private static void startAndGet() {
        try (TestGateway millau = TestGateway.start()) {
            assertThat(millau.get("/").statusCode()).isEqualTo(502);
        }
    }

    private static long clientThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().contains("SelectorManager"))
                .count();
    }

    @Test
    void itEndsAlthoughARequestIsInProgress() throws Exception {
        CompletableFuture<HttpResponse<String>> response;
        try (TestGateway millau = TestGateway.start()) {
            ScriptedUpstream silent = millau.upstream("app").fails(Fault.HANG);
            response = millau.sendAsync(millau.request("/"));
            silent.takeRequest(PATIENCE);
        }
        await().atMost(PATIENCE).until(response::isDone);
    }

    @Test
    void clientsAndUpstreamsSpeakTls() {
        try (TestGateway millau = TestGateway.start(builder -> builder.https("127.0.0.1:0"))) {
            ScriptedUpstream upstream = millau.tlsUpstream("app");

            HttpResponse<String> response = millau.get(millau.httpsUri() + "/x");

            assertThat(response.body()).isEqualTo("app");
            assertThat(response.sslSession()).isPresent();
            assertThat(upstream.takeRequest(PATIENCE).header("X-Forwarded-Proto"))
                    .isEqualTo("https");
            assertThat(millau.get("/x").body()).isEqualTo("app");
        }
    }

    @Test
    void withoutAnAddressForHttpsItSaysHowToGetOne() {
        try (TestGateway millau = TestGateway.start()) {
            assertThatThrownBy(millau::httpsUri)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("no address for HTTPS: expected builder.https(\"127.0.0.1:0\")");
        }
    }

    @Test
    void aUrlReachesTheProxyWhateverItsHostResolvesTo() {
        try (TestGateway millau = TestGateway.start()) {
            millau.routes(
                    Service.named("shop").hosts("shop.example").build(),
                    Service.named("orders")
                            .hosts("shop.example")
                            .path("/orders/")
                            .build());
            millau.upstream("shop");
            ScriptedUpstream orders = millau.upstream("orders");

            assertThat(millau.get("http://shop.example/").body()).isEqualTo("shop");
            assertThat(millau.post("http://shop.example/orders/", "7").body()).isEqualTo("orders");
            assertThat(millau.get("http://other.example/").statusCode()).isEqualTo(502);
            assertThat(millau.get("/").statusCode()).isEqualTo(502);
            RecordedRequest request = orders.takeRequest(PATIENCE);
            assertThat(request.host()).isEqualTo("shop.example");
            assertThat(request.path()).isEqualTo("/orders/");
            assertThat(request.body()).isEqualTo("7");
        }
    }

    @Test
    void whatIsNoTargetIsRefused() {
        try (TestGateway millau = TestGateway.start(builder -> builder.https("127.0.0.1:0"))) {
            for (String target : new String[] {"orders", "ftp://shop.example/", "https://shop.example/", "http:/x"}) {
                assertThatThrownBy(() -> millau.get(target))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage(
                                target + ": expected a path that begins with /, an http URL, or one below httpsUri()");
            }
        }
    }

    /** The last one won. */
    @Test
    void twoRoutesOfOneNameAreRefused() {
        try (TestGateway millau = TestGateway.start()) {
            Service one = Service.named("orders").path("/1/").build();
            Service two = Service.named("orders").path("/2/").build();

            assertThatThrownBy(() -> millau.routes(one, two))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("two services have the id orders");
            assertThat(millau.proxy().snapshot().services()).isEmpty();
        }
    }

    @Test
    void routesChangeWhileItRuns() throws Exception {
        try (TestGateway millau = TestGateway.start()) {
            ScriptedUpstream blue = millau.upstream("blue");
            assertThat(millau.get("/").body()).isEqualTo("blue");

            millau.routes(Service.named("blue").path("/blue/").build());
            assertThat(millau.get("/").statusCode()).isEqualTo(502);
            assertThat(millau.get("/blue/").body()).isEqualTo("blue");

            millau.routes(Service.named("green").endpoints(blue.endpoint()).build());
            assertThat(millau.get("/").body()).as("with its own endpoint").isEqualTo("blue");
            assertThat(millau.get("/blue/").body()).as("stays").isEqualTo("blue");

            millau.routes(Service.named("blue").enabled(false).build());
            assertThat(millau.proxy().explain(URI.create("http://a/blue/"))).contains("blue: not enabled");
        }
    }

    @Test
    void aRequestAtASilentUpstreamGoesOnWhenItsTimeHasPassed() throws Exception {
        try (TestGateway millau = TestGateway.start()) {
            ScriptedUpstream silent = millau.upstream("app").fails(Fault.HANG);
            ScriptedUpstream good = millau.upstream("app").responds(200, "good");
            CompletableFuture<HttpResponse<String>> response = millau.sendAsync(millau.request("/"));
            silent.takeRequest(PATIENCE);

            millau.advance(Duration.ofSeconds(29));
            assertThat(good.requests()).isEmpty();
            millau.advance(Duration.ofSeconds(1));

            assertThat(response.get(60, TimeUnit.SECONDS).body()).isEqualTo("good");
        }
    }

    /** Both waited for 30 s: a get with a silent upstream and a good one ended without a response. */
    @Test
    void itsClientWaitsForLongerThanTheProxyByDefault() {
        assertThat(TestGateway.PATIENCE)
                .isGreaterThanOrEqualTo(Service.named("app").build().timeout().multipliedBy(2));
    }

    @Test
    void anEjectedUpstreamIsBackAfterItsTime() {
        try (TestGateway millau = TestGateway.start()) {
            ScriptedUpstream bad = millau.upstream("app").fails(Fault.REFUSE);
            millau.upstream("app").responds(200, "good");
            assertThat(millau.get("/").body()).isEqualTo("good");
            bad.heals();

            millau.advance(Duration.ofSeconds(50));
            for (int i = 0; i < 4; i++) {
                assertThat(millau.get("/").body()).isEqualTo("good");
            }
            millau.advance(Duration.ofSeconds(10));

            Set<String> bodies = new HashSet<>();
            for (int i = 0; i < 4; i++) {
                bodies.add(millau.get("/").body());
            }
            assertThat(bodies).containsExactlyInAnyOrder("good", "app");
        }
    }

    /** What docs/start/tests.md says about it. */
    @Test
    void anUpstreamThatReturnsHasItsWholeShareTenSecondsLater() {
        try (TestGateway millau = TestGateway.start()) {
            ScriptedUpstream bad = millau.upstream("app").fails(Fault.REFUSE);
            millau.upstream("app");
            millau.get("/");
            bad.heals();
            millau.advance(Duration.ofSeconds(60));

            assertThat(requestsOf(bad, millau)).isLessThan(5);
            millau.advance(Duration.ofSeconds(10));
            assertThat(requestsOf(bad, millau)).isBetween(9, 11);
        }
    }

    /** How many of 20. */
    private static int requestsOf(ScriptedUpstream upstream, TestGateway millau) {
        int before = upstream.requests().size();
        for (int i = 0; i < 20; i++) {
            millau.get("/");
        }
        return upstream.requests().size() - before;
    }

    /** Deadlines of connections are looked at once a second. Who advances time does not have to wait for that. */
    @Test
    void anIdleClientIsClosedWhenItsTimeHasPassed() throws Exception {
        try (TestGateway millau = TestGateway.start();
                Socket client = new Socket("127.0.0.1", millau.uri().getPort())) {
            Wire wire = new Wire(client);
            wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            wire.readBody(wire.readHead(), false);
            client.setSoTimeout(100);

            await().atMost(PATIENCE).until(() -> {
                millau.advance(Duration.ofSeconds(181));
                return isClosed(wire);
            });
        }
    }

    private static boolean isClosed(Wire wire) throws Exception {
        try {
            return wire.in().read() < 0;
        } catch (SocketTimeoutException e) {
            return false;
        }
    }

    @Test
    void healthChecksGoByItsTime() {
        try (TestGateway millau = TestGateway.start()) {
            millau.routes(Service.named("app").health("/health").build());
            ScriptedUpstream upstream = millau.upstream("app");
            upstream.when("/health").responds(500, "");

            await().atMost(PATIENCE).until(() -> {
                millau.advance(Duration.ofSeconds(5));
                return millau.proxy().explain(URI.create("http://a/")).contains("out of rotation");
            });
            upstream.when("/health").responds(200, "");
            await().atMost(PATIENCE).until(() -> {
                millau.advance(Duration.ofSeconds(5));
                return !millau.proxy().explain(URI.create("http://a/")).contains("out of rotation");
            });
        }
    }

    /** It was registered, and made each later call fail, that of afterEach too. */
    @Test
    void aServiceThatIsRefusedLeavesNothingBehind() {
        try (TestGateway millau = TestGateway.start()) {
            assertThatThrownBy(() -> millau.upstream(""))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("service name \"\": expected at least one visible character");
            assertThatThrownBy(() -> millau.upstream(null))
                    .isInstanceOf(NullPointerException.class)
                    .hasMessage("service");
            Service one = Service.named("app").id("1").build();
            Service other = Service.named("app").id("2").path("/other/").build();
            assertThatThrownBy(() -> millau.routes(one, other)).hasMessageStartingWith("two services have the name");

            millau.routes(Service.named("x").id("orders").path("/x/").build());
            assertThatThrownBy(() -> millau.upstream("orders")).hasMessageStartingWith("two services have the id");

            millau.upstream("x").responds(200, "good");
            assertThat(millau.get("/x/").body()).isEqualTo("good");
        }
    }

    @Test
    void whatCannotBeMeantIsRefusedByName() {
        assertThatThrownBy(() -> TestGateway.start(null))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("settings");
        try (TestGateway millau = TestGateway.start()) {
            assertThatThrownBy(() -> millau.get(null)).hasMessage("target");
            assertThatThrownBy(() -> millau.post("/", null)).hasMessage("body");
            assertThatThrownBy(() -> millau.send(null)).hasMessage("request");
            assertThatThrownBy(() -> millau.sendAsync(null)).hasMessage("request");
            assertThatThrownBy(() -> millau.routes((Service) null)).hasMessage("service");
            assertThatThrownBy(() -> millau.advance(null)).hasMessage("by");
        }
    }

    /** The upstream got the requests of every host and path, and nothing said so. */
    @Test
    void aRouteWithoutAnUpstreamBesideAnUpstreamWithoutARouteIsLogged() {
        try (CapturedLog log = new CapturedLog();
                TestGateway millau = TestGateway.start()) {
            millau.routes(Service.named("ordres").path("/orders/").build());
            assertThat(millau.get("/orders/7").statusCode()).isEqualTo(502);
            assertThat(log.about("which has no upstream")).isEmpty();

            millau.upstream("orders");
            assertThat(millau.get("/orders/7").body()).isEqualTo("orders");
            millau.get("/");
            assertThat(log.about("which has no upstream"))
                    .singleElement()
                    .asString()
                    .contains("WARN", "routes() has ordres, which", "upstream() has orders, which has no route");
        }
    }

    @Test
    void aRouteWhoseUpstreamsAreClosedOrThatIsNotEnabledIsNoMistake() {
        try (CapturedLog log = new CapturedLog();
                TestGateway millau = TestGateway.start()) {
            millau.routes(
                    Service.named("orders").path("/orders/").build(),
                    Service.named("off").enabled(false).build());
            millau.upstream("orders").close();
            millau.upstream("site");

            assertThat(millau.get("/").body()).isEqualTo("site");
            assertThat(log.about("which has no upstream")).isEmpty();
        }
    }

    @Test
    void aClosedOneSaysThatItIsClosed() {
        TestGateway millau = TestGateway.start();
        millau.close();
        millau.close();

        assertThatThrownBy(() -> millau.get("/"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the proxy is closed: expected a call before that");
    }

    /** The client had the response before the proxy called its listeners: of 300 calls, 36 were not told of yet. */
    @Test
    void whenTheResponseIsThereTheListenersWereTold() {
        AtomicInteger told = new AtomicInteger();
        try (TestGateway millau =
                TestGateway.start(builder -> builder.https("127.0.0.1:0").listener(new TrafficListener() {
                    @Override
                    public void requestEnded(Ended request) {
                        told.incrementAndGet();
                    }
                }))) {
            ScriptedUpstream upstream = millau.upstream("app").responds(200, "x".repeat(100_000));
            upstream.when("/hangs").fails(Fault.HANG);
            CompletableFuture<HttpResponse<String>> inProgress = millau.sendAsync(millau.request("/hangs"));
            upstream.awaitRequests(1);

            for (int i = 1; i <= 100; i++) {
                millau.get("/");
                assertThat(told).hasValue(3 * i - 2);
                millau.get("http://other.example/");
                assertThat(told).hasValue(3 * i - 1);
                millau.get(millau.httpsUri() + "/");
                assertThat(told).hasValue(3 * i);
            }
            assertThat(inProgress).isNotDone();
        }
    }

    @Test
    void severalThreadsMaySendAtOnce() {
        try (TestGateway millau = TestGateway.start()) {
            millau.upstream("app");
            ExecutorService threads = Executors.newFixedThreadPool(4);
            List<CompletableFuture<Void>> all = Stream.generate(
                            () -> CompletableFuture.runAsync(() -> getOften(millau), threads))
                    .limit(4)
                    .toList();
            threads.shutdown();

            assertThat(CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)))
                    .as("a wait for I/O threads that another one takes over ends after 10 s")
                    .succeedsWithin(Duration.ofSeconds(9));
        }
    }

    /** It waited for 10 s for the I/O thread, which had ended. */
    @Test
    void whoSendsWhileItIsClosedIsNotHeldUp() throws Exception {
        for (int i = 0; i < 20; i++) {
            TestGateway millau = TestGateway.start();
            CountDownLatch begun = new CountDownLatch(1);
            CompletableFuture<Void> sending = CompletableFuture.runAsync(() -> {
                while (true) {
                    millau.get("/");
                    begun.countDown();
                }
            });
            begun.await();
            millau.close();

            await().atMost(Duration.ofSeconds(9)).until(sending::isDone);
        }
    }

    private static void getOften(TestGateway millau) {
        for (int i = 0; i < 50; i++) {
            assertThat(millau.get("/").statusCode()).isEqualTo(200);
        }
    }

    /** A second proxy ran, which nobody closed. */
    @Test
    void settingsThatStartTheBuilderAreRefused() {
        assertThatThrownBy(() -> TestGateway.start(builder -> {
                    try {
                        builder.start();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(
                        "the settings start the builder: expected that they only change it, it is started after them");
    }

    /** A certificate source for localhost could not be tested: the proxy's own certificate, for a year, came first. */
    @Test
    void aCertificateOfTheTestForLocalhostComesFirst() throws Exception {
        Instant now = Instant.now();
        Certificate own = Issuer.authority("another").issue("localhost", now, now.plus(Duration.ofDays(1)));
        try (TestGateway millau =
                TestGateway.start(builder -> builder.https("127.0.0.1:0").certificates(CertificateSource.of(own)))) {
            assertThat(certificateOf(millau)).isEqualTo(own.chain().get(0));
        }
    }

    private static X509Certificate certificateOf(TestGateway millau) throws Exception {
        try (SSLSocket socket = (SSLSocket) TrustAll.context()
                .getSocketFactory()
                .createSocket("localhost", millau.httpsUri().getPort())) {
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        }
    }

    /** A gateway's own builder settings count, such as a listener on a second port. */
    @Test
    void otherClientsReachItToo() throws Exception {
        try (TestGateway millau = TestGateway.start(builder -> builder.telemetry("127.0.0.1:0"))) {
            HttpResponse<String> status = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create(
                                            "http://127.0.0.1:" + millau.proxy().telemetryPort() + "/ready"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());

            assertThat(status.statusCode()).isEqualTo(200);
        }
    }
}
