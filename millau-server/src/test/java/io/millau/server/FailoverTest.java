package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Service;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** When an endpoint is unreachable, fails or is slow, the request is retried at the next one, unnoticed by the client. */
class FailoverTest extends ProxyTest {

    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    @Test
    void aRequestToAnUnreachableEndpointIsRetried() throws Exception {
        ScriptedEndpoint good = endpointThatSays("good");
        startWith(app(endpointThatRefuses(), good.endpoint()).build());
        RawClient client = client();

        for (int i = 0; i < 4; i++) {
            assertThat(client.get("/").body()).isEqualTo("good");
        }
        assertThat(traffic.await(13)).containsOnlyOnce("failed app UNREACHABLE retried");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "HTTP/1.1 200 OK\r\nContent-Le",
                "SSH-2.0-OpenSSH_9.2\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n12345",
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                "HTTP/1.1 2000 OK\r\n\r\n",
                "HTTP/2 200 OK\r\n\r\n",
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
            })
    void aRequestWithAnInvalidResponseIsRetried(String response) throws Exception {
        ScriptedEndpoint bad = endpoint(connection -> {
            connection.readRequest();
            connection.send(response);
        });
        startWith(bad, endpointThatSays("good"));
        RawClient client = client();

        for (int i = 0; i < 4; i++) {
            assertThat(client.get("/").body()).isEqualTo("good");
        }
        assertThat(bad.requests).hasSize(1);
    }

    @Test
    void withAllEndpointsEjectedTheResponseHasRetryAfter() throws Exception {
        clock = ahead::get;
        startWith(app(endpointThatRefuses(), endpointThatRefuses())
                .retry(Duration.ofSeconds(7))
                .build());
        ahead.addAndGet(Duration.ofSeconds(10).toNanos()); // past the time in which an endpoint may still start
        Message response = client().get("/");

        assertThat(response.status()).isEqualTo(502);
        assertThat(response.field("Retry-After")).isEqualTo("7");
        assertThat(response.body()).isEqualTo("No instance could answer\n");
    }

    @Test
    void aRequestWaitsForAnInstanceThatIsStarting() throws Exception {
        ScriptedEndpoint started = endpointThatSays("started");
        startWith(new Service[0]);
        services.replace(app(endpointThatRefuses()).build());
        RawClient client = client();
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
        assertThat(traffic.await(3)).contains("failed app UNREACHABLE retried");

        services.replace(app(started.endpoint()).build());

        assertThat(client.read().body()).isEqualTo("started");
        assertThat(started.requests)
                .singleElement()
                .satisfies(request -> assertThat(request.body()).isEqualTo("body"));
    }

    @Test
    void aRequestWaitsNoLongerThanTheTimeoutOfItsService() throws Exception {
        startWith(new Service[0]);
        services.replace(
                app(endpointThatRefuses()).timeout(Duration.ofMillis(600)).build());

        assertThat(client().get("/").status()).isEqualTo(502);
    }

    @Test
    void aRequestAtARemovedEndpointIsRetriedAfterTheDrain() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        ScriptedEndpoint hanging = endpointThatHangs(arrived);
        ScriptedEndpoint good = endpointThatSays("good");
        clock = ahead::get;
        startWith(app(hanging.endpoint(), good.endpoint())
                .timeout(Duration.ofDays(1))
                .build());
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        arrived.await();
        replaceWith(app(good.endpoint()).build());
        ahead.addAndGet(Duration.ofSeconds(31).toNanos());

        assertThat(client.read().body()).isEqualTo("good");
    }

    @Test
    void aWaitingRequestEndsWhenItsClientLeaves() throws Exception {
        startWith(new Service[0]);
        services.replace(app(endpointThatRefuses()).build());
        RawClient client = client();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assertThat(traffic.await(3)).contains("failed app UNREACHABLE retried");
        client.close();

        await().untilAsserted(() -> assertThat(traffic.events).contains("idle"));
    }

    @Test
    void aRequestWhoseConnectionIsResetIsRetried() throws Exception {
        startWith(
                endpoint(connection -> {
                    connection.readRequest();
                    connection.reset();
                }),
                endpointThatSays("good"));

        assertThat(client().get("/").body()).isEqualTo("good");
    }

    @Test
    void aRequestWithAnEndlessResponseHeadIsRetried() throws Exception {
        startWith(
                endpoint(connection -> {
                    connection.readRequest();
                    connection.send("HTTP/1.1 200 OK\r\n");
                    while (true) {
                        connection.send("X: " + "x".repeat(1000) + "\r\n");
                    }
                }),
                endpointThatSays("good"));

        assertThat(client().get("/").body()).isEqualTo("good");
    }

    @Test
    void aRequestThatTimesOutIsRetried() throws Exception {
        ScriptedEndpoint slow = endpoint(connection -> {
            connection.readRequest();
            connection.hang();
        });
        startWith(
                Service.named("slow")
                        .endpoints(slow.endpoint())
                        .timeout(Duration.ofMillis(200))
                        .build(),
                Service.named("good")
                        .endpoints(endpointThatSays("good").endpoint())
                        .build());
        RawClient client = client();

        for (int i = 0; i < 4; i++) {
            assertThat(client.get("/").body()).isEqualTo("good");
        }
        await().untilAsserted(() -> assertThat(slow.requests).hasSize(1));
        await().until(() -> slow.openConnections() == 0);
    }

    @Test
    void whenAllAttemptsTimeOutTheResponseIs504() throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        ScriptedEndpoint.Script hanging = connection -> {
            connection.readRequest();
            attempts.incrementAndGet();
            connection.hang();
        };
        startWith(app(
                        endpoint(hanging).endpoint(),
                        endpoint(hanging).endpoint(),
                        endpoint(hanging).endpoint(),
                        endpoint(hanging).endpoint(),
                        endpoint(hanging).endpoint())
                .timeout(Duration.ofMillis(100))
                .build());

        Message response = client().get("/");
        assertThat(response.status()).isEqualTo(504);
        await().untilAsserted(() -> assertThat(attempts).hasValue(3));
        assertThat(traffic.await(7)).contains("ended GET app 504 0 0");
    }

    @Test
    void whenNoEndpointIsReachableTheResponseIs502() throws Exception {
        startWith(app(endpointThatRefuses(), endpointThatRefuses()).build());
        RawClient client = client();

        assertThat(client.get("/").status()).isEqualTo(502);
        assertThat(client.get("/").status()).isEqualTo(502);
        assertThat(traffic.await(12)).contains("ended GET app 502 0 0");
    }

    @Test
    void aResponseWithAnErrorStatusIsNotRetried() throws Exception {
        startWith(
                endpointThatResponds("HTTP/1.1 500 Oh no\r\nContent-Length: 0\r\n\r\n"),
                endpointThatResponds("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
        RawClient client = client();

        List<Integer> seen = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            seen.add(client.get("/").status());
        }
        assertThat(seen).containsExactly(500, 404, 500, 404);
    }

    @Test
    void aPostThatAnEndpointMayHaveProcessedIsNotRetried() throws Exception {
        ScriptedEndpoint good = endpointThatSays("good");
        startWith(
                endpoint(connection -> {
                    connection.readRequest();
                }),
                good);

        Message response = client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
                .read();
        assertThat(response.status()).isEqualTo(502);
        assertThat(good.requests).isEmpty();
    }

    @Test
    void aPostThatNoEndpointReceivedIsRetried() throws Exception {
        ScriptedEndpoint good = endpointThatSays("good");
        startWith(app(endpointThatRefuses(), good.endpoint()).build());

        Message response = client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
                .read();
        assertThat(response.body()).isEqualTo("good");
        assertThat(good.requests.get(0).body()).isEqualTo("hi");
    }

    @Test
    void aPostIsRetriedIfItsServiceAllowsIt() throws Exception {
        ScriptedEndpoint good = endpointThatSays("good");
        startWith(app(endpoint(ScriptedEndpoint.Connection::readRequest).endpoint(), good.endpoint())
                .retryUnsafe(true)
                .build());

        Message response = client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
                .read();
        assertThat(response.body()).isEqualTo("good");
        assertThat(good.requests.get(0).body()).isEqualTo("hi");
    }

    @ParameterizedTest
    @CsvSource({"1, 65536", "10000, 65536", "65536, 65536", "1000000, 1000000", "3, 3"})
    void aBodyIsBufferedForARetry(int size, int buffer) throws Exception {
        String body = "x".repeat(size);
        ScriptedEndpoint good = endpointThatSays("good");
        startWith(app(endpoint(ScriptedEndpoint.Connection::readRequest).endpoint(), good.endpoint())
                .buffer(buffer)
                .build());
        RawClient client = client();

        client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " + size + "\r\n\r\n" + body);
        assertThat(client.read().body()).isEqualTo("good");
        assertThat(good.requests.get(0).body()).isEqualTo(body);
    }

    @Test
    void aChunkedBodyThatArrivesInPiecesIsBufferedForARetry() throws Exception {
        CountDownLatch broken = new CountDownLatch(1);
        ScriptedEndpoint good = endpointThatSays("good");
        startWith(
                endpoint(connection -> {
                    connection.wire().readHead();
                    connection.wire().readLine();
                    broken.countDown();
                }),
                good);
        RawClient client = client();

        client.send("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
        broken.await();
        traffic.await(3);
        client.send("6\r\nsecond\r\n0\r\n\r\n");
        assertThat(client.read().body()).isEqualTo("good");
        assertThat(good.requests.get(0).body()).isEqualTo("firstsecond");
    }

    @ParameterizedTest
    @ValueSource(ints = {65536, 1_000_000, 2, 0})
    void aRequestWithABodyBeyondTheBufferIsNotRetried(int buffer) throws Exception {
        int size = buffer + 1;
        ScriptedEndpoint good = endpointThatSays("good");
        startWith(app(endpoint(ScriptedEndpoint.Connection::readRequest).endpoint(), good.endpoint())
                .buffer(buffer)
                .build());
        RawClient client = client();

        client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " + size + "\r\n\r\n" + "x".repeat(size));
        assertThat(client.read().status()).isEqualTo(502);
        assertThat(good.requests).isEmpty();
    }

    @Test
    void anIdleConnectionClosedByTheEndpointIsNotAFailureOfTheEndpoint() throws Exception {
        AtomicInteger connections = new AtomicInteger();
        CountDownLatch secondRequest = new CountDownLatch(1);
        // The endpoint closes the first connection at the moment when the second request arrives over it.
        ScriptedEndpoint endpoint = endpoint(connection -> {
            connections.incrementAndGet();
            connection.readRequest();
            connection.send(OK);
            if (connections.get() == 1) {
                connection.readRequest();
                secondRequest.countDown();
                return;
            }
            connection.hang();
        });
        startWith(endpoint);
        RawClient client = client();

        assertThat(client.get("/").body()).isEqualTo("ok");
        assertThat(client.get("/").body()).isEqualTo("ok");
        secondRequest.await();
        assertThat(connections).hasValue(2);
        assertThat(traffic.await(9)).contains("failed app STALE_CONNECTION retried");
        assertThat(traffic.events).doesNotContain("failed app BROKEN retried");
    }

    @Test
    void aRequestThatMayNotBeRetriedDoesNotUseALongIdleConnection() throws Exception {
        clock = ahead::get;
        AtomicInteger connections = new AtomicInteger();
        startWith(endpoint(connection -> {
            connections.incrementAndGet();
            while (connection.readRequest() != null) {
                connection.send(OK);
            }
        }));
        RawClient client = client();
        String post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi";
        client.get("/");
        client.send(post).read();
        assertThat(connections).hasValue(1);

        ahead.addAndGet(TimeUnit.SECONDS.toNanos(2));
        client.send(post).read();
        assertThat(connections).hasValue(2);
        ahead.addAndGet(TimeUnit.SECONDS.toNanos(2));
        client.get("/");
        assertThat(connections).hasValue(2);
    }

    /** A PUT too large for the buffer cannot be retried: over a connection that the endpoint had long closed it got a 502. */
    @ParameterizedTest
    @CsvSource({"65536, 1", "65537, 2"})
    void anUploadTooLargeForTheBufferDoesNotUseALongIdleConnection(int size, int expected) throws Exception {
        clock = ahead::get;
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        RawClient client = client();
        client.get("/");

        ahead.addAndGet(TimeUnit.SECONDS.toNanos(2));
        client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " + size + "\r\n\r\n" + "x".repeat(size));
        assertThat(client.read().body()).isEqualTo("ok");
        assertThat(endpoint.connections()).isEqualTo(expected);
    }

    @Test
    void anEjectedEndpointReturnsAfterItsRetryPeriod() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        startWith(
                endpoint(connection -> {
                    while (connection.readRequest() != null) {
                        if (requests.incrementAndGet() == 1) {
                            return;
                        }
                        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nback");
                    }
                }),
                endpointThatSays("good"));
        RawClient client = client();
        for (int i = 0; i < 4; i++) {
            assertThat(client.get("/").body()).isEqualTo("good");
        }
        ahead.addAndGet(TimeUnit.SECONDS.toNanos(61));

        List<String> responses = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            responses.add(client.get("/").body());
        }
        assertThat(responses).contains("back", "good");
    }

    @Test
    void connectionsAreReused() throws Exception {
        AtomicInteger connections = new AtomicInteger();
        startWith(endpoint(connection -> {
            connections.incrementAndGet();
            while (connection.readRequest() != null) {
                connection.send(OK);
            }
        }));
        RawClient client = client();
        for (int i = 0; i < 50; i++) {
            client.get("/");
        }

        assertThat(connections).hasValue(1);
    }

    @Test
    void aRetryPrefersAnotherService() throws Exception {
        ScriptedEndpoint green = endpointThatSays("green");
        startWith(
                Service.named("blue")
                        .endpoints(endpointThatRefuses(), endpointThatRefuses())
                        .build(),
                Service.named("green").endpoints(green.endpoint()).build());

        assertThat(client().get("/").body()).isEqualTo("green");
        assertThat(traffic.await(4)).containsOnlyOnce("failed blue UNREACHABLE retried");
    }

    @Test
    void aServiceWithoutEndpointsIsA502ThatSaysSo() throws Exception {
        startWith(app().hosts("one.com").build());
        RawClient client = client();

        Message response =
                client.send("GET / HTTP/1.1\r\nHost: one.com\r\n\r\n").read();
        assertThat(response.status()).isEqualTo(502);
        assertThat(response.body()).startsWith("No running instance of app");
        assertThat(response.field("Content-Length")).isNotNull();
        assertThat(traffic.await(4)).contains("ended GET app 502 0 0");
        assertThat(client.get("/").body()).startsWith("No matching services found");
    }

    /** A client whose request is at an endpoint that does not respond until the proxy closes the connection. */
    private RawClient clientOfAHangingEndpoint(CountDownLatch ended) throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        startWith(endpoint(connection -> {
            connection.readRequest();
            arrived.countDown();
            connection.hang();
            ended.countDown();
        }));
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        arrived.await();
        return client;
    }

    @Test
    void whenAClientLeavesTheUpstreamConnectionIsClosed() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        RawClient client = clientOfAHangingEndpoint(ended);
        client.close();

        ended.await();
        assertThat(traffic.await(4)).contains("ended GET app client gone 0 0 0");
    }

    @Test
    void aClientThatPipelinesARequestAndLeavesIsNoticed() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        RawClient client = clientOfAHangingEndpoint(ended);
        client.send("GET / HTTP/1.1\r\n").send("Host: a\r\n\r\n").close();

        ended.await();
        assertThat(traffic.await(4)).contains("ended GET app client gone 0 0 0");
    }

    @Test
    void whenAClientLeavesDuringTheResponseTheUpstreamConnectionIsClosed() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        startWith(endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
            connection.hang();
            ended.countDown();
        }));
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        client.readHead();
        client.close();

        ended.await();
        assertThat(traffic.await(4)).contains("ended GET app delivered client gone 200 0 3");
    }

    @Test
    void whenAClientResetsItsStreamTheUpstreamConnectionIsClosed() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        startWith(endpoint(connection -> {
            for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
                if (request.startLine().startsWith("GET /slow")) {
                    arrived.countDown();
                    connection.hang();
                    ended.countDown();
                }
                connection.send(OK);
            }
        }));
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        String uri = "http://127.0.0.1:" + millau.port();
        client.send(HttpRequest.newBuilder(URI.create(uri + "/")).build(), HttpResponse.BodyHandlers.discarding());
        CompletableFuture<?> slow = client.sendAsync(
                HttpRequest.newBuilder(URI.create(uri + "/slow")).build(), HttpResponse.BodyHandlers.discarding());
        arrived.await();
        slow.cancel(true);

        ended.await();
        assertThat(traffic.await(8)).contains("ended GET app client gone 0 0 0");
        assertThat(client.send(
                                HttpRequest.newBuilder(URI.create(uri + "/")).build(),
                                HttpResponse.BodyHandlers.ofString())
                        .body())
                .isEqualTo("ok");
    }

    @Test
    void aClientThatWaitsFor100ContinueIsNotBlamedForATimeout() throws Exception {
        CountDownLatch headArrived = new CountDownLatch(1);
        CountDownLatch bodyArrived = new CountDownLatch(1);
        ScriptedEndpoint endpoint = endpoint(connection -> {
            Message head = connection.wire().readHead();
            headArrived.countDown();
            connection.wire().readBody(head, false);
            bodyArrived.countDown();
            connection.hang();
        });
        clock = ahead::get;
        startWith(endpoint);
        RawClient client =
                client().send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n");

        headArrived.await();
        ahead.addAndGet(TimeUnit.SECONDS.toNanos(1));
        assertThat(client.readHead().status()).isEqualTo(100);
        client.send("0123456789");
        bodyArrived.await();
        ahead.addAndGet(TimeUnit.SECONDS.toNanos(30));
        assertThat(client.read().status()).isEqualTo(504);
        assertThat(traffic.await(5)).contains("failed app TIMED_OUT");
    }

    @Test
    void aClientThatDoesNotSendItsBodyGets408() throws Exception {
        ScriptedEndpoint endpoint = endpoint(connection -> {
            connection.wire().readHead();
            connection.hang();
        });
        startWith(app(endpoint.endpoint()).timeout(Duration.ofMillis(200)).build());
        RawClient client = client().send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");

        assertThat(client.read().status()).isEqualTo(408);
        assertThat(traffic.events).noneMatch(event -> event.startsWith("failed"));
    }
}
