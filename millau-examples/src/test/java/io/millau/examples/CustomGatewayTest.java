package io.millau.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Endpoint;
import io.millau.core.PolledServices;
import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.examples.echo.Echo;
import io.millau.testing.Fault;
import io.millau.testing.MillauExtension;
import io.millau.testing.ScriptedUpstream;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class CustomGatewayTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final TestDatabase database = new TestDatabase();
    private final PolledServices routes =
            DatabaseServices.of(database.source(), Duration.ofHours(1), CustomGateway.apiKeys(Map.of("secret", "me")));
    private final Echo fallback = new Echo("fallback", 0, Duration.ZERO);
    private final AtomicLong now = new AtomicLong();
    private final List<String> log = new CopyOnWriteArrayList<>();

    @RegisterExtension
    final MillauExtension millau = MillauExtension.create(builder -> CustomGateway.configure(
            builder,
            routes,
            Endpoint.http("127.0.0.1", fallback.port()),
            RateLimit.of(5, Duration.ofSeconds(10), now::get),
            log::add));

    CustomGatewayTest() throws Exception {}

    @AfterEach
    void stop() {
        fallback.close();
        database.close();
    }

    /** An upstream that only the database has a route to. */
    private ScriptedUpstream server(String name) {
        String unrouted = name + " without a route";
        millau.routes(Service.named(unrouted).path("/" + name + "/unrouted/").build());
        return millau.upstream(unrouted).responds(200, name);
    }

    private void route(String name, String path, boolean strip, boolean canary, ScriptedUpstream... servers) {
        database.execute("INSERT INTO service VALUES ('" + name + "', '" + path + "', " + strip + ", " + canary + ")");
        for (ScriptedUpstream server : servers) {
            database.addEndpoint(name, server.endpoint());
        }
        changed();
    }

    /** Returns when the gateway has what the database says now. */
    private void changed() {
        routes.readNow();
        List<String> expected = database.names();
        await().atMost(PATIENCE)
                .until(() -> millau.proxy().snapshot().services().stream()
                        .map(service -> service.name())
                        .toList()
                        .containsAll(expected));
    }

    private HttpResponse<String> get(String path) {
        return millau.get(path);
    }

    private HttpResponse<String> get(String path, String... headers) {
        return millau.send(millau.request(path).headers(headers));
    }

    private HttpResponse<String> getWithKey(String path) {
        return get(path, "X-Api-Key", "secret");
    }

    @Test
    void aRequestWithoutAKeyIsA401AndReachesNobody() {
        ScriptedUpstream orders = server("orders");
        route("orders", "/orders/", false, false, orders);

        HttpResponse<String> none = get("/orders/7");
        assertThat(none.statusCode()).isEqualTo(401);
        assertThat(none.body()).isEqualTo("X-Api-Key: expected a key of this gateway\n");
        assertThat(none.headers().firstValue("WWW-Authenticate")).contains("ApiKey");
        assertThat(get("/orders/7", "X-Api-Key", "guessed").statusCode()).isEqualTo(401);
        assertThat(orders.requests()).isEmpty();

        assertThat(get("/orders/7", "X-Api-Key", "secret", "X-Client", "root").body())
                .isEqualTo("orders");
        assertThat(orders.requests()).singleElement().satisfies(request -> {
            assertThat(request.headers("X-Client")).containsExactly("me");
            assertThat(request.header("X-Api-Key")).isNull();
        });
    }

    @Test
    void theCanaryGetsTheRequestsThatAskForItAndOnlyForItsPaths() {
        ScriptedUpstream orders = server("orders");
        ScriptedUpstream canary = server("canary");
        ScriptedUpstream shop = server("shop");
        route("orders", "/orders/", false, false, orders);
        route("orders-canary", "/orders/", false, true, canary);
        route("shop", "/shop/", false, false, shop);

        assertThat(get("/orders/7", "X-Api-Key", "secret", "X-Canary", "yes").body())
                .isEqualTo("canary");
        assertThat(get("/orders/7", "X-Api-Key", "secret", "X-Canary", "no").body())
                .isEqualTo("orders");
        assertThat(get("/shop/", "X-Api-Key", "secret", "X-Canary", "yes").body())
                .isEqualTo("shop");
        String host = millau.uri().getAuthority();
        assertThat(List.of(canary, shop))
                .allSatisfy(upstream -> assertThat(upstream.requests())
                        .singleElement()
                        .satisfies(request -> assertThat(request.host()).isEqualTo(host)));

        database.execute("DELETE FROM service WHERE name = 'orders-canary'");
        routes.readNow();
        await().atMost(PATIENCE)
                .until(() -> millau.proxy().snapshot().services().stream()
                        .noneMatch(service -> service.name().equals("orders-canary")));
        assertThat(get("/orders/7", "X-Api-Key", "secret", "X-Canary", "yes").body())
                .isEqualTo("orders");
    }

    @Test
    void aClientThatAsksTooOftenIsA429UntilTheSecondThatItWasTold() {
        for (int i = 0; i < 5; i++) {
            assertThat(get("/").statusCode()).isEqualTo(200);
        }
        HttpResponse<String> tooMany = get("/");
        assertThat(tooMany.statusCode()).isEqualTo(429);
        assertThat(tooMany.headers().firstValue("Retry-After")).contains("2");

        now.addAndGet(Duration.ofSeconds(2).toNanos() - 1);
        assertThat(get("/").statusCode()).isEqualTo(429);
        now.addAndGet(1);
        assertThat(get("/").statusCode()).isEqualTo(200);
        assertThat(get("/").statusCode()).isEqualTo(429);
    }

    @Test
    void guessingKeysIsLimitedToo() {
        route("orders", "/orders/", false, false, server("orders"));

        for (int i = 0; i < 5; i++) {
            assertThat(get("/orders/", "X-Api-Key", "guess " + i).statusCode()).isEqualTo(401);
        }
        assertThat(getWithKey("/orders/").statusCode()).isEqualTo(429);
    }

    @Test
    void thePrefixIsStrippedAndTold() {
        ScriptedUpstream orders = server("orders");
        route("orders", "/api/orders/", true, false, orders);

        assertThat(getWithKey("/api/orders/7/a%2Fb?full=1&x=%20").body()).isEqualTo("orders");
        assertThat(getWithKey("/api/orders/").body()).isEqualTo("orders");
        assertThat(getWithKey("/api/orders//7").body()).isEqualTo("orders");

        assertThat(orders.requests()).extracting(request -> request.path()).containsExactly("/7/a%2Fb", "/", "//7");
        assertThat(orders.requests().get(0).query()).isEqualTo("full=1&x=%20");
        assertThat(orders.requests().get(0).headers("X-Forwarded-Prefix")).containsExactly("/api/orders");
    }

    @Test
    void ownFailuresHaveThePageOfTheGatewayAndThoseOfServicesDoNot() {
        ScriptedUpstream orders = server("orders").fails(Fault.RESET_AFTER_HEAD);
        route("orders", "/orders/", false, false, orders);

        HttpResponse<String> failure = get("/orders/7", "X-Api-Key", "secret", "X-Request-Id", "id-7");
        assertThat(failure.statusCode()).isEqualTo(502);
        assertThat(failure.headers().firstValue("Content-Type")).contains("text/html; charset=utf-8");
        assertThat(failure.body())
                .contains("<h1>This part of the site is being repaired</h1>")
                .contains("Status 502, request id-7");

        orders.heals().responds(500, "its own");
        millau.advance(Duration.ofSeconds(60));
        assertThat(getWithKey("/orders/7").body()).isEqualTo("its own");
    }

    @Test
    void routesChangeWhileItRuns() {
        ScriptedUpstream blue = server("blue");
        ScriptedUpstream green = server("green");
        route("orders", "/orders/", false, false, blue);
        assertThat(getWithKey("/orders/7").body()).isEqualTo("blue");

        database.execute("DELETE FROM endpoint");
        database.addEndpoint("orders", green.endpoint());
        routes.readNow();
        await().atMost(PATIENCE)
                .until(() -> millau.proxy().snapshot().services().stream()
                        .filter(service -> service.name().equals("orders"))
                        .flatMap(service -> service.endpoints().stream())
                        .allMatch(
                                endpoint -> endpoint.port() == green.endpoint().port()));
        assertThat(getWithKey("/orders/7").body()).isEqualTo("green");
    }

    @Test
    void aRowThatIsWrongIsNamedAndHurtsNobodyElse() {
        route("orders", "/orders/", false, false, server("orders"));
        route("shop", "/shop/", false, false, server("shop"));

        database.execute("UPDATE service SET path = 'orders' WHERE name = 'orders'");
        database.execute("INSERT INTO endpoint VALUES ('shop', '127.0.0.1', 99999)");
        database.execute("INSERT INTO service (name, path, strip) VALUES ('new', '/new', TRUE)");
        routes.readNow();

        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(millau.proxy().snapshot().problems())
                        .containsExactly(
                                new Problem(
                                        "new",
                                        "path=/new: expected a slash at its end, as in /shop/, since it is to be stripped (left out)"),
                                new Problem(
                                        "orders",
                                        "path=orders: expected a path that starts with /, /orders for instance (it stays as it was)"),
                                new Problem(
                                        "shop",
                                        "endpoint 127.0.0.1 99999: port 99999: expected 1 to 65535 (left out)")));
        assertThat(getWithKey("/orders/7").body()).isEqualTo("orders");
        assertThat(getWithKey("/shop/").body()).isEqualTo("shop");
        assertThat(getWithKey("/new").body()).startsWith("name: fallback\n");
    }

    @Test
    void theFallbackGetsWhatNobodyElseServes() {
        route("orders", "/orders/", false, false);

        assertThat(get("/").body()).startsWith("name: fallback\n");
        assertThat(get("/orders/7").body()).startsWith("name: fallback\n").contains("path: /orders/7\n");
    }

    @Test
    void aResponseThatSaysUnavailableIsRetriedAndEachAttemptIsALine() {
        ScriptedUpstream bad = server("bad").responds(503, "later");
        ScriptedUpstream good = server("good");
        route("orders", "/orders/", false, false, bad, good);

        assertThat(getWithKey("/orders/7").body()).isEqualTo("good");
        assertThat(getWithKey("/orders/7").body()).isEqualTo("good");
        assertThat(get("/x").statusCode()).isEqualTo(200);

        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(log)
                        .contains("orders FAILURE_STATUS, goes on to the next")
                        .contains("GET orders 200")
                        .endsWith("GET fallback 200"));
    }
}
