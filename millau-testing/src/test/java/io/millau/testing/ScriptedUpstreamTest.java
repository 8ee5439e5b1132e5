package io.millau.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.assertj.core.api.ThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ScriptedUpstreamTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @RegisterExtension
    final MillauExtension millau = MillauExtension.create();

    @ParameterizedTest
    @EnumSource
    void itRespondsAndRecordsWholeRequests(ScriptedUpstream.Protocol protocol) {
        ScriptedUpstream upstream = Upstreams.app(millau, protocol)
                .responds(201, "Grüße")
                .header("X-Answer", "42")
                .header("X-Answer", "43");

        HttpResponse<String> response = millau.send(millau.request("http://shop.example/orders?page=2")
                .header("X-One", "1")
                .PUT(HttpRequest.BodyPublishers.ofString("Größe")));

        assertThat(response.statusCode()).isEqualTo(201);
        assertThat(response.body()).isEqualTo("Grüße");
        assertThat(response.headers().allValues("X-Answer")).containsExactly("42", "43");
        assertThat(response.headers().firstValue("Content-Type")).contains("text/plain; charset=utf-8");

        RecordedRequest request = upstream.takeRequest(PATIENCE);
        assertThat(request.method()).isEqualTo("PUT");
        assertThat(request.path()).isEqualTo("/orders");
        assertThat(request.query()).isEqualTo("page=2");
        assertThat(request.host()).isEqualTo("shop.example");
        assertThat(request.header("x-one")).isEqualTo("1");
        assertThat(request.headers("x-two")).isEmpty();
        assertThat(request.body()).isEqualTo("Größe");
        assertThat(request.bodyBytes()).hasSize(7);
        assertThat(request).hasToString("PUT /orders?page=2");
        assertThat(upstream.requests()).containsExactly(request);
    }

    @ParameterizedTest
    @EnumSource
    void aLargeResponseAndOneWithoutABodyArrive(ScriptedUpstream.Protocol protocol) {
        String large = "0123456789".repeat(100_000);
        Upstreams.app(millau, protocol).responds(200, large).when("/none").responds(204, "");

        assertThat(millau.get("/").body()).isEqualTo(large);
        assertThat(millau.get("/none").statusCode()).isEqualTo(204);
        assertThat(millau.send(millau.request("/").method("HEAD", HttpRequest.BodyPublishers.noBody()))
                        .headers()
                        .firstValue("Content-Length"))
                .contains("1000000");
    }

    @ParameterizedTest
    @EnumSource
    void aResponseMayDependOnTheRequest(ScriptedUpstream.Protocol protocol) {
        ScriptedUpstream upstream = Upstreams.app(millau, protocol)
                .header("X-All", "1")
                .responds(request -> ScriptedResponse.of(201, request + " says " + request.body())
                        .header("X-Path", request.path())
                        .header("X-Path", "twice"));
        upstream.when("/tenant").responds(request -> ScriptedResponse.of(200, request.header("X-Tenant")));

        HttpResponse<String> response = millau.post("/orders?page=2", "Größe");
        assertThat(response.statusCode()).isEqualTo(201);
        assertThat(response.body()).isEqualTo("POST /orders?page=2 says Größe");
        assertThat(response.headers().allValues("X-Path")).containsExactly("/orders", "twice");
        assertThat(response.headers().firstValue("X-All")).contains("1");
        assertThat(millau.send(millau.request("/tenant").header("X-Tenant", "t1"))
                        .body())
                .isEqualTo("t1");
        assertThat(millau.get("/tenant").statusCode()).isEqualTo(500);
        assertThat(millau.get("/tenant").body())
                .isEqualTo("no response: the test's function threw java.lang.NullPointerException: body");
    }

    @Test
    void responsesComeInTurnAndThenTheOneForGood() {
        millau.upstream("app").responds(200, "usual").thenResponds(500, "one").thenResponds(404, "two");

        assertThat(millau.get("/").statusCode()).isEqualTo(500);
        assertThat(millau.get("/").body()).isEqualTo("two");
        assertThat(millau.get("/").body()).isEqualTo("usual");
        assertThat(millau.get("/").body()).isEqualTo("usual");
    }

    /** A flaky upstream, told in one line. */
    @ParameterizedTest
    @EnumSource
    void faultsComeInTurnToo(ScriptedUpstream.Protocol protocol) {
        ScriptedUpstream flaky = Upstreams.app(millau, protocol)
                .responds(200, "usual")
                .thenResponds(201, "one")
                .thenFails(Fault.GARBAGE)
                .thenResponds(202, "three");
        flaky.when("/orders").responds(203, "order").thenFails(Fault.GARBAGE);

        assertThat(millau.get("/").statusCode()).isEqualTo(201);
        assertThat(millau.get("/").statusCode()).isEqualTo(502);
        assertThat(millau.get("/").statusCode()).isEqualTo(202);
        assertThat(millau.get("/").statusCode()).isEqualTo(200);
        assertThat(millau.get("/orders").statusCode()).isEqualTo(502);
        assertThat(millau.get("/orders").statusCode()).isEqualTo(203);

        flaky.thenFails(Fault.GARBAGE).heals();
        assertThat(millau.get("/").statusCode()).as("healed").isEqualTo(200);
        assertThatThrownBy(() -> flaky.thenFails(Fault.REFUSE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("REFUSE: expected a fault of a single request;"
                        + " connections fail by fails(REFUSE) of the upstream, until heals()");
    }

    /** There is no request to record. */
    @Test
    void connectionsThatFailInTlsAreCounted() {
        ScriptedUpstream upstream = millau.tlsUpstream("app").fails(Fault.CERTIFICATE_EXPIRED);

        assertThat(millau.get("/").statusCode()).isEqualTo(502);
        assertThat(upstream.connections()).isPositive();
        assertThat(upstream.requests()).isEmpty();
    }

    @Test
    void aPathHasItsOwnRule() {
        ScriptedUpstream upstream = millau.upstream("app").responds(200, "usual");
        upstream.when("/slow").thenResponds(503, "not yet").responds(200, "now").header("X-Rule", "slow");
        upstream.when("/bad").fails(Fault.GARBAGE);

        assertThat(millau.get("/other").body()).isEqualTo("usual");
        assertThat(millau.get("/slow?x=1").statusCode()).isEqualTo(503);
        assertThat(millau.get("/slow").body()).isEqualTo("now");
        assertThat(millau.get("/slow").headers().firstValue("X-Rule")).contains("slow");
        assertThat(millau.get("/bad").statusCode()).isEqualTo(502);
        upstream.heals();
        millau.advance(Duration.ofSeconds(60));
        assertThat(millau.get("/bad").body()).isEqualTo("app");
    }

    /** The request goes to both, and each has its attempt. */
    @Test
    void eachAttemptIsRecordedWhereItWentTo() {
        ScriptedUpstream first = millau.upstream("app").fails(Fault.CLOSE_INSTEAD_OF_RESPONSE);
        ScriptedUpstream second = millau.upstream("app").responds(200, "second");

        assertThat(millau.send(millau.request("/x").PUT(HttpRequest.BodyPublishers.ofString("body")))
                        .body())
                .isEqualTo("second");

        assertThat(first.requests())
                .singleElement()
                .extracting(RecordedRequest::body)
                .isEqualTo("body");
        assertThat(second.requests())
                .singleElement()
                .extracting(RecordedRequest::body)
                .isEqualTo("body");
    }

    @ParameterizedTest
    @EnumSource
    void aLatencyPassesWhenTheTestLetsItPass(ScriptedUpstream.Protocol protocol) throws Exception {
        ScriptedUpstream upstream = Upstreams.app(millau, protocol).after(Duration.ofSeconds(25));
        CompletableFuture<HttpResponse<String>> response = millau.sendAsync(millau.request("/"));
        upstream.takeRequest(PATIENCE);
        assertThat(response).isNotDone();

        await().atMost(PATIENCE).until(() -> {
            millau.advance(Duration.ofSeconds(5));
            return response.isDone();
        });

        assertThat(response.get(60, TimeUnit.SECONDS).body()).isEqualTo("app");
    }

    @Test
    void aSlowBodyComesInParts() throws Exception {
        ScriptedUpstream upstream =
                millau.upstream("app").responds(200, "x".repeat(1000)).bytesPerSecond(100);
        CompletableFuture<HttpResponse<String>> response = millau.sendAsync(millau.request("/"));
        upstream.takeRequest(PATIENCE);

        millau.advance(Duration.ofSeconds(5));
        assertThat(response).isNotDone();
        await().atMost(PATIENCE).until(() -> {
            millau.advance(Duration.ofSeconds(1));
            return response.isDone();
        });

        assertThat(response.get().body()).hasSize(1000);
    }

    @Test
    void aRequestThatDoesNotComeIsAnErrorThatNamesThoseThatCame() {
        ScriptedUpstream upstream = millau.upstream("app");
        assertThatThrownBy(() -> upstream.takeRequest(Duration.ZERO))
                .isInstanceOf(AssertionError.class)
                .hasMessageMatching(
                        "expected a request at app \\(http://127.0.0.1:\\d+\\) within 0 ms, but none has come");

        millau.get("/one?x");
        upstream.takeRequest(PATIENCE);

        assertThatThrownBy(() -> upstream.takeRequest(Duration.ofMillis(1)))
                .isInstanceOf(AssertionError.class)
                .hasMessageEndingWith("within 1 ms, but none came after [GET /one?x]");
    }

    @Test
    void aClosedUpstreamIsNoLongerInItsService() {
        ScriptedUpstream one = millau.upstream("app").responds(200, "one");
        millau.upstream("app").responds(200, "two");

        one.close();

        for (int i = 0; i < 4; i++) {
            assertThat(millau.get("/").body()).isEqualTo("two");
        }
    }

    @Test
    void whatCannotBeSentIsRefused() {
        ScriptedUpstream upstream = millau.upstream("app");

        assertThatThrownBy(() -> upstream.responds(99, ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("status 99: expected 200 to 599");
        assertThatThrownBy(() -> upstream.header("X", "a\r\nb")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> upstream.bytesPerSecond(0)).hasMessage("0 bytes per second: expected at least 1");
        assertThatThrownBy(() -> upstream.when("/x?y"))
                .hasMessage("path /x?y: expected one that begins with /, without a query");
    }

    /** It failed later, in a thread of the upstream: a 502 for each request. */
    @Test
    void whatIsMissingIsRefusedByName() {
        ScriptedUpstream upstream = millau.upstream("app");
        ScriptedUpstream.Rule rule = upstream.when("/x");

        isMissing("body", () -> upstream.responds(200, null));
        isMissing("body", () -> upstream.thenResponds(200, null));
        isMissing("fault", () -> upstream.fails(null));
        isMissing("fault", () -> upstream.thenFails(null));
        isMissing("latency", () -> upstream.after(null));
        isMissing("name", () -> upstream.header(null, "a"));
        isMissing("value", () -> upstream.header("X", null));
        isMissing("path", () -> upstream.when(null));
        isMissing("atMost", () -> upstream.takeRequest(null));
        isMissing("atMost", () -> upstream.awaitRequests(1, null));
        isMissing("response", () -> upstream.responds((ScriptedResponse) null));
        isMissing("response", () -> upstream.thenResponds((ScriptedResponse) null));
        isMissing("response", () -> upstream.thenResponds((Function<RecordedRequest, ScriptedResponse>) null));
        isMissing("response", () -> rule.responds((ScriptedResponse) null));
        isMissing("body", () -> ScriptedResponse.of(200, (byte[]) null));
        isMissing("body", () -> rule.responds(200, null));
        isMissing("body", () -> rule.thenResponds(200, null));
        isMissing("fault", () -> rule.fails(null));
        isMissing("fault", () -> rule.thenFails(null));
        isMissing("latency", () -> rule.after(null));
        isMissing("value", () -> rule.header("X", null));
        assertThat(millau.get("/").body()).isEqualTo("app");
        assertThat(millau.get("/x").body()).isEqualTo("app");
    }

    private static void isMissing(String name, ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(NullPointerException.class).hasMessage(name);
    }

    @Test
    void aTimeThatCannotPassIsRefused() {
        ScriptedUpstream upstream = millau.upstream("app");

        isRefused("after PT-1S: expected a time from 0 s to 100 years", () -> upstream.after(Duration.ofSeconds(-1)));
        isRefused(
                "after PT-1S: expected a time from 0 s to 100 years",
                () -> upstream.when("/").after(Duration.ofSeconds(-1)));
        assertThatThrownBy(() -> upstream.after(ChronoUnit.FOREVER.getDuration()))
                .hasMessageEndingWith("expected a time from 0 s to 100 years");
        isRefused(
                "at most PT-1S: expected a time from 0 s to 100 years",
                () -> upstream.takeRequest(Duration.ofSeconds(-1)));
        assertThat(millau.get("/").body()).isEqualTo("app");
    }

    private static void isRefused(String message, ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
    }

    /** The proxy took such a response for a broken one, and ejected the upstream. */
    @Test
    void aHeaderFieldThatBreaksAResponseIsRefused() {
        ScriptedUpstream upstream = millau.upstream("app");
        ScriptedUpstream overHttp2 = millau.h2cUpstream("app");

        isRefused(
                "header field Content-Length: 3: expected another one, the upstream frames its responses itself",
                () -> upstream.header("Content-Length", "3"));
        isRefused(
                "header field transfer-encoding: chunked: expected another one, the upstream frames its responses itself",
                () -> upstream.when("/").header("transfer-encoding", "chunked"));
        for (String name : List.of("", "X Y", "X:", "Ü")) {
            isRefused(
                    "header field " + name + ": a: expected a name of letters, digits and !#$%&'*+-.^_`|~",
                    () -> upstream.header(name, "a"));
        }
        for (String value : List.of("a\r\nb", "\0", "\u20ac")) {
            isRefused(
                    "header field X: " + value + ": expected a value in ISO 8859-1 without control characters",
                    () -> upstream.header("X", value));
        }
        isRefused(
                "header field Connection: close: expected one that HTTP/2 has, it has no fields of connections",
                () -> overHttp2.header("Connection", "close"));

        isRefused(
                "header field Connection: close: expected one that HTTP/2 has, it has no fields of connections",
                () -> overHttp2.thenResponds(ScriptedResponse.of(200, "").header("Connection", "close")));

        upstream.header("Connection", "close").header("X", "\u00fc\t");
        overHttp2.header("X", "");
        for (int i = 0; i < 4; i++) {
            assertThat(millau.get("/").body()).isEqualTo("app");
        }
    }

    /** takeRequest returned the first of the earlier ones, and so did not wait. */
    @Test
    void itWaitsForARequestAfterOthers() throws Exception {
        ScriptedUpstream upstream = millau.upstream("app");
        millau.get("/1");
        millau.get("/2");
        upstream.after(Duration.ofSeconds(25));

        CompletableFuture<HttpResponse<String>> response = millau.sendAsync(millau.request("/3"));
        assertThat(upstream.awaitRequests(3)).hasToString("[GET /1, GET /2, GET /3]");
        millau.advance(Duration.ofSeconds(25));

        assertThat(response.get(60, TimeUnit.SECONDS).body()).isEqualTo("app");
        assertThat(upstream.takeRequest(PATIENCE).path()).as("takes none").isEqualTo("/1");
    }

    @Test
    void requestsThatDoNotComeAreAnErrorThatNamesThoseThatCame() {
        ScriptedUpstream upstream = millau.upstream("app");
        millau.get("/1");

        isRefused(
                "at most PT-1S: expected a time from 0 s to 100 years",
                () -> upstream.awaitRequests(1, Duration.ofSeconds(-1)));
        assertThatThrownBy(() -> upstream.awaitRequests(2, Duration.ofMillis(1)))
                .isInstanceOf(AssertionError.class)
                .hasMessageMatching("expected 2 requests in all at app \\(http://127.0.0.1:\\d+\\) within 1 ms,"
                        + " but 1 came: \\[GET /1]");
        isRefused("0 requests: expected at least 1", () -> upstream.awaitRequests(0));
    }

    /** It waited for its 60 s, and the one of takeRequest for its time, though nothing could come any more. */
    @Test
    void nobodyWaitsForRequestsAtAClosedUpstream() {
        ScriptedUpstream upstream = millau.upstream("app");
        millau.get("/1");
        upstream.close();

        assertThatThrownBy(() -> upstream.awaitRequests(2))
                .isInstanceOf(AssertionError.class)
                .hasMessageEndingWith("but it is closed, and 1 came: [GET /1]");
        assertThat(upstream.awaitRequests(1)).hasSize(1);
        assertThat(upstream.takeRequest(PATIENCE).path()).isEqualTo("/1");
        assertThatThrownBy(() -> upstream.takeRequest(PATIENCE))
                .isInstanceOf(AssertionError.class)
                .hasMessageEndingWith("but it is closed, and none came after [GET /1]");
    }

    /** It listened again, for ever. */
    @Test
    void aClosedUpstreamStaysClosed() {
        ScriptedUpstream upstream = millau.upstream("app");
        upstream.close();

        upstream.fails(Fault.REFUSE).heals();

        assertThatThrownBy(() -> new Socket(
                                upstream.endpoint().address(),
                                upstream.endpoint().port())
                        .close())
                .isInstanceOf(ConnectException.class);
    }

    @Test
    void whoWaitsForRequestsIsToldThatTheProxyWasClosed() throws Exception {
        ScriptedUpstream upstream = millau.upstream("app");
        CompletableFuture<RecordedRequest> taken = CompletableFuture.supplyAsync(() -> upstream.takeRequest(PATIENCE));
        CompletableFuture<List<RecordedRequest>> awaited =
                CompletableFuture.supplyAsync(() -> upstream.awaitRequests(1));

        millau.close();

        assertThatThrownBy(() -> taken.get(30, TimeUnit.SECONDS))
                .hasMessageEndingWith("it is closed, and none has come");
        assertThatThrownBy(() -> awaited.get(30, TimeUnit.SECONDS))
                .hasMessageEndingWith("it is closed, and 0 came: []");
    }

    /** There were texts alone, and header fields for all responses alone. */
    @ParameterizedTest
    @EnumSource
    void responsesInTurnMayHaveFieldsBytesAndAFunction(ScriptedUpstream.Protocol protocol) {
        byte[] bytes = {0, -1, 13, 10, 127};
        ScriptedUpstream upstream = Upstreams.app(millau, protocol)
                .responds(ScriptedResponse.of(200, bytes))
                .thenResponds(ScriptedResponse.of(429, "slow down").header("Retry-After", "1"))
                .thenResponds(
                        request -> ScriptedResponse.of(200, request.path()).header("X-Turn", "2"));
        upstream.when("/x")
                .responds(ScriptedResponse.of(200, bytes).header("Content-Type", "application/x-protobuf"))
                .thenResponds(ScriptedResponse.of(201, "one"))
                .thenResponds(request -> ScriptedResponse.of(202, request.method()));

        HttpResponse<String> first = millau.get("/1");
        assertThat(first.statusCode()).isEqualTo(429);
        assertThat(first.headers().firstValue("Retry-After")).contains("1");
        HttpResponse<String> second = millau.get("/2");
        assertThat(second.body()).isEqualTo("/2");
        assertThat(second.headers().firstValue("X-Turn")).contains("2");
        assertThat(second.headers().firstValue("Retry-After")).isEmpty();
        HttpResponse<byte[]> third = getBytes("/3");
        assertThat(third.body()).isEqualTo(bytes);
        assertThat(third.headers().firstValue("Content-Type")).contains("application/octet-stream");
        assertThat(millau.get("/x").body()).isEqualTo("one");
        assertThat(millau.get("/x").body()).isEqualTo("GET");
        HttpResponse<byte[]> last = getBytes("/x");
        assertThat(last.body()).isEqualTo(bytes);
        assertThat(last.headers().allValues("Content-Type")).containsExactly("application/x-protobuf");
        assertThat(ScriptedResponse.of(200, bytes)).hasToString("200 5 bytes");
        assertThat(ScriptedResponse.of(200, "Grüße")).hasToString("200 Grüße");
    }

    private HttpResponse<byte[]> getBytes(String path) {
        try {
            return HttpClient.newHttpClient()
                    .send(millau.request(path).build(), HttpResponse.BodyHandlers.ofByteArray());
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** It was said to have thrown a NullPointerException. */
    @Test
    void aFunctionWithoutAResponseIsToldSo() {
        millau.upstream("app").responds(request -> null);

        assertThat(millau.get("/").statusCode()).isEqualTo(500);
        assertThat(millau.get("/").body())
                .isEqualTo("no response: the test's function returned null: expected a ScriptedResponse");
    }

    @Test
    void aFailureIsForAllRequestsWhateverElseIsSet() {
        ScriptedUpstream upstream = millau.upstream("app").responds(200, "good").thenResponds(201, "in turn");
        upstream.when("/x").responds(202, "of a path");
        upstream.fails(Fault.GARBAGE).thenResponds(203, "later");

        assertThat(millau.get("/").statusCode()).isEqualTo(502);
        assertThat(millau.get("/x").statusCode()).isEqualTo(502);
        upstream.heals();
        millau.advance(Duration.ofSeconds(60));
        assertThat(millau.get("/x").statusCode()).isEqualTo(202);
        assertThat(millau.get("/").statusCode()).isEqualTo(201);
        assertThat(millau.get("/").statusCode()).isEqualTo(203);
        assertThat(millau.get("/").body()).isEqualTo("good");
    }

    /** It was taken for a path that nobody asks for. */
    @Test
    void aPatternIsNoPath() {
        ScriptedUpstream upstream = millau.upstream("app");

        isRefused(
                "path /*: expected a whole path: * stands for nothing here, for several paths there is responds(request -> …)",
                () -> upstream.when("/*"));
    }
}
