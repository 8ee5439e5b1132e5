package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Attempt;
import io.millau.core.Endpoint;
import io.millau.core.RetryPolicy;
import io.millau.testing.Fault;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpHandler;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What a retry policy sees, and what comes of its decision. */
class RetryPolicyTest extends ProxyTest {

    private static final String BUSY = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy";

    private final List<String> asked = new CopyOnWriteArrayList<>();
    private RetryPolicy policy = RetryPolicy.standard();

    @Override
    protected Millau.Builder builder() {
        return super.builder().retryPolicy(policy);
    }

    /** The policy was asked three times for three good responses, with an attempt that did not exist. */
    @Test
    void aPolicyIsAskedOnlyAboutAttemptsThatFailed() throws Exception {
        policy = attempt -> asked.add(attempt.toString());
        startWith(endpointThatSays("good"));
        RawClient client = client();

        for (int i = 0; i < 3; i++) {
            assertThat(client.get("/").body()).isEqualTo("good");
        }

        assertThat(asked).isEmpty();
    }

    @Test
    void itSeesTheRequestTheEndpointAndTheOutcome() throws Exception {
        Endpoint refuses = endpointThatRefuses();
        policy = attempt -> asked.add(seen(attempt));
        startWith(app(refuses, endpointThatSays("good").endpoint()).build());

        Message response = client().send("PUT /orders?q HTTP/1.1\r\nHost: shop.example\r\nX-User: ann\r\n"
                        + "X-Request-Id: r-7\r\nContent-Length: 2\r\n\r\nhi")
                .read();

        assertThat(response.body()).isEqualTo("good");
        assertThat(asked)
                .containsExactly("r-7 PUT shop.example /orders ann of app at " + refuses
                        + " was UNREACHABLE 0, number 1, late 0");
    }

    private static String seen(Attempt attempt) {
        return attempt.request().id() + " " + attempt.request().method() + " "
                + attempt.request().host() + " " + attempt.request().path() + " "
                + attempt.request().header("x-user") + " of "
                + attempt.service().name() + " at " + attempt.endpoint()
                + " was " + attempt.outcome() + " " + attempt.status() + ", number " + attempt.number() + ", late "
                + attempt.timedOut();
    }

    @Test
    void aStatusIsNotRetriedUnlessThePolicySaysSo() throws Exception {
        startWith(endpointThatResponds(BUSY), endpointThatSays("good"));

        assertThat(client().get("/").body()).isEqualTo("busy");
        assertThat(traffic.await(4)).noneMatch(event -> event.startsWith("failed"));
    }

    @Test
    void aStatusIsRetriedAndTheConnectionThatHadItIsKept() throws Exception {
        policy = RetryPolicy.standard().alsoOn(429, 503);
        ScriptedEndpoint busy = endpointThatResponds(BUSY);
        ScriptedEndpoint good = endpointThatSays("good");
        startWith(busy, good);
        RawClient client = client();

        for (int i = 0; i < 4; i++) {
            assertThat(client.get("/").body()).isEqualTo("good");
        }

        assertThat(busy.requests).hasSizeGreaterThan(1);
        assertThat(busy.connections()).isEqualTo(1);
        assertThat(traffic.events).contains("failed app FAILURE_STATUS retried");
    }

    @Test
    void theResponseOfTheLastEndpointIsPassedOn() throws Exception {
        policy = RetryPolicy.standard().alsoOn(503);
        startWith(endpointThatResponds(BUSY), endpointThatResponds(BUSY.replace("busy", "full")));

        Message response = client().get("/");

        assertThat(response.status()).isEqualTo(503);
        assertThat(response.body()).isEqualTo("full");
        assertThat(traffic.await(5))
                .contains("failed app FAILURE_STATUS retried")
                .anyMatch(event -> event.startsWith("ended GET app delivered 503"));
    }

    @Test
    void aResponseThatIsLongOrEndlessIsGivenUpWithItsConnection() throws Exception {
        policy = RetryPolicy.standard().alsoOn(503);
        for (String body :
                List.of("Content-Length: 1000000\r\n\r\nsome", "Transfer-Encoding: chunked\r\n\r\n4\r\nsome")) {
            ScriptedEndpoint endless = endpointThatResponds("HTTP/1.1 503 Busy\r\n" + body);
            startWith(endless, endpointThatSays("good"));

            assertThat(client().get("/").body()).isEqualTo("good");

            Awaitility.await().until(() -> endless.openConnections() == 0 && millau.buffersTakenByRequests() == 0);
        }
    }

    @Test
    void whatMayNotBeRetriedIsNotRetriedOnAStatusEither() throws Exception {
        policy = RetryPolicy.standard().alsoOn(503);
        startWith(endpointThatResponds(BUSY), endpointThatSays("good"));

        assertThat(client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
                        .read()
                        .body())
                .isEqualTo("busy");
    }

    @Test
    void theBodyIsSentAgain() throws Exception {
        policy = RetryPolicy.standard().alsoOn(503);
        ScriptedEndpoint good = endpointThatSays("good");
        startWith(endpointThatResponds(BUSY), good);

        assertThat(client().send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
                        .read()
                        .body())
                .isEqualTo("good");
        assertThat(good.requests).singleElement().extracting(Message::body).isEqualTo("hi");
    }

    /** The beginning of an upload was sent to an endpoint that did not wait for the rest. */
    @Test
    void anUploadThatIsNotKeptIsNotRetried() throws Exception {
        policy = RetryPolicy.standard().alsoOn(503);
        ScriptedEndpoint busy = endpoint(connection -> {
            connection.wire().readHead();
            connection.wire().in().read();
            connection.send(BUSY);
            connection.hang();
        });
        startWith(app(busy.endpoint(), endpointThatSays("good").endpoint())
                .buffer(0)
                .build());

        assertThat(client().send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhi")
                        .read()
                        .body())
                .isEqualTo("busy");
    }

    @Test
    void aStatusOverHttp2IsRetried() throws Exception {
        policy = RetryPolicy.standard().alsoOn(503);
        Endpoint busy = http2(exchange -> {
            exchange.setStatusCode(503);
            exchange.getResponseSender().send("busy");
        });
        startWith(app(busy, http2(exchange -> exchange.getResponseSender().send("good")))
                .build());
        RawClient client = client();

        for (int i = 0; i < 20; i++) {
            assertThat(client.get("/").body()).isEqualTo("good");
        }

        assertThat(traffic.events).contains("failed app FAILURE_STATUS retried");
        Awaitility.await().until(() -> millau.buffersTakenByRequests() == 0);
    }

    /** An endpoint with an independent HTTP/2 implementation. */
    private Endpoint http2(HttpHandler handler) {
        Undertow server = Undertow.builder()
                .setServerOption(UndertowOptions.ENABLE_HTTP2, true)
                .addHttpListener(0, "127.0.0.1", handler)
                .build();
        server.start();
        closing(server::stop);
        InetSocketAddress address =
                (InetSocketAddress) server.getListenerInfo().get(0).getAddress();
        return Endpoint.h2c("undertow-" + address.getPort(), address.getAddress(), address.getPort());
    }

    @Test
    void attemptsCanBeLimited() throws Exception {
        policy = RetryPolicy.standard().atMost(2);
        ScriptedEndpoint[] broken = new ScriptedEndpoint[3];
        Arrays.setAll(broken, i -> closing(ScriptedEndpoint.that(Fault.RESET_AFTER_HEAD)));
        startWith(broken);

        assertThat(client().get("/").status()).isEqualTo(502);
        assertThat(traffic.await(5).stream().filter(event -> event.startsWith("failed")))
                .containsExactly("failed app BROKEN retried", "failed app BROKEN");
    }
}
