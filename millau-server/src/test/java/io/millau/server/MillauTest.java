package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.mockito.Mockito.mock;

import io.millau.core.Endpoint;
import io.millau.core.Request;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.TrafficListener;
import io.millau.core.testing.CapturedLog;
import io.millau.core.testing.FreePorts;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The embedding API. */
class MillauTest extends ProxyTest {

    @Test
    void servicesMayChangeAtRuntime() throws Exception {
        ScriptedEndpoint blue = endpointThatSays("blue");
        ScriptedEndpoint green = endpointThatSays("green");
        startWith(blue);
        RawClient client = client();
        assertThat(client.get("/").body()).isEqualTo("blue");

        services.replace(app(green.endpoint()).build());
        assertThat(client.get("/").body()).isEqualTo("green");
        Awaitility.await().until(() -> blue.openConnections() == 0);

        services.replace();
        assertThat(client.get("/").status()).isEqualTo(502);
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                mistake("http=localhost: expected 8080, :8080", builder -> builder.http("localhost")),
                mistake("https=:99999: expected 8080, :8080", builder -> builder.https(":99999")),
                mistake("telemetry=: expected 8080, :8080", builder -> builder.telemetry("")),
                mistake("grace=PT-1S: expected zero or more", builder -> builder.grace(Duration.ofSeconds(-1))),
                mistake("drain=PT-1S: expected zero or more", builder -> builder.drain(Duration.ofSeconds(-1))),
                mistake("address", builder -> builder.http((String) null)),
                mistake("address", builder -> builder.http((InetSocketAddress) null)),
                mistake("address", builder -> builder.telemetry((InetSocketAddress) null)),
                mistake("source", builder -> builder.source(null)),
                mistake("source", builder -> builder.certificates(null)),
                mistake("listener", builder -> builder.listener(null)),
                mistake("page", builder -> builder.failurePage(null)),
                mistake("page", builder -> builder.metrics(null)),
                mistake("application", builder -> builder.wrap(null)),
                mistake("policy", builder -> builder.retryPolicy(null)),
                mistake("balancer", builder -> builder.balancer(null)),
                mistake("ticker", builder -> builder.ticker(null)),
                mistake("grace", builder -> builder.grace(null)),
                mistake("name", builder -> builder.hostName(null)),
                mistake("ranges", builder -> builder.trusted(null)),
                mistake("ranges", builder -> builder.proxyProtocol(null)),
                mistake("names", builder -> builder.telemetryHosts((String[]) null)),
                mistake("name", builder -> builder.telemetryHosts((String) null)),
                mistake(
                        "http=x.invalid:80: expected an address of this machine, x.invalid is none",
                        builder -> builder.http(InetSocketAddress.createUnresolved("x.invalid", 80))),
                mistake(
                        "https=x.invalid:0: expected an address of this machine, x.invalid is none",
                        builder -> builder.https(InetSocketAddress.createUnresolved("x.invalid", 0))),
                mistake(
                        "telemetry=x.invalid:0: expected an address of this machine, x.invalid is none",
                        builder -> builder.telemetry(InetSocketAddress.createUnresolved("x.invalid", 0))),
                mistake("hostName=: expected visible characters, for a header field", builder -> builder.hostName("")),
                mistake(
                        "hostName=a??X: b: expected visible characters, for a header field",
                        builder -> builder.hostName("a\r\nX: b")),
                mistake(
                        "telemetryHosts=http://x: expected a host name, without scheme and port",
                        builder -> builder.telemetryHosts("status.example", "http://x")),
                mistake(
                        "telemetryHosts=x.example:80: expected a host name, without scheme and port",
                        builder -> builder.telemetryHosts("x.example:80")));
    }

    private static Arguments mistake(String message, Consumer<Millau.Builder> mistake) {
        return Arguments.of(message, mistake);
    }

    /** They were found at the start or at the first request, by an exception that named nothing. */
    @ParameterizedTest
    @MethodSource("mistakes")
    void aMistakeIsNamedWhereItIsMade(String message, Consumer<Millau.Builder> mistake) {
        assertThatThrownBy(() -> mistake.accept(Millau.builder()))
                .isInstanceOfAny(IllegalArgumentException.class, NullPointerException.class)
                .hasMessageStartingWith(message);
    }

    /** They were ignored without a word. */
    @Test
    void addressesAfterBindAreRefused() throws Exception {
        Millau.Builder builder = Millau.builder().http("127.0.0.1:0").bind();
        millau = closing(builder.start());

        isTooLate("http", () -> builder.http("127.0.0.1:0"));
        isTooLate("https", () -> builder.https("127.0.0.1:0"));
        isTooLate("telemetry", () -> builder.telemetry("127.0.0.1:0"));
        isTooLate("ioThreads", () -> builder.ioThreads(1));
    }

    private static void isTooLate(String setting, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(setting + ": the addresses are bound already, expected it before bind");
    }

    /** Two proxies had the same sockets, and the end of the second one never came. */
    @Test
    void whatIsBoundIsForOneProxy() throws Exception {
        Millau.Builder builder = Millau.builder().http("127.0.0.1:0").bind();
        assertThatThrownBy(builder::bind)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the addresses are bound already");
        millau = closing(builder.start());

        assertThatThrownBy(builder::start)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("what bind has bound belongs to the proxy that was started before");
        assertThat(client().get("/").status()).isEqualTo(502);
    }

    /** The addresses stayed bound, by nobody, until the process ended; so did the subscriptions of sources before the one that threw. */
    @Test
    void aStartThatFailsLeavesNothingBehind() throws Exception {
        AtomicBoolean subscribed = new AtomicBoolean();
        int port = FreePorts.next();
        Millau.Builder builder = Millau.builder()
                .http("127.0.0.1:" + port)
                .source(consumer -> {
                    subscribed.set(true);
                    return () -> subscribed.set(false);
                })
                .source(consumer -> {
                    throw new IllegalStateException("no database");
                })
                .bind();
        assertThatThrownBy(builder::start).hasMessage("no database");

        assertThat(subscribed).isFalse();
        Awaitility.await()
                .untilAsserted(() ->
                        assertThatThrownBy(() -> new Socket("127.0.0.1", port)).isInstanceOf(ConnectException.class));
        Awaitility.await()
                .untilAsserted(
                        () -> assertThatThrownBy(() -> builder.bind().start()).hasMessage("no database"));
    }

    @Test
    void twoProxiesMayRunInOneJvm() throws Exception {
        ScriptedEndpoint one = endpointThatSays("one");
        ScriptedEndpoint two = endpointThatSays("two");
        startWith(one);
        try (Millau other = Millau.builder()
                        .http("127.0.0.1:0")
                        .source(ServiceSource.of(app(two.endpoint()).build()))
                        .start();
                RawClient client = new RawClient(other.port())) {
            assertThat(client.get("/").body()).isEqualTo("two");
            assertThat(client().get("/").body()).isEqualTo("one");
        }
        assertThat(client().get("/").body()).isEqualTo("one");
    }

    @Test
    void theServicesOfSeveralSourcesAreMerged() throws Exception {
        ServiceSource other = ServiceSource.of(Service.named("other")
                .path("/other")
                .endpoints(endpointThatSays("other").endpoint())
                .build());
        services.replace(app(endpointThatSays("app").endpoint()).build());
        millau = closing(Millau.builder()
                .http("127.0.0.1:0")
                .source(services)
                .source(other)
                .start());

        assertThat(client().get("/").body()).isEqualTo("app");
        assertThat(client().get("/other").body()).isEqualTo("other");
        services.replace();
        assertThat(client().get("/other").body()).isEqualTo("other");
    }

    /** It took 31 attempts and 8 s: what the second source has seemed to be just starting. */
    @Test
    void aDeadEndpointOfASecondSourceIsTriedOnce() throws Exception {
        services.replace(app(endpointThatSays("app").endpoint()).path("/app").build());
        millau = closing(builder()
                .source(ServiceSource.of(
                        Service.named("dead").endpoints(endpointThatRefuses()).build()))
                .start());

        assertThat(client().get("/").status()).isEqualTo(502);
        assertThat(traffic.events)
                .filteredOn(event -> event.startsWith("failed"))
                .hasSize(1);
    }

    /** One of the routes vanished: 502, and nobody was told. */
    @Test
    void servicesOfOneNameInTwoSourcesAreBothServedAndReported() throws Exception {
        services.replace(app(endpointThatSays("a").endpoint()).path("/a/").build());
        try (CapturedLog log = new CapturedLog()) {
            millau = closing(builder()
                    .source(ServiceSource.of(
                            app(endpointThatSays("b").endpoint()).path("/b/").build()))
                    .start());

            assertThat(client().get("/a/").body()).isEqualTo("a");
            assertThat(client().get("/b/").body()).isEqualTo("b");
            assertThat(log.about("app: two sources have a service of this name"))
                    .singleElement()
                    .asString()
                    .contains("WARN");
        }
    }

    @Test
    void closeFinishesRunningRequests() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        CountDownLatch mayRespond = new CountDownLatch(1);
        startWith(endpoint(connection -> {
            connection.readRequest();
            arrived.countDown();
            try {
                mayRespond.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
        }));
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        arrived.await();
        CompletableFuture<Void> closing = CompletableFuture.runAsync(millau::close);
        int port = millau.port();
        Awaitility.await().until(() -> refuses(port));
        assertThat(closing).isNotDone();
        mayRespond.countDown();

        assertThat(client.read().body()).isEqualTo("done");
        closing.get(30, TimeUnit.SECONDS);
    }

    private static boolean refuses(int port) throws Exception {
        try {
            new RawClient(port).close();
            return false;
        } catch (ConnectException e) {
            return true;
        }
    }

    @Test
    void closeDoesNotWaitForEver() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        ScriptedEndpoint hanging = endpointThatHangs(arrived);
        Millau brief = Millau.builder()
                .http("127.0.0.1:0")
                .drain(Duration.ofMillis(50))
                .source(ServiceSource.of(app(hanging.endpoint()).build()))
                .start();
        try (RawClient client = new RawClient(brief.port())) {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            arrived.await();
            brief.close();
            brief.close();

            assertThat(client.ended()).isTrue();
        }
    }

    /** Its I/O threads ran on, no process ended, and the next call of close waited for ever. */
    @Test
    void closeEndsTheProxyThoughASubscriptionThrows() throws Exception {
        AtomicBoolean ended = new AtomicBoolean();
        Millau broken = Millau.builder()
                .http("127.0.0.1:" + FreePorts.next())
                .drain(Duration.ofSeconds(Long.MAX_VALUE))
                .source(new ServiceSource() {
                    @Override
                    public Subscription subscribe(Consumer<Snapshot> consumer) {
                        consumer.accept(Snapshot.EMPTY);
                        return () -> {
                            throw new IllegalStateException("the pool is closed");
                        };
                    }

                    @Override
                    public String toString() {
                        return "database";
                    }
                })
                .source(consumer -> {
                    consumer.accept(Snapshot.EMPTY);
                    return () -> ended.set(true);
                })
                .start();
        try (CapturedLog log = new CapturedLog()) {
            broken.close();
            assertThat(log.about("Could not end the subscription of source=database"))
                    .hasSize(1);
        }
        broken.close();

        assertThat(ended).isTrue();
        assertThatThrownBy(() -> new Socket("127.0.0.1", broken.port())).isInstanceOf(ConnectException.class);
    }

    /** It was served, but {@link Millau#snapshot} had the services before it for ever. */
    @Test
    void servicesCannotBeReplacedWhileTheyAreReplaced() throws Exception {
        Service first = app(endpointThatSays("first").endpoint()).build();
        Service second = app(endpointThatSays("second").endpoint()).build();
        List<Throwable> refused = new CopyOnWriteArrayList<>();
        services.replace(first);
        millau = closing(builder()
                .listener(new TrafficListener() {
                    @Override
                    public void servicesReplaced(List<Service> now) {
                        refused.add(catchThrowable(() -> services.replace(second)));
                    }
                })
                .start());

        assertThat(refused)
                .singleElement()
                .asString()
                .contains(
                        "services were replaced while they are replaced, by a listener for instance: expected that later");
        assertThat(client().get("/").body()).isEqualTo("first");
        assertThat(millau.snapshot().services()).containsExactly(first);
    }

    /** The thread that replaced services got a {@link java.util.ConcurrentModificationException}; with another one that closes, none went on. */
    @Test
    void aListenerCannotEndTheProxyWhileServicesAreReplaced() throws Exception {
        List<Throwable> refused = new CopyOnWriteArrayList<>();
        Millau own = closing(builder()
                .listener(new TrafficListener() {
                    @Override
                    public void servicesReplaced(List<Service> now) {
                        if (!now.isEmpty()) {
                            refused.add(catchThrowable(millau::close));
                        }
                    }
                })
                .start());
        millau = own;
        services.replace(app(endpointThatSays("ok").endpoint()).build());

        assertThat(refused)
                .singleElement()
                .asString()
                .contains("close was called within servicesReplaced: expected that later, or by another thread");
        assertThat(client().get("/").body()).isEqualTo("ok");
    }

    @Test
    void aSourceWithoutASubscriptionIsRefused() {
        ServiceSource none = mock(ServiceSource.class, "none");
        assertThatThrownBy(
                        () -> Millau.builder().http("127.0.0.1:0").source(none).start())
                .isInstanceOf(NullPointerException.class)
                .hasMessage("none: subscribe returned null: expected a subscription");
    }

    @Test
    void itReportsDownUntilASourceHasDelivered() throws Exception {
        CompletableFuture<java.util.function.Consumer<Snapshot>> consumer = new CompletableFuture<>();
        ServiceSource late = snapshots -> {
            consumer.complete(snapshots);
            return () -> {};
        };
        CompletableFuture<Millau> starting = CompletableFuture.supplyAsync(() -> {
            try {
                return Millau.builder()
                        .http("127.0.0.1:0")
                        .telemetry("127.0.0.1:0")
                        .metrics(() -> "some 1\n")
                        .source(late)
                        .start();
            } catch (Millau.BindFailedException e) {
                throw new AssertionError(e);
            }
        });
        millau = closing(starting.get(30, TimeUnit.SECONDS));
        try (RawClient telemetry = new RawClient(millau.telemetryPort())) {
            Message down = telemetry.get("/");
            assertThat(down.status()).isEqualTo(503);
            assertThat(down.body()).isEqualTo("down");

            consumer.get().accept(Snapshot.EMPTY);
            Message up = telemetry.get("/");
            assertThat(up.status()).isEqualTo(200);
            assertThat(up.body()).isEqualTo("up");

            assertThat(telemetry.get("/metrics").body()).isEqualTo("some 1\n");
            assertThat(telemetry.get("/other").status()).isEqualTo(404);
        }
    }

    @Test
    void anAddressInUseIsNamedInTheException() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            Millau.Builder builder = Millau.builder().http("127.0.0.1:" + taken.getLocalPort());

            assertThatThrownBy(builder::start)
                    .isInstanceOf(Millau.BindFailedException.class)
                    .hasMessageContaining("127.0.0.1:" + taken.getLocalPort());
        }
    }

    @Test
    void anEndpointMayHaveAHostName() throws Exception {
        ScriptedEndpoint good = endpointThatSays("good");
        try (CapturedLog log = new CapturedLog()) {
            startWith(
                    app(Endpoint.http("localhost", good.endpoint().port())).build(),
                    Service.named("lost")
                            .path("/lost")
                            .endpoints(Endpoint.http("no-such-host.invalid", 80))
                            .build());

            assertThat(client().get("/").body()).isEqualTo("good");
            assertThat(log.about("no-such-host.invalid"))
                    .singleElement()
                    .asString()
                    .contains("WARN", "lost: endpoint http://no-such-host.invalid:80: the name can't be resolved");
        }
        assertThat(millau.snapshot().problems()).hasSize(1);
    }

    /** It waited for itself, and for the whole drain time. */
    @Test
    void closeOnAnIoThreadSaysWhatToDo() throws Exception {
        CompletableFuture<Throwable> failure = new CompletableFuture<>();
        services.replace(app(endpointThatSays("ok").endpoint()).build());
        millau = closing(builder()
                .listener(new TrafficListener() {
                    @Override
                    public void requestBegan(Ingress ingress, Request request) {
                        try {
                            millau.close();
                            failure.complete(new AssertionError("closed"));
                        } catch (IllegalStateException e) {
                            failure.complete(e);
                        }
                    }
                })
                .start());

        assertThat(client().get("/").body()).isEqualTo("ok");

        assertThat(failure.get(30, TimeUnit.SECONDS))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageMatching(
                        "close was called on an I/O thread of this proxy, millau.* I/O-1, for whose requests it"
                                + " waits: expected another thread; start one for it");
    }

    @Test
    void theThreadsOfTwoProxiesAreToldApart() throws Exception {
        Set<String> names = ConcurrentHashMap.newKeySet();
        for (int i = 0; i < 2; i++) {
            services.replace(app(endpointThatSays("ok").endpoint()).build());
            millau = closing(builder()
                    .listener(new TrafficListener() {
                        @Override
                        public void requestBegan(Ingress ingress, Request request) {
                            names.add(Thread.currentThread().getName());
                        }
                    })
                    .start());
            assertThat(client().get("/").body()).isEqualTo("ok");
        }

        assertThat(names).hasSize(2).allMatch(name -> name.matches("millau(-\\d+)? I/O-1"));
    }

    @Test
    void aListenerThatThrowsDisturbsNoRequest() throws Exception {
        millau = closing(Millau.builder()
                .http("127.0.0.1:0")
                .source(ServiceSource.of(app(endpointThatSays("ok").endpoint()).build()))
                .listener(new TrafficListener() {
                    @Override
                    public void requestBegan(Ingress ingress, Request request) {
                        throw new IllegalStateException("on purpose");
                    }
                })
                .listener(traffic)
                .start());

        assertThat(client().get("/").body()).isEqualTo("ok");
        assertThat(traffic.await(4)).containsExactly("busy", "began GET", "ended GET app delivered 200 0 2", "idle");
    }
}
