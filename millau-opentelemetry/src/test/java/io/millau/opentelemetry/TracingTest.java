package io.millau.opentelemetry;

import static io.millau.opentelemetry.RecordedTelemetry.attribute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Endpoint;
import io.millau.core.RetryPolicy;
import io.millau.core.Service;
import io.millau.core.Verdict;
import io.millau.testing.Fault;
import io.millau.testing.RecordedRequest;
import io.millau.testing.ScriptedEndpoint;
import io.millau.testing.ScriptedUpstream;
import io.millau.testing.TestGateway;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TracingTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String SPAN = "b7ad6b7169203331";

    private final RecordedTelemetry telemetry = new RecordedTelemetry();
    private final Tracing tracing = Tracing.of(telemetry.sdk);
    private TestGateway millau;

    private TestGateway start() {
        return start(builder -> {});
    }

    private TestGateway start(Consumer<io.millau.server.Millau.Builder> settings) {
        millau = TestGateway.start(
                builder -> settings.accept(builder.filter(tracing).listener(tracing)));
        return millau;
    }

    @AfterEach
    void close() {
        if (millau != null) {
            millau.close();
        }
        telemetry.sdk.close();
    }

    private static String traceparent(SpanData span) {
        return "00-" + span.getTraceId() + "-" + span.getSpanId() + "-"
                + span.getSpanContext().getTraceFlags().asHex();
    }

    @Test
    void aTraceBeginsWithARequestThatHasNone() {
        ScriptedUpstream orders = start().upstream("orders");
        millau.routes(Service.named("orders").path("/orders/").build());

        millau.send(millau.request("/orders/7?secret=1").header("User-Agent", "test"));

        SpanData server = telemetry.server();
        assertThat(server.getParentSpanContext().isValid()).isFalse();
        assertThat(server.getName()).isEqualTo("GET /orders/");
        assertThat(server.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(server.getAttributes().asMap().toString()).doesNotContain("secret");
        assertThat(attribute(server, "http.request.method")).isEqualTo("GET");
        assertThat(attribute(server, "url.path")).isEqualTo("/orders/7");
        assertThat(attribute(server, "url.scheme")).isEqualTo("http");
        assertThat(attribute(server, "server.address")).isEqualTo("127.0.0.1");
        assertThat(attribute(server, "server.port"))
                .isEqualTo((long) millau.uri().getPort());
        assertThat(attribute(server, "client.address")).isEqualTo("127.0.0.1");
        assertThat(attribute(server, "user_agent.original")).isEqualTo("test");
        assertThat(attribute(server, "network.protocol.version")).isEqualTo("1.1");
        assertThat(attribute(server, "http.response.status_code")).isEqualTo(200L);
        assertThat(attribute(server, "http.route")).isEqualTo("/orders/");
        assertThat(attribute(server, "millau.route")).isEqualTo("*/orders/");
        assertThat(attribute(server, "millau.service")).isEqualTo("orders");
        assertThat(attribute(server, "millau.local_reason")).isNull();
        assertThat(attribute(server, "error.type")).isNull();

        assertThat(orders.takeRequest(PATIENCE).headers("traceparent")).containsExactly(traceparent(server));

        List<SpanData> attempts = telemetry.attempts();
        assertThat(attempts).hasSize(1);
        SpanData attempt = attempts.get(0);
        assertThat(attempt.getName()).isEqualTo("GET");
        assertThat(attempt.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(attribute(attempt, "http.request.method")).isEqualTo("GET");
        assertThat(attribute(attempt, "server.address")).isEqualTo("127.0.0.1");
        assertThat(attribute(attempt, "server.port"))
                .isEqualTo((long) orders.endpoint().port());
        assertThat(attribute(attempt, "http.response.status_code")).isEqualTo(200L);
        assertThat(attribute(attempt, "http.request.resend_count")).isNull();
        assertThat(attribute(attempt, "millau.service")).isEqualTo("orders");
        assertThat((double) attribute(attempt, "millau.connect.duration")).isPositive();
        assertThat((double) attribute(attempt, "millau.first_byte.duration")).isPositive();
    }

    @Test
    void theTraceOfTheClientGoesOn() {
        ScriptedUpstream app = start().upstream("app");

        millau.send(millau.request("/")
                .header("traceparent", "00-" + TRACE + "-" + SPAN + "-01")
                .header("tracestate", "vendor=1")
                .header("baggage", "user=7"));

        SpanData server = telemetry.server();
        assertThat(server.getTraceId()).isEqualTo(TRACE);
        assertThat(server.getParentSpanId()).isEqualTo(SPAN);
        RecordedRequest received = app.takeRequest(PATIENCE);
        assertThat(received.headers("traceparent")).containsExactly(traceparent(server));
        assertThat(received.headers("tracestate")).containsExactly("vendor=1");
        assertThat(received.headers("baggage")).containsExactly("user=7");
        assertThat(telemetry.attempts()).hasSize(1);
    }

    /** A service must not take the tracestate of another trace for that of the new one. */
    @Test
    void aMalformedTraceparentBeginsANewTraceWithoutItsState() {
        ScriptedUpstream app = start().upstream("app");

        millau.send(millau.request("/")
                .header("traceparent", "00-" + TRACE + "-0-01")
                .header("tracestate", "vendor=1"));

        SpanData server = telemetry.server();
        assertThat(server.getTraceId()).isNotEqualTo(TRACE);
        assertThat(server.getParentSpanContext().isValid()).isFalse();
        RecordedRequest received = app.takeRequest(PATIENCE);
        assertThat(received.headers("traceparent")).containsExactly(traceparent(server));
        assertThat(received.headers("tracestate")).isEmpty();
    }

    @Test
    void eachAttemptHasASpan() {
        ScriptedUpstream bad = start().upstream("orders").fails(Fault.RESET_AFTER_HEAD);
        ScriptedUpstream good = millau.upstream("orders");

        assertThat(millau.get("/").statusCode()).isEqualTo(200);

        List<SpanData> attempts = telemetry.attempts();
        assertThat(attempts).hasSize(2);
        SpanData failed = attempts.get(0);
        assertThat(failed.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(failed.getStatus().getDescription()).isNotEmpty();
        assertThat(attribute(failed, "error.type")).isEqualTo("broken");
        assertThat(attribute(failed, "server.port"))
                .isEqualTo((long) bad.endpoint().port());
        assertThat(attribute(failed, "http.request.resend_count")).isNull();
        assertThat(attribute(failed, "http.response.status_code")).isNull();
        SpanData second = attempts.get(1);
        assertThat(second.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(attribute(second, "error.type")).isNull();
        assertThat(attribute(second, "server.port"))
                .isEqualTo((long) good.endpoint().port());
        assertThat(attribute(second, "http.request.resend_count")).isEqualTo(1L);
        SpanData server = telemetry.server();
        assertThat(server.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(bad.takeRequest(PATIENCE).header("traceparent"))
                .isEqualTo(good.takeRequest(PATIENCE).header("traceparent"))
                .isEqualTo(traceparent(server));
    }

    @Test
    void anAttemptThatIsGivenUpForItsStatusHasThatStatus() {
        start(builder -> builder.retryPolicy(RetryPolicy.standard().alsoOn(503)))
                .upstream("orders")
                .responds(503, "busy");
        millau.upstream("orders");

        assertThat(millau.get("/").statusCode()).isEqualTo(200);

        List<SpanData> attempts = telemetry.attempts();
        assertThat(attempts).hasSize(2);
        assertThat(attempts.get(0).getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(attribute(attempts.get(0), "error.type")).isEqualTo("503");
        assertThat(attribute(attempts.get(0), "http.response.status_code")).isEqualTo(503L);
    }

    @Test
    void whereAllAttemptsFailSoDoesTheRequest() {
        start().upstream("orders").fails(Fault.REFUSE);

        assertThat(millau.get("/").statusCode()).isEqualTo(502);

        List<SpanData> attempts = telemetry.attempts();
        assertThat(attempts).hasSize(1);
        assertThat(attribute(attempts.get(0), "error.type")).isEqualTo("unreachable");
        SpanData server = telemetry.server();
        assertThat(server.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(attribute(server, "error.type")).isEqualTo("502");
        assertThat(attribute(server, "millau.local_reason")).isEqualTo("upstream_failed");
    }

    @Test
    void statusesOfServicesAreErrorsAsTheConventionsSay() {
        start().upstream("app").thenResponds(404, "").thenResponds(503, "");

        millau.get("/");
        SpanData notFound = telemetry.server();
        SpanData attempt = telemetry.attempts().get(0);
        assertThat(notFound.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(attempt.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(attribute(attempt, "error.type")).isEqualTo("404");

        millau.get("/");
        await().atMost(PATIENCE).until(() -> telemetry.ended().size() == 4);
        SpanData failed = telemetry.ended().get(3);
        assertThat(failed.getKind()).isEqualTo(SpanKind.SERVER);
        assertThat(failed.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(attribute(failed, "error.type")).isEqualTo("503");
        assertThat(attribute(failed, "millau.local_reason")).isNull();
    }

    @Test
    void aResponseWithoutAServiceHasNoAttempts() {
        start();

        assertThat(millau.get("/x").statusCode()).isEqualTo(502);

        SpanData server = telemetry.server();
        assertThat(server.getName()).isEqualTo("GET");
        assertThat(server.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(attribute(server, "http.response.status_code")).isEqualTo(502L);
        assertThat(attribute(server, "millau.local_reason")).isEqualTo("no_service");
        assertThat(attribute(server, "http.route")).isNull();
        assertThat(telemetry.attempts()).isEmpty();
    }

    @Test
    void theResponseOfAFilterHasNoAttempts() {
        start(builder -> builder.filter(request -> request.respond(401, "no key\n")))
                .upstream("app");

        assertThat(millau.get("/").statusCode()).isEqualTo(401);

        SpanData server = telemetry.server();
        assertThat(server.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(attribute(server, "http.response.status_code")).isEqualTo(401L);
        assertThat(attribute(server, "millau.local_reason")).isEqualTo("filter");
        assertThat(telemetry.attempts()).isEmpty();
    }

    @Test
    void aFilterAfterItFindsTheTrace() {
        start(builder -> builder.filter(request -> request.respond(403, request.header("traceparent"))));

        assertThat(millau.get("/").body()).isEqualTo(traceparent(telemetry.server()));
    }

    /** An endpoint of it was chosen already, but got nothing. */
    @Test
    void theResponseOfAServicesFilterIsNoAttempt() {
        start().upstream("first").fails(Fault.RESET_AFTER_BODY);
        ScriptedUpstream standby = millau.upstream("standby");
        millau.routes(
                Service.named("first").build(),
                Service.named("standby")
                        .weight(0)
                        .filter(request -> request.respond(403, "no\n"))
                        .build());

        HttpResponse<String> response =
                millau.send(millau.request("/").PUT(HttpRequest.BodyPublishers.ofString("body")));

        assertThat(response.statusCode()).isEqualTo(403);
        assertThat(attribute(telemetry.server(), "millau.service")).isEqualTo("standby");
        assertThat(telemetry.attempts())
                .singleElement()
                .satisfies(attempt ->
                        assertThat(attribute(attempt, "millau.service")).isEqualTo("first"));
        assertThat(standby.requests()).isEmpty();
    }

    @Test
    void aBodyThatIsTooLongHasNoAttempts() {
        start().upstream("app");
        millau.routes(Service.named("app").maxBody(10).build());

        assertThat(millau.post("/", "longer than ten").statusCode()).isEqualTo(413);

        assertThat(attribute(telemetry.server(), "millau.local_reason")).isEqualTo("body_too_large");
        assertThat(telemetry.attempts()).isEmpty();
    }

    @Test
    void whatADeferredFilterTakesIsInTheSpanOfTheRequestAlone() {
        LinkedBlockingQueue<CompletableFuture<Verdict>> deferred = new LinkedBlockingQueue<>();
        start(builder -> builder.filter(request -> {
                    CompletableFuture<Verdict> verdict = new CompletableFuture<>();
                    deferred.add(verdict);
                    return request.defer(verdict.thenApply(ok -> request.proceed()));
                }))
                .upstream("app");

        CompletableFuture<HttpResponse<String>> response = millau.sendAsync(millau.request("/"));
        await().atMost(PATIENCE).until(() -> !deferred.isEmpty());
        long before = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
        deferred.remove().complete(new Verdict() {});

        assertThat(response.orTimeout(60, TimeUnit.SECONDS).join().statusCode()).isEqualTo(200);
        SpanData server = telemetry.server();
        assertThat(server.getStartEpochNanos()).isLessThan(before + TimeUnit.MILLISECONDS.toNanos(1));
        assertThat(telemetry.attempts())
                .singleElement()
                .satisfies(attempt -> assertThat(attempt.getStartEpochNanos()).isGreaterThanOrEqualTo(before));
    }

    @Test
    void anUpgradeIsOneSpanUntilItsConnectionEnds() throws IOException {
        start();
        try (ScriptedEndpoint echo = ScriptedEndpoint.that(connection -> {
            connection.readHead();
            connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
            connection.send("hello");
            connection.hang();
        })) {
            Endpoint endpoint = echo.endpoint();
            millau.routes(Service.named("echo").endpoints(endpoint).build());
            try (Socket client = new Socket("127.0.0.1", millau.uri().getPort())) {
                client.setSoTimeout((int) PATIENCE.toMillis());
                client.getOutputStream()
                        .write(
                                "GET /echo HTTP/1.1\r\nHost: a.example:81\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
                                        .getBytes(StandardCharsets.US_ASCII));
                StringBuilder received = new StringBuilder();
                while (!received.toString().endsWith("\r\n\r\nhello")) {
                    int next = client.getInputStream().read();
                    assertThat(next).as("after %s", received).isNotNegative();
                    received.append((char) next);
                }
                assertThat(telemetry.ended()).isEmpty();
            }

            SpanData server = telemetry.server();
            assertThat(attribute(server, "http.response.status_code")).isEqualTo(101L);
            assertThat(attribute(server, "server.address")).isEqualTo("a.example");
            assertThat(attribute(server, "server.port")).isEqualTo(81L);
            assertThat(server.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
            assertThat(telemetry.attempts())
                    .singleElement()
                    .satisfies(attempt -> assertThat(attribute(attempt, "http.response.status_code"))
                            .isEqualTo(101L));
        }
    }

    @Test
    void http2OnBothSides() {
        ScriptedUpstream app = start(builder -> builder.https("127.0.0.1:0")).h2cUpstream("app");

        HttpResponse<String> response =
                millau.send(millau.request(millau.httpsUri() + "/x").version(HttpClient.Version.HTTP_2));

        assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
        SpanData server = telemetry.server();
        assertThat(attribute(server, "network.protocol.version")).isEqualTo("2");
        assertThat(attribute(server, "url.scheme")).isEqualTo("https");
        assertThat(attribute(server, "server.address")).isEqualTo("localhost");
        assertThat(app.takeRequest(PATIENCE).headers("traceparent")).containsExactly(traceparent(server));
        assertThat(telemetry.attempts())
                .singleElement()
                .satisfies(attempt -> assertThat(attribute(attempt, "network.protocol.version"))
                        .isEqualTo("2"));
    }

    @Test
    void anUnknownMethodHasNoNameOfItsOwn() {
        start().upstream("app");

        millau.send(millau.request("/").method("BREW", HttpRequest.BodyPublishers.noBody()));

        SpanData server = telemetry.server();
        assertThat(server.getName()).isEqualTo("HTTP /");
        assertThat(attribute(server, "http.request.method")).isEqualTo("_OTHER");
        assertThat(attribute(server, "http.request.method_original")).isEqualTo("BREW");
        assertThat(telemetry.attempts().get(0).getName()).isEqualTo("HTTP");
    }

    @Test
    void aClientThatGoesAwayEndsItsAttempt() throws IOException {
        ScriptedUpstream app = start().upstream("app").fails(Fault.HANG);
        try (Socket client = new Socket("127.0.0.1", millau.uri().getPort())) {
            client.getOutputStream().write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            app.takeRequest(PATIENCE);
        }

        SpanData server = telemetry.server();
        assertThat(attribute(server, "http.response.status_code")).isNull();
        assertThat(attribute(server, "error.type")).isEqualTo("client_gone");
        assertThat(server.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(telemetry.attempts()).singleElement().satisfies(attempt -> {
            assertThat(attribute(attempt, "error.type")).isEqualTo("client_gone");
            assertThat(attempt.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        });
    }

    @Test
    void aResponseThatBreaksIsAnErrorWhateverItsStatus() {
        start().upstream("app").fails(Fault.RESET_IN_RESPONSE);

        CompletableFuture<HttpResponse<String>> response = millau.sendAsync(millau.request("/"));

        await().atMost(PATIENCE).until(response::isCompletedExceptionally);
        SpanData server = telemetry.server();
        assertThat(attribute(server, "http.response.status_code")).isEqualTo(200L);
        assertThat(attribute(server, "error.type")).isEqualTo("response_broken");
        assertThat(server.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(telemetry.attempts()).singleElement().satisfies(attempt -> {
            assertThat(attribute(attempt, "error.type")).isEqualTo("broken");
            assertThat(attribute(attempt, "http.response.status_code")).isEqualTo(200L);
        });
    }

    /** Services that sample by their parent must hear that this trace is not sampled. */
    @Test
    void aTraceThatIsNotSampledReachesTheServiceButNotTheExporter() {
        RecordedTelemetry none = new RecordedTelemetry(builder -> builder.setSampler(Sampler.alwaysOff()));
        Tracing silent = Tracing.of(none.sdk);
        try (TestGateway gateway =
                TestGateway.start(builder -> builder.filter(silent).listener(silent))) {
            ScriptedUpstream app = gateway.upstream("app");

            gateway.get("/");

            assertThat(app.takeRequest(PATIENCE).header("traceparent")).matches("00-[0-9a-f]{32}-[0-9a-f]{16}-0[02]");
            none.points("http.server.request.duration", 1);
            assertThat(none.ended()).isEmpty();
        } finally {
            none.sdk.close();
        }
    }

    @Test
    void aRequestThatReachesNoFilterHasNoSpan() throws IOException {
        start().upstream("app");
        try (Socket client = new Socket("127.0.0.1", millau.uri().getPort())) {
            client.setSoTimeout((int) PATIENCE.toMillis());
            client.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .startsWith("HTTP/1.1 400 ");
        }

        telemetry.points("http.server.request.duration", 1);
        assertThat(telemetry.ended()).isEmpty();
    }
}
