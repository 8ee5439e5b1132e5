package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

import io.millau.core.Endpoint;
import io.millau.core.FailurePage;
import io.millau.core.FilterRequest;
import io.millau.core.RequestFilter;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.core.Verdict;
import io.millau.core.testing.CapturedLog;
import io.millau.testing.Fault;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Filters see requests before they are routed, or before a service gets them: {@link RequestFilter}. */
class FiltersTest extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final LocalReplies replies = new LocalReplies();
    private final List<RequestFilter> filters = new ArrayList<>();
    private FailurePage page = failure -> null;

    @Override
    protected Millau.Builder builder() {
        Millau.Builder builder = super.builder().listener(replies).failurePage(page);
        filters.forEach(builder::filter);
        return builder;
    }

    private void assertTold(String... events) {
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(replies.told).containsExactly(events));
    }

    // ---- Verdicts

    @Test
    void aFilterRespondsInPlaceOfTheService() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        Filter apiKey = request ->
                "secret".equals(request.header("x-api-key")) ? request.proceed() : request.respond(401, "no key\n");
        filters.add(apiKey);
        startWith(endpoint);
        RawClient client = client();

        Message refused = client.get("/");
        assertThat(refused.status()).isEqualTo(401);
        assertThat(refused.field("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        assertThat(refused.body()).isEqualTo("no key\n");
        assertThat(client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Api-Key: secret\r\n\r\n")
                        .read()
                        .body())
                .isEqualTo("ok");
        assertThat(endpoint.requests).hasSize(1);
        assertTold("401 FILTER", "200 null");
    }

    @Test
    void filtersRunInTheirOrderUntilOneResponds() throws Exception {
        List<String> ran = new CopyOnWriteArrayList<>();
        for (String name : List.of("first", "second", "third")) {
            filters.add(request -> {
                ran.add(name);
                return name.equals("second")
                        ? request.respond(429, "slow down\n").header("Retry-After", "1")
                        : request.proceed();
            });
        }
        startWith(endpointThatSays("ok"));

        assertThat(client().get("/").field("Retry-After")).isEqualTo("1");
        assertThat(ran).containsExactly("first", "second");
    }

    @Test
    void aFilterRespondsWithAnyType() throws Exception {
        filters.add(request -> request.respond(200, "application/json", "{}".getBytes()));
        startWith(endpointThatSays("ok"));

        Message response = client().get("/");
        assertThat(response.field("Content-Type")).isEqualTo("application/json");
        assertThat(response.body()).isEqualTo("{}");
    }

    @ParameterizedTest
    @ValueSource(ints = {204, 304})
    void aStatusWithoutABodyHasNone(int status) throws Exception {
        filters.add(request -> request.path().equals("/empty") ? request.respond(status, "") : request.proceed());
        startWith(endpointThatSays("ok"));
        RawClient client = client();

        Message response = client.send("GET /empty HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
        assertThat(response.status()).isEqualTo(status);
        assertThat(response.field("Content-Type")).isNull();
        assertThat(response.field("Content-Length")).isNull();
        assertThat(response.field("Transfer-Encoding")).isNull();
        assertThat(client.get("/").body()).isEqualTo("ok");
    }

    @Test
    void aResponseToHeadHasNoBody() throws Exception {
        filters.add(request -> request.method().equals("HEAD") ? request.respond(403, "no\n") : request.proceed());
        startWith(endpointThatSays("ok"));
        RawClient client = client();

        assertThat(client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").readHead().status())
                .isEqualTo(403);
        assertThat(client.get("/").body()).isEqualTo("ok");
    }

    @Test
    void aFilterRedirects() throws Exception {
        filters.add(request -> request.redirect(302, "/login?next=" + request.path()));
        startWith(endpointThatSays("ok"));

        Message response = client().get("/orders");
        assertThat(response.status()).isEqualTo(302);
        assertThat(response.field("Location")).isEqualTo("/login?next=/orders");
    }

    @Test
    void aRefusedUploadIsNotReadAsTheNextRequest() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        filters.add(request -> request.method().equals("POST") ? request.respond(403, "no\n") : request.proceed());
        startWith(endpoint);
        RawClient client = client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18\r\n\r\nGET /smuggled HTTP");

        assertThat(client.read().status()).isEqualTo(403);
        assertThat(client.get("/").body()).isEqualTo("ok");
        assertThat(endpoint.requests)
                .singleElement()
                .satisfies(request -> assertThat(request.startLine()).isEqualTo("GET / HTTP/1.1"));
    }

    @Test
    void whoWaitsFor100ContinueIsNotAskedForARefusedUpload() throws Exception {
        filters.add(request -> request.respond(403, "no\n"));
        startWith(endpointThatSays("ok"));
        RawClient client =
                client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");

        assertThat(client.read().status()).isEqualTo(403);
        assertThat(client.ended()).isTrue();
    }

    // ---- Deferred verdicts

    @Test
    void aFilterDecidesLater() throws Exception {
        CompletableFuture<Boolean> quota = new CompletableFuture<>();
        filters.add(request -> request.defer(quota.thenApply(ok -> ok
                ? request.setHeader("X-Quota", "ok").proceed()
                : request.respond(429, "slow down\n").header("Retry-After", "1"))));
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        RawClient waiting = client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");

        CompletableFuture.runAsync(
                () -> quota.complete(true), CompletableFuture.delayedExecutor(50, TimeUnit.MILLISECONDS));
        assertThat(waiting.read().body()).isEqualTo("ok");
        assertThat(waiting.get("/").body())
                .as("with a verdict that is there already")
                .isEqualTo("ok");
        assertThat(endpoint.requests.get(0).body()).isEqualTo("body");
        assertThat(endpoint.requests)
                .allSatisfy(request -> assertThat(request.field("X-Quota")).isEqualTo("ok"));
    }

    /** What the filter took was in the time to connect. */
    @Test
    void theTimesOfAnAttemptBeginAfterTheVerdict() throws Exception {
        List<String> told = new CopyOnWriteArrayList<>();
        CompletableFuture<Verdict> verdict = new CompletableFuture<>();
        filters.add(request -> {
            verdict.complete(request.proceed());
            return request.defer(CompletableFuture.supplyAsync(() -> {
                ahead.addAndGet(TimeUnit.SECONDS.toNanos(5));
                return verdict.join();
            }));
        });
        services.replace(app(endpointThatSays("ok").endpoint()).build());
        clock = ahead::get;
        millau = closing(builder()
                .listener(new TrafficListener() {
                    @Override
                    public void requestEnded(Ended request) {
                        told.add(request.nanos() + " " + request.attemptNanos() + " " + request.upstreamNanos() + " "
                                + request.connectNanos());
                    }
                })
                .start());

        client().get("/");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(told).containsExactly("5000000000 0 0 0"));
    }

    @Test
    void severalFiltersDecideLater() throws Exception {
        for (int i = 0; i < 3; i++) {
            filters.add(request -> request.defer(CompletableFuture.supplyAsync(request::proceed)));
        }
        filters.add(request -> request.defer(CompletableFuture.supplyAsync(() -> request.respond(418, "tea\n"))));
        startWith(endpointThatSays("ok"));

        assertThat(client().get("/").status()).isEqualTo(418);
        millau.close();
        assertThat(traffic.events)
                .filteredOn(event -> event.startsWith("ended"))
                .hasSize(1);
    }

    @Test
    void aVerdictThatFailsIsA500() throws Exception {
        filters.add(request -> request.defer(CompletableFuture.failedFuture(new IllegalStateException("no database"))));
        startWith(endpointThatSays("ok"));

        try (CapturedLog log = new CapturedLog()) {
            assertThat(client().get("/").status()).isEqualTo(500);
            assertThat(log.about("Filter failed"))
                    .singleElement()
                    .asString()
                    .contains("number=1 class=io.millau.server.FiltersTest::lambda ");
        }
        assertTold("500 FILTER_FAILED");
    }

    @Test
    void aVerdictThatDoesNotComeIsA500() throws Exception {
        filters.add(request -> request.defer(new CompletableFuture<>()));
        startWith(endpointThatSays("ok"));
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

        await().atMost(PATIENCE).until(() -> {
            ahead.addAndGet(TimeUnit.SECONDS.toNanos(61));
            return replies.told.contains("500 FILTER_FAILED");
        });
        assertThat(client.read().status()).isEqualTo(500);
    }

    @Test
    void aClientThatLeavesWhileItsVerdictIsAwaitedLeavesNothing() throws Exception {
        CompletableFuture<Verdict> verdict = new CompletableFuture<>();
        CompletableFuture<Verdict> proceed = new CompletableFuture<>();
        filters.add(request -> {
            proceed.complete(request.proceed());
            return request.path().equals("/wait") ? request.defer(verdict) : request.proceed();
        });
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        client().send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n").close();
        try (RawHttp2Client http2 = new RawHttp2Client(millau.port())) {
            http2.headers(1, true, ":method", "GET", ":scheme", "http", ":path", "/wait", ":authority", "a");
            proceed.get(60, TimeUnit.SECONDS);
            http2.send(RawHttp2Client.RST_STREAM, 0, 1, new byte[] {0, 0, 0, 8});
        }
        assertThat(client().get("/").body()).isEqualTo("ok");
        verdict.complete(proceed.get());

        await().atMost(PATIENCE)
                .until(() -> traffic.events.stream()
                                .filter(event -> event.startsWith("ended"))
                                .count()
                        == 3);
        await().atMost(PATIENCE).until(() -> millau.buffersTakenByRequests() == 0);
    }

    /** It was ignored without a word. */
    @Test
    void aChangeAfterTheVerdictIsRefused() throws Exception {
        CompletableFuture<FilterRequest> kept = new CompletableFuture<>();
        RequestFilter keeps = request -> {
            kept.complete(request.setHeader("X-In-Time", "1"));
            return request.proceed();
        };
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(app(endpoint.endpoint()).filter(keeps).build());
        assertThat(client().get("/").body()).isEqualTo("ok");
        assertThat(endpoint.requests.get(0).field("X-In-Time")).isEqualTo("1");

        assertThatIllegalStateException()
                .isThrownBy(() -> kept.join().setHeader("X-Late", "1"))
                .withMessage("the verdict is known: expected changes of the request before it");
        assertThatIllegalStateException().isThrownBy(() -> kept.join().rewritePath("/late"));
    }

    // ---- Failures

    @Test
    void aFilterThatThrowsIsA500AndLoggedOnceInFull() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        AtomicInteger failures = new AtomicInteger();
        filters.add(request -> {
            throw new IllegalStateException(failures.getAndIncrement() == 0 ? "a bug" : "auth is down");
        });
        startWith(endpoint);
        RawClient client = client();

        try (CapturedLog log = new CapturedLog()) {
            for (int i = 0; i < 3; i++) {
                Message response = client.get("/");
                assertThat(response.status()).isEqualTo(500);
                assertThat(response.body()).isEqualTo("Internal Server Error\n");
            }
            assertThat(log.about("Filter failed")).hasSize(2);
            assertThat(log.about("Filter failed").get(1).toString())
                    .contains("reason=\"java.lang.IllegalStateException: auth is down\"");
        }
        assertThat(endpoint.requests).isEmpty();
        assertTold("500 FILTER_FAILED", "500 FILTER_FAILED", "500 FILTER_FAILED");
    }

    @Test
    void aVerdictOfOnesOwnIsAFailure() throws Exception {
        filters.add(request -> new Verdict() {});
        startWith(endpointThatSays("ok"));

        assertThat(client().get("/").status()).isEqualTo(500);
    }

    @ParameterizedTest
    @CsvSource({
        "Content-Length, 5",
        "Transfer-Encoding, chunked",
        "Connection, close",
        "Host, b",
        "X-Forwarded-For, 10.0.0.1",
        "X Y, z",
        "X-Y, 'a\r\nb'",
        "X-Y, ž"
    })
    void aFieldThatCannotBeSentIsAFailure(String name, String value) throws Exception {
        filters.add(request -> request.setHeader(name, value).proceed());
        startWith(endpointThatSays("ok"));

        assertThat(client().get("/").status()).isEqualTo(500);
    }

    @ParameterizedTest
    @ValueSource(strings = {"relative", "/with blank", "/a#b", "/a?b", "/ž", "/a\r\nX: y", ""})
    void aPathThatCannotBeSentIsAFailure(String path) throws Exception {
        filters.add(request -> request.rewritePath(path).proceed());
        startWith(endpointThatSays("ok"));

        assertThat(client().get("/").status()).isEqualTo(500);
    }

    // ---- Changes to requests

    @Test
    void theServiceGetsTheFieldsAsFiltersLeftThem() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        List<String> seen = new CopyOnWriteArrayList<>();
        filters.add(request -> request.removeHeader("X-Internal")
                .setHeader("X-Tenant", "t-" + request.host())
                .addHeader("X-Many", "2")
                .proceed());
        filters.add(request -> {
            seen.add(request.header("x-internal") + " " + request.header("x-tenant") + " " + request.headers("X-Many"));
            seen.add(request.headerNames().toString());
            return request.setHeader("X-Forwarded-Prefix", "/shop").proceed();
        });
        startWith(endpoint);

        client().send("GET / HTTP/1.1\r\nHost: a\r\nX-Internal: 1\r\nx_internal: 1\r\nX-Tenant: forged\r\n"
                        + "X_Tenant: forged\r\nX-Many: 1\r\nX-Forwarded-Prefix: forged\r\nX-Other: o\r\n\r\n")
                .read();
        Message sent = endpoint.requests.get(0);
        assertThat(sent.all("X-Internal")).isEmpty();
        assertThat(sent.all("x_internal")).isEmpty();
        assertThat(sent.all("X-Tenant")).containsExactly("t-a");
        assertThat(sent.all("X_Tenant")).isEmpty();
        assertThat(sent.all("X-Many")).containsExactly("1", "2");
        assertThat(sent.all("X-Forwarded-Prefix")).containsExactly("/shop");
        assertThat(sent.field("X-Other")).isEqualTo("o");
        assertThat(seen.get(0)).isEqualTo("null t-a [1, 2]");
        assertThat(seen.get(1)).contains("X-Tenant", "X-Other").doesNotContain("nternal", "X_Tenant");
    }

    @Test
    void aRewrittenTargetIsRoutedAndTheListenersSeeWhatTheClientSent() throws Exception {
        ScriptedEndpoint shop = endpointThatSays("shop");
        ScriptedEndpoint other = endpointThatSays("other");
        filters.add(request -> request.path().startsWith("/old/")
                ? request.rewritePath("/new/" + request.path().substring(5))
                        .rewriteHost("shop.example")
                        .rewriteQuery("v=2")
                        .proceed()
                : request.proceed());
        List<String> told = new CopyOnWriteArrayList<>();
        services.replace(
                Service.named("shop")
                        .hosts("shop.example")
                        .path("/new/")
                        .endpoints(shop.endpoint())
                        .build(),
                Service.named("other").endpoints(other.endpoint()).build());
        millau = closing(builder()
                .listener(new TrafficListener() {
                    @Override
                    public void requestEnded(Ended request) {
                        told.add(request.request().host() + request.request().path());
                    }
                })
                .start());

        assertThat(client().get("/old/x?v=1").body()).isEqualTo("shop");
        Message sent = shop.requests.get(0);
        assertThat(sent.startLine()).isEqualTo("GET /new/x?v=2 HTTP/1.1");
        assertThat(sent.field("Host")).isEqualTo("shop.example");
        assertThat(sent.field("X-Forwarded-Host")).isEqualTo("test");
        assertThat(client().get("/new/x").body()).isEqualTo("other");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(told).containsExactly("test/old/x", "test/new/x"));
    }

    /** The first one had a stack trace; whoever mended it did not see the next. */
    @Test
    void eachPlaceWhereAFilterFailsIsLoggedOnceWithItsStackTrace() throws Exception {
        filters.add(request -> switch (request.path()) {
            case "/one" -> request.setHeader("Host", "x").proceed();
            case "/two" -> request.setHeader("Host", "x").proceed();
            default -> request.proceed();
        });
        startWith(endpointThatSays("ok"));
        try (CapturedLog log = new CapturedLog()) {
            for (String path : List.of("/one", "/two", "/one", "/two")) {
                assertThat(client().get(path).status()).isEqualTo(500);
            }
            assertThat(log.about("ERROR io.millau.server.internal.proxy.Filters"))
                    .hasSize(2);
        }
    }

    @Test
    void servicesOfAPreferredHostGetWhatTheyFitAndTheHostOfTheClient() throws Exception {
        ScriptedEndpoint canary = endpointThatSays("canary");
        Endpoint shop = endpointThatSays("shop").endpoint();
        Endpoint all = endpointThatSays("all").endpoint();
        filters.add(request -> request.preferHost("canary.internal").proceed());
        Service ordinary = Service.named("shop").hosts("test").endpoints(shop).build();
        Service fallback = Service.named("all").endpoints(all).build();
        Service.Builder ofCanary =
                Service.named("canary").hosts("canary.internal").path("/orders/");
        services.replace(
                ordinary, fallback, ofCanary.endpoints(canary.endpoint()).build());
        millau = closing(builder().start());

        assertThat(client().get("/orders/7").body()).isEqualTo("canary");
        assertThat(canary.requests.get(0).field("Host")).isEqualTo("test");
        assertThat(client().get("/other").body()).as("for another path").isEqualTo("shop");

        replaceWith(ordinary, fallback, ofCanary.endpoints().build());
        assertThat(client().get("/orders/7").body()).as("without an instance").isEqualTo("shop");
        replaceWith(fallback);
        assertThat(client().get("/orders/7").body()).isEqualTo("all");
    }

    @Test
    void whatAFilterKeepsIsSeenByListeners() throws Exception {
        List<Object> told = new CopyOnWriteArrayList<>();
        filters.add(request -> request.attribute("tenant", "t1").proceed());
        filters.add(request -> request.attribute("seen", String.valueOf(request.attribute("tenant")))
                .proceed());
        services.replace(app(endpointThatSays("ok").endpoint()).build());
        millau = closing(builder()
                .listener(new TrafficListener() {
                    @Override
                    public void requestEnded(Ended request) {
                        told.add(request.request().attribute("seen"));
                    }
                })
                .start());

        client().get("/");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(told).containsExactly("t1"));
    }

    // ---- Changes to responses

    @Test
    void theHeadOfEveryResponseIsChanged() throws Exception {
        List<String> seen = new CopyOnWriteArrayList<>();
        filters.add(request -> request.onResponse(response -> {
                    seen.add(response.status() + " "
                            + (response.service() == null
                                    ? "-"
                                    : response.service().name()) + " " + (response.endpoint() != null) + " "
                            + response.header("X-Powered-By"));
                    response.removeHeader("X-Powered-By")
                            .setHeader("X-Frame-Options", "DENY")
                            .addHeader("Set-Cookie", "b=2");
                })
                .proceed());
        filters.add(request -> request.path().equals("/no") ? request.respond(403, "no\n") : request.proceed());
        ScriptedEndpoint endpoint = endpointThatResponds(
                "HTTP/1.1 200 OK\r\nX-Powered-By: x\r\nSet-Cookie: a=1\r\nContent-Length: 2\r\n\r\nok");
        startWith(
                Service.named("app").path("/app").endpoints(endpoint.endpoint()).build());
        RawClient client = client();

        Message served = client.get("/app");
        assertThat(served.body()).isEqualTo("ok");
        assertThat(served.field("X-Powered-By")).isNull();
        assertThat(served.field("X-Frame-Options")).isEqualTo("DENY");
        assertThat(served.all("Set-Cookie")).containsExactly("a=1", "b=2");
        assertThat(client.get("/no").field("X-Frame-Options")).isEqualTo("DENY");
        assertThat(client.get("/nobody").field("X-Frame-Options")).isEqualTo("DENY");
        assertThat(seen).containsExactly("200 app true x", "403 - false null", "502 - false null");
    }

    @Test
    void aFailedChangeOfAResponseHidesIt() throws Exception {
        filters.add(request -> request.onResponse(response -> {
                    throw new IllegalStateException("a bug");
                })
                .proceed());
        ScriptedEndpoint endpoint =
                endpointThatResponds("HTTP/1.1 200 Fine\r\nX-Secret: s\r\nContent-Length: 6\r\n\r\nsecret");
        startWith(endpoint);
        RawClient client = client();

        try (CapturedLog log = new CapturedLog()) {
            for (int i = 0; i < 2; i++) {
                Message response = client.get("/");
                assertThat(response.startLine()).isEqualTo("HTTP/1.1 500 Internal Server Error");
                assertThat(response.field("X-Secret")).isNull();
                assertThat(response.body()).isEqualTo("Internal Server Error\n");
            }
            assertThat(log.about("Filter failed")).hasSize(2);
        }
        assertTold("500 FILTER_FAILED", "500 FILTER_FAILED");
        await().atMost(PATIENCE).until(() -> millau.buffersTakenByRequests() == 0);
        assertThat(traffic.events).noneMatch(event -> event.startsWith("failed"));
    }

    // ---- Upgrades, HTTP/2

    @Test
    void anUpgradeIsFilteredBeforeIt() throws Exception {
        filters.add(request -> request.header("Authorization") == null
                ? request.respond(401, "who?\n")
                : request.onResponse(response -> response.setHeader("X-Seen", "" + response.status()))
                        .proceed());
        ScriptedEndpoint endpoint = endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello");
            connection.hang();
        });
        startWith(endpoint);
        String upgrade = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n";

        assertThat(client().send(upgrade + "\r\n").read().status()).isEqualTo(401);
        RawClient allowed = client().send(upgrade + "Authorization: me\r\n\r\n");
        Message head = allowed.readHead();
        assertThat(head.status()).isEqualTo(101);
        assertThat(head.field("X-Seen")).isEqualTo("101");
        assertThat(allowed.wire().readExactly(5)).isEqualTo("hello");
    }

    @Test
    void anUpgradeWhoseHeadAFilterFailsToChangeIsA500() throws Exception {
        filters.add(request -> request.onResponse(response -> response.setHeader("Upgrade", "other"))
                .proceed());
        startWith(endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello");
            connection.hang();
        }));

        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
        assertThat(client.read().status()).isEqualTo(500);
        assertTold("500 FILTER_FAILED");
    }

    @Test
    void requestsOverHttp2AreFiltered() throws Exception {
        filters.add(request -> request.path().equals("/no")
                ? request.respond(403, "no\n")
                : request.setHeader("X-Tenant", "t1")
                        .onResponse(response -> response.setHeader("X-Frame-Options", "DENY"))
                        .proceed());
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));

        client.headers(1, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a");
        assertThat(client.body(1)).isEqualTo("ok");
        client.headers(3, true, ":method", "GET", ":scheme", "http", ":path", "/no", ":authority", "a");
        assertThat(client.body(3)).isEqualTo("no\n");
        assertThat(endpoint.requests.get(0).field("X-Tenant")).isEqualTo("t1");
    }

    // ---- Filters of services

    @Test
    void aFilterRunsOnceHoweverManyAttemptsThereAre() throws Exception {
        AtomicInteger runs = new AtomicInteger();
        filters.add(request ->
                request.setHeader("X-Proxy", "" + runs.incrementAndGet()).proceed());
        ScriptedEndpoint bad = closing(ScriptedEndpoint.that(Fault.RESET_AFTER_HEAD));
        ScriptedEndpoint good = endpointThatSays("ok");
        startWith(app(bad.endpoint(), good.endpoint())
                .filter(request -> request.addHeader("X-Service", "" + runs.incrementAndGet())
                        .proceed())
                .build());

        assertThat(client().get("/").body()).isEqualTo("ok");
        assertThat(bad.attempts()).isEqualTo(1);
        assertThat(good.requests.get(0).field("X-Proxy")).isEqualTo("1");
        assertThat(good.requests.get(0).all("X-Service")).containsExactly("2");
    }

    @Test
    void whatTheFiltersOfAServiceChangeIsForThatServiceAlone() throws Exception {
        filters.add(request -> request.setHeader("X-Proxy", "1").proceed());
        ScriptedEndpoint good = endpointThatSays("ok");
        RequestFilter ofBlue = request -> request.setHeader("X-Blue", "1")
                .setHeader("X-Proxy", "blue")
                .rewritePath("/blue")
                .onResponse(response -> response.setHeader("X-From", "blue"))
                .proceed();
        RequestFilter ofGreen = request -> request.setHeader("X-Green", "1")
                .onResponse(response -> response.setHeader("X-From", "green"))
                .proceed();
        startWith(
                Service.named("blue")
                        .filter(ofBlue)
                        .endpoints(endpointThatRefuses())
                        .build(),
                Service.named("green")
                        .filter(ofGreen)
                        .endpoints(good.endpoint())
                        .build());

        for (int i = 0; i < 2; i++) {
            assertThat(client().get("/x").field("X-From")).isEqualTo("green");
        }
        assertThat(good.requests).hasSize(2).allSatisfy(request -> {
            assertThat(request.startLine()).isEqualTo("GET /x HTTP/1.1");
            assertThat(request.field("X-Proxy")).isEqualTo("1");
            assertThat(request.field("X-Blue")).isNull();
            assertThat(request.field("X-Green")).isEqualTo("1");
        });
    }

    @Test
    void aFilterOfAServiceRespondsOrDecidesLater() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        RequestFilter filter = request -> switch (request.path()) {
            case "/no" -> request.respond(403, "no\n");
            case "/later" -> request.defer(CompletableFuture.supplyAsync(request::proceed));
            case "/broken" -> throw new IllegalStateException("a bug");
            default -> request.proceed();
        };
        startWith(app(endpoint.endpoint()).maxRequests(1).filter(filter).build());
        RawClient client = client();

        assertThat(client.get("/no").body()).isEqualTo("no\n");
        assertThat(client.get("/later").body()).isEqualTo("ok");
        assertThat(client.get("/broken").status()).isEqualTo(500);
        assertThat(client.send("POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
                        .read()
                        .body())
                .isEqualTo("ok");
        assertThat(endpoint.requests.get(1).body()).isEqualTo("body");
        assertTold("403 FILTER", "200 null", "500 FILTER_FAILED", "200 null");
    }

    /** The client got no response, and the service the request. */
    @Test
    void aChangeThatIsNullIsTheFailureOfItsFilter() throws Exception {
        filters.add(request -> request.onResponse(null).proceed());
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);

        assertThat(client().get("/").status()).isEqualTo(500);
        assertThat(endpoint.requests).isEmpty();
        assertTold("500 FILTER_FAILED");
    }

    // ---- Failure pages

    /** The status was 500, and the body empty. */
    @Test
    void aPageWithoutABodyIsTheFailureOfItsMaker() throws Exception {
        page = failure -> new FailurePage.Page("text/html", null);
        startWith(Service.named("other").hosts("other").build());

        Message response = client().get("/");
        assertThat(response.status()).isEqualTo(502);
        assertThat(response.body()).isEqualTo("No matching services found\n");
    }

    @Test
    void ownFailuresHaveOwnPages() throws Exception {
        page = failure -> FailurePage.Page.html("<h1>" + failure.status() + " " + failure.reason() + " "
                + (failure.service() == null ? "-" : failure.service().name()) + " "
                + failure.requestId() + "</h1>");
        startWith(
                Service.named("down")
                        .path("/down")
                        .endpoints(endpointThatRefuses())
                        .build(),
                Service.named("broken")
                        .path("/broken")
                        .endpoints(endpointThatResponds("HTTP/1.1 503 Gone\r\nContent-Length: 4\r\n\r\nmine")
                                .endpoint())
                        .build());
        RawClient client = client();

        Message down = client.send("GET /down HTTP/1.1\r\nHost: a\r\nX-Request-Id: id1\r\n\r\n")
                .read();
        assertThat(down.status()).isEqualTo(502);
        assertThat(down.field("Content-Type")).isEqualTo("text/html; charset=utf-8");
        assertThat(down.body()).isEqualTo("<h1>502 UPSTREAM_FAILED down id1</h1>");
        assertThat(client.get("/").body()).startsWith("<h1>502 NO_SERVICE - ");
        assertThat(client.get("/broken").body()).isEqualTo("mine");
    }

    @Test
    void aFilterThatFailsHasTheFailurePageButOneThatRespondsHasItsOwn() throws Exception {
        page = failure -> FailurePage.Page.json("{\"reason\": \"" + failure.reason() + "\"}");
        RequestFilter filter = request -> switch (request.query()) {
            case "fails" -> throw new IllegalStateException("a bug");
            case "responds" -> request.respond(500, "mine\n");
            default -> request.proceed();
        };
        filters.add(request -> request.path().equals("/proxy") ? filter.filter(request) : request.proceed());
        startWith(Service.named("app")
                .path("/app")
                .filter(filter)
                .endpoints(endpointThatSays("ok").endpoint())
                .build());
        RawClient client = client();

        for (String path : List.of("/proxy", "/app")) {
            assertThat(client.get(path + "?fails").body()).isEqualTo("{\"reason\": \"FILTER_FAILED\"}");
            assertThat(client.get(path + "?responds").body()).isEqualTo("mine\n");
        }
    }

    @Test
    void aFailurePageThatFailsLeavesTheText() throws Exception {
        page = failure -> {
            throw new IllegalStateException("a bug");
        };
        startWith(new Service[0]);
        RawClient client = client();

        try (CapturedLog log = new CapturedLog()) {
            for (int i = 0; i < 2; i++) {
                assertThat(client.get("/").body()).isEqualTo("No matching services found\n");
            }
            assertThat(log.about("Failure page failed")).hasSize(2);
        }
    }
}
