package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;

import io.millau.core.Attempt;
import io.millau.core.Endpoint;
import io.millau.core.LoadBalancer;
import io.millau.core.Overview;
import io.millau.core.Request;
import io.millau.core.RetryPolicy;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.core.testing.CapturedLog;
import io.millau.testing.Fault;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A policy, balancer or listener that throws: it is logged once, and requests get the standard answer. They leaked, so that
 * {@code close} waited for them, or their connections were dropped.
 */
class HooksTest extends ProxyTest {

    private static final String FAILED = "on purpose failed";

    private final CompletableFuture<Overview> overview = new CompletableFuture<>();
    private RetryPolicy policy = RetryPolicy.standard();
    private LoadBalancer balancer = LoadBalancer.roundRobin();

    @Override
    protected Millau.Builder builder() {
        return super.builder()
                .retryPolicy(policy)
                .balancer(balancer)
                .drain(Duration.ofMinutes(10))
                .listener(new TrafficListener() {
                    @Override
                    public void started(Overview started) {
                        overview.complete(started);
                    }
                });
    }

    /** With the drain time above, a request that leaked would let the test run into its timeout. */
    @AfterEach
    void nothingIsLeft() {
        Awaitility.await()
                .until(() -> overview.join().services().stream()
                        .flatMap(service -> service.endpoints().stream())
                        .allMatch(endpoint -> endpoint.openRequests() == 0));
        long began = System.nanoTime();
        millau.close();
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofMinutes(1));
    }

    private static final class Broken implements RetryPolicy, LoadBalancer {
        private final Runnable what;

        Broken(Runnable what) {
            this.what = what;
        }

        private int fail() {
            what.run();
            return 0;
        }

        @Override
        public boolean mayRetry(Attempt attempt) {
            return fail() == 1;
        }

        @Override
        public boolean mayRetryProcessed(Request request, Service service) {
            return fail() == 1;
        }

        @Override
        public boolean isFailure(int status) {
            return fail() == 1;
        }

        @Override
        public int choose(Candidates candidates) {
            return fail();
        }

        @Override
        public String toString() {
            return "on purpose";
        }
    }

    private static Broken throwsException() {
        return new Broken(() -> {
            throw new IllegalStateException("a bug");
        });
    }

    private static Broken throwsError() {
        return new Broken(() -> {
            throw new NoClassDefFoundError("a bug");
        });
    }

    /** An endpoint that has to wait for uploads is not slow. */
    @Test
    void aBalancerSeesHowLongEndpointsTookWithoutTheTimeOfClients() throws Exception {
        Semaphore headsRead = new Semaphore(0);
        Semaphore requestsRead = new Semaphore(0);
        Semaphore responses = new Semaphore(1);
        clock = ahead::get;
        List<Duration> seen = new CopyOnWriteArrayList<>();
        balancer = candidates -> {
            seen.add(Duration.ofNanos(candidates.recentNanos(0)));
            return 0;
        };
        startWith(endpoint(connection -> {
            for (Message head = connection.readHead(); head != null; head = connection.readHead()) {
                headsRead.release();
                Message request = connection.readBody(head);
                requestsRead.release();
                responses.acquireUninterruptibly();
                connection.respond(request, "ok");
            }
        }));
        RawClient client = client();
        client.get("/");
        headsRead.acquire();
        requestsRead.acquire();

        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n");
        headsRead.acquire();
        ahead.addAndGet(Duration.ofSeconds(20).toNanos());
        client.send("body");
        requestsRead.acquire();
        assertThat(client().send("GET / HTTP/1.1\r\n\r\n").read().status())
                .as("the I/O thread has done all it has to with the body")
                .isEqualTo(400);
        ahead.addAndGet(Duration.ofSeconds(5).toNanos());
        responses.release(2);
        assertThat(client.read().body()).isEqualTo("ok");
        client.get("/");

        assertThat(seen).hasSize(3);
        assertThat(seen.get(0)).isZero();
        assertThat(seen.get(1)).isBetween(Duration.ofNanos(1), Duration.ofMillis(1));
        assertThat(seen.get(2)).isBetween(Duration.ofMillis(4_999), Duration.ofMillis(5_001));
    }

    private void startWithOneThatBreaks() throws Exception {
        ScriptedEndpoint broken = closing(ScriptedEndpoint.that(Fault.RESET_AFTER_HEAD));
        startWith(app(broken.endpoint(), endpointThatSays("good").endpoint())
                .retry(Duration.ZERO)
                .build());
    }

    private void assertServed(int requests) throws Exception {
        for (int i = 0; i < requests; i++) {
            assertThat(client().get("/").body()).isEqualTo("good");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRetryPolicyThatThrows(boolean error) throws Exception {
        policy = error ? throwsError() : throwsException();
        try (CapturedLog log = new CapturedLog()) {
            startWithOneThatBreaks();

            assertServed(4);
            assertThat(client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
                            .read()
                            .status())
                    .as("as the standard policy has it")
                    .isEqualTo(502);

            assertThat(log.about(FAILED)).singleElement().asString().contains("the standard retry policy decides");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aBalancerThatThrows(boolean error) throws Exception {
        balancer = error ? throwsError() : throwsException();
        try (CapturedLog log = new CapturedLog()) {
            startWithOneThatBreaks();

            assertServed(4);
            services.replace(app(endpointThatSays("good").endpoint()).build());
            assertServed(4);

            assertThat(log.about(FAILED)).singleElement().asString().contains("endpoints take turns");
        }
    }

    @Test
    void eachBalancerThatThrowsIsNamed() throws Exception {
        try (CapturedLog log = new CapturedLog()) {
            Endpoint good = endpointThatSays("good").endpoint();
            startWith(
                    app(good).path("/").balancer(throwsException()).build(),
                    Service.named("other")
                            .path("/other")
                            .endpoints(good)
                            .balancer(throwsException())
                            .build());

            assertServed(2);
            assertThat(client().get("/other").body()).isEqualTo("good");

            assertThat(log.about(FAILED)).hasSize(2);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 2, Integer.MAX_VALUE})
    void aBalancerThatChoosesNobody(int index) throws Exception {
        balancer = candidates -> index;
        try (CapturedLog log = new CapturedLog()) {
            startWithOneThatBreaks();

            assertServed(4);

            assertThat(log.about("endpoints take turns")).hasSize(1);
        }
    }

    @Test
    void aListenerThatThrows() throws Exception {
        services.replace(
                app(endpointThatRefuses(), endpointThatSays("good").endpoint()).build());
        TrafficListener broken = mock(TrafficListener.class, call -> {
            if (call.getMethod().getName().equals("toString")) {
                return "on purpose";
            }
            throw new IllegalStateException("a bug");
        });
        try (CapturedLog log = new CapturedLog()) {
            millau = closing(builder().listener(broken).start());

            assertServed(4);

            assertThat(log.about(FAILED))
                    .as("one for each method")
                    .hasSizeBetween(1, 10)
                    .allSatisfy(line -> assertThat(line).contains("requests go on"));
        }
        assertThat(traffic.await(4)).contains("failed app UNREACHABLE retried");
    }
}
