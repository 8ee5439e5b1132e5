package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.LoadBalancer;
import io.millau.core.Overview;
import io.millau.core.Service;
import io.millau.core.ServiceStatus;
import io.millau.core.TrafficListener;
import io.millau.core.testing.CapturedLog;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** {@code millau.max-requests}: how many requests are in progress at one instance, and how others wait. */
class MaxRequestsTest extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String UPGRADE = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";

    private final CompletableFuture<Overview> overview = new CompletableFuture<>();
    private final List<String> told = new CopyOnWriteArrayList<>();
    private int ioThreads = 1;

    @Override
    protected Millau.Builder builder() {
        return super.builder().ioThreads(ioThreads).listener(new TrafficListener() {
            @Override
            public void started(Overview started) {
                overview.complete(started);
            }

            @Override
            public void requestEnded(Ended request) {
                told.add(request.status() + " " + request.localReason());
            }
        });
    }

    /** An instance that answers when it may. */
    private final class Gate {
        final Semaphore answers = new Semaphore(0);
        final AtomicInteger arrived = new AtomicInteger();
        final ScriptedEndpoint endpoint;

        Gate(String name) {
            endpoint = MaxRequestsTest.this.endpoint(connection -> {
                for (var request = connection.readRequest(); request != null; request = connection.readRequest()) {
                    arrived.incrementAndGet();
                    try {
                        answers.acquire();
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                    connection.respond(request, name);
                }
            });
        }

        void awaitArrived(int requests) {
            MaxRequestsTest.await(() -> arrived.get() == requests);
        }
    }

    private static void await(Callable<Boolean> condition) {
        org.awaitility.Awaitility.await().atMost(PATIENCE).until(condition);
    }

    private ScriptedEndpoint endpointThatUpgrades() {
        return endpoint(connection -> {
            connection.readHead();
            connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
            connection.hang();
        });
    }

    private int waiting() {
        return overview.join().services().stream()
                .mapToInt(ServiceStatus::waiting)
                .sum();
    }

    private void awaitWaiting(int requests) {
        await(() -> waiting() == requests);
    }

    private RawClient request() throws Exception {
        return client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }

    @Test
    void othersWaitInOrder() throws Exception {
        Gate app = new Gate("app");
        startWith(app(app.endpoint.endpoint()).maxRequests(3).build());
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            clients.add(request());
            int sent = i + 1;
            await(() -> app.arrived.get() + waiting() == sent);
        }
        assertThat(app.arrived).hasValue(3);
        assertThat(waiting()).isEqualTo(3);

        app.answers.release(6);

        for (RawClient client : clients) {
            assertThat(client.read().body()).isEqualTo("app");
        }
        assertThat(waiting()).isZero();
    }

    @Test
    void theFirstThatWaitsIsTheFirstServed() throws Exception {
        Gate app = new Gate("app");
        startWith(app(app.endpoint.endpoint()).maxRequests(1).build());
        RawClient first = request();
        app.awaitArrived(1);
        RawClient second = request();
        awaitWaiting(1);

        app.answers.release();
        first.read();
        app.awaitArrived(2);
        RawClient third = request();
        awaitWaiting(1);
        app.answers.release();

        assertThat(second.read().body()).isEqualTo("app");
        app.awaitArrived(3);
        app.answers.release();
        assertThat(third.read().body()).isEqualTo("app");
    }

    @Test
    void noMoreWaitThanThereArePlaces() throws Exception {
        Gate app = new Gate("app");
        startWith(app(app.endpoint.endpoint()).maxRequests(1).build());
        request();
        app.awaitArrived(1);
        request();
        awaitWaiting(1);
        try (CapturedLog log = new CapturedLog()) {
            var response = request().read();

            assertThat(response.status()).isEqualTo(503);
            assertThat(response.toString()).containsIgnoringCase("retry-after");
            await(() -> told.contains("503 TOO_MANY_REQUESTS"));
            assertThat(log.about("Failed"))
                    .singleElement()
                    .asString()
                    .contains("service=app", "1 requests in progress", "raise millau.max-requests");
        }
        assertThat(app.endpoint.connections()).isEqualTo(1);
    }

    @Test
    void whoWaitsForTheTimeoutGetsA503() throws Exception {
        clock = ahead::get;
        startWith(app(endpointThatUpgrades().endpoint())
                .maxRequests(1)
                .timeout(Duration.ofSeconds(30))
                .build());
        assertThat(client().send(UPGRADE).readHead().status()).isEqualTo(101);
        RawClient waits = request();
        awaitWaiting(1);

        ahead.addAndGet(TimeUnit.SECONDS.toNanos(29));
        assertThat(request().read().status()).isEqualTo(503);
        assertThat(waiting()).isEqualTo(1);
        ahead.addAndGet(TimeUnit.SECONDS.toNanos(1));

        assertThat(waits.read().status()).isEqualTo(503);
        assertThat(waiting()).isZero();
    }

    @Test
    void aClientThatLeavesLeavesTheLine() throws Exception {
        Gate app = new Gate("app");
        startWith(app(app.endpoint.endpoint()).maxRequests(1).build());
        RawClient first = request();
        app.awaitArrived(1);
        RawClient leaves = request();
        awaitWaiting(1);

        leaves.close();

        awaitWaiting(0);
        RawClient next = request();
        awaitWaiting(1);
        app.answers.release(2);
        assertThat(first.read().body()).isEqualTo("app");
        assertThat(next.read().body()).isEqualTo("app");
    }

    @Test
    void aRetryWaitsLikeAnyRequest() throws Exception {
        Gate full = new Gate("full");
        ScriptedEndpoint breaks = endpoint(ScriptedEndpoint.Connection::readRequest);
        startWith(
                app(full.endpoint.endpoint(), breaks.endpoint()).maxRequests(1).build());
        RawClient first = request();
        full.awaitArrived(1);
        RawClient retried = request();

        awaitWaiting(1);
        assertThat(breaks.requests).hasSize(1);
        full.answers.release(2);

        assertThat(first.read().body()).isEqualTo("full");
        assertThat(retried.read().body()).isEqualTo("full");
    }

    @Test
    void streamsOfOneConnectionWaitForEachOther() throws Exception {
        Gate app = new Gate("app");
        startWith(app(app.endpoint.endpoint()).maxRequests(1).build());
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));
        for (int stream = 1; stream <= 5; stream += 2) {
            client.headers(stream, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a");
            int sent = stream / 2 + 1;
            await(() -> app.arrived.get() + waiting() == Math.min(sent, 2));
        }

        assertThat(client.body(5)).isEqualTo("Too many requests in progress\n");
        assertThat(waiting()).isEqualTo(1);
        app.answers.release(2);
        assertThat(client.body(1)).isEqualTo("app");
        assertThat(client.body(3)).isEqualTo("app");
    }

    @Test
    void anotherInstanceWithAPlaceGetsTheRequest() throws Exception {
        for (LoadBalancer balancer : List.of(LoadBalancer.roundRobin(), LoadBalancer.leastConnections())) {
            Gate one = new Gate("one");
            Gate two = new Gate("two");
            Service service = app(one.endpoint.endpoint(), two.endpoint.endpoint())
                    .maxRequests(2)
                    .balancer(balancer)
                    .build();
            if (millau == null) {
                startWith(service);
            } else {
                replaceAll(service);
            }
            for (int i = 1; i <= 4; i++) {
                request();
                int sent = i;
                await(() -> one.arrived.get() + two.arrived.get() == sent);
            }
            assertThat(one.arrived).hasValue(2);
            assertThat(two.arrived).hasValue(2);
        }
    }

    private void replaceAll(Service... now) {
        services.replace(now);
        await(() -> overview.join().services().stream()
                .map(ServiceStatus::service)
                .toList()
                .equals(List.of(now)));
    }

    @Test
    void anotherServiceWithAPlaceGetsTheRequest() throws Exception {
        Gate blue = new Gate("blue");
        Gate green = new Gate("green");
        startWith(
                Service.named("blue")
                        .endpoints(blue.endpoint.endpoint())
                        .maxRequests(1)
                        .build(),
                Service.named("green")
                        .endpoints(green.endpoint.endpoint())
                        .maxRequests(3)
                        .build());

        for (int i = 1; i <= 4; i++) {
            request();
            int sent = i;
            await(() -> blue.arrived.get() + green.arrived.get() == sent);
        }

        assertThat(blue.arrived).hasValue(1);
        assertThat(green.arrived).hasValue(3);
        RawClient waits = request();
        awaitWaiting(1);
        green.answers.release();
        green.awaitArrived(4);
        green.answers.release(3);
        assertThat(waits.read().body()).isEqualTo("green");
    }

    @Test
    void aNewInstanceWakesThoseWhoWait() throws Exception {
        Gate old = new Gate("old");
        startWith(app(old.endpoint.endpoint()).maxRequests(1).build());
        request();
        old.awaitArrived(1);
        RawClient waits = request();
        awaitWaiting(1);

        services.replace(app(old.endpoint.endpoint(), endpointThatSays("new").endpoint())
                .maxRequests(1)
                .build());

        assertThat(waits.read().body()).isEqualTo("new");
    }

    @Test
    void aRemovedServiceEndsTheWaiting() throws Exception {
        Gate app = new Gate("app");
        startWith(app(app.endpoint.endpoint()).maxRequests(2).build());
        request();
        request();
        app.awaitArrived(2);
        RawClient one = request();
        RawClient two = request();
        awaitWaiting(2);

        services.replace();

        assertThat(one.read().body()).isEqualTo("No matching services found\n");
        assertThat(two.read().body()).isEqualTo("No matching services found\n");
    }

    @Test
    void anUpgradedConnectionKeepsItsPlace() throws Exception {
        startWith(app(endpointThatUpgrades().endpoint()).maxRequests(1).build());
        RawClient first = client().send(UPGRADE);
        assertThat(first.readHead().status()).isEqualTo(101);
        RawClient second = client().send(UPGRADE);
        awaitWaiting(1);

        first.close();

        assertThat(second.readHead().status()).isEqualTo(101);
    }

    /** Many clients on several I/O threads: never more at once than allowed, and nobody is forgotten. */
    @Test
    void theLimitHoldsAcrossThreads() throws Exception {
        ioThreads = 4;
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        ScriptedEndpoint endpoint = endpoint(connection -> {
            for (var request = connection.readRequest(); request != null; request = connection.readRequest()) {
                most.accumulateAndGet(now.incrementAndGet(), Math::max);
                Thread.yield();
                now.decrementAndGet();
                connection.respond(request, "ok");
            }
        });
        startWith(app(endpoint.endpoint()).maxRequests(8).build());
        ExecutorService pool = Executors.newFixedThreadPool(16);
        try {
            List<Future<Integer>> results = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                results.add(pool.submit(() -> {
                    int good = 0;
                    try (RawClient client = new RawClient(millau.port())) {
                        for (int n = 0; n < 300; n++) {
                            good += client.get("/").status() == 200 ? 1 : 0;
                        }
                    }
                    return good;
                }));
            }
            for (Future<Integer> result : results) {
                assertThat(result.get(120, TimeUnit.SECONDS)).isEqualTo(300);
            }
        } finally {
            pool.shutdownNow();
        }
        assertThat(most.get()).isBetween(1, 8);
        assertThat(waiting()).isZero();
    }
}
