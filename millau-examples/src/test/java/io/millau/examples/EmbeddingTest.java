package io.millau.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.Endpoint;
import io.millau.core.FailurePage;
import io.millau.core.InMemoryServices;
import io.millau.core.LoadBalancer;
import io.millau.core.Overview;
import io.millau.core.RetryPolicy;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.TrafficListener;
import io.millau.examples.echo.Echo;
import io.millau.metrics.PrometheusMetrics;
import io.millau.server.Filter;
import io.millau.server.Millau;
import io.millau.testing.Fault;
import io.millau.testing.ScriptedUpstream;
import io.millau.testing.TestGateway;
import io.undertow.Handlers;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.BlockingHandler;
import io.undertow.util.HttpString;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The snippets of docs/start/embedding.md that are not in the custom gateway. */
class EmbeddingTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private TestGateway millau = TestGateway.start();

    @AfterEach
    void stop() {
        millau.close();
    }

    private void start(Consumer<Millau.Builder> settings) {
        millau.close();
        millau = TestGateway.start(settings);
    }

    @Test
    void aFilterRespondsOrChangesTheRequestAndItsResponse() {
        Filter filter = request -> request.path().startsWith("/internal/")
                ? request.respond(404, "Not found\n")
                : request.removeHeader("X-Debug")
                        .setHeader("X-Tenant", "t1")
                        .onResponse(response -> response.setHeader("X-Frame-Options", "DENY"))
                        .proceed();
        start(builder -> builder.filter(filter));
        ScriptedUpstream app = millau.upstream("app").responds(200, "ok");

        assertThat(millau.get("/internal/x").statusCode()).isEqualTo(404);
        HttpResponse<String> response = millau.send(millau.request("/").header("X-Debug", "1"));
        assertThat(response.headers().firstValue("X-Frame-Options")).contains("DENY");
        assertThat(app.requests()).singleElement().satisfies(request -> {
            assertThat(request.header("X-Debug")).isNull();
            assertThat(request.header("X-Tenant")).isEqualTo("t1");
        });
    }

    @Test
    void aServiceForTheRestMayRespond404() {
        ScriptedUpstream orders = millau.upstream("orders").responds(200, "ok");
        Endpoint endpoint = orders.endpoint();
        Service rest = Service.named("not-found")
                .filter(request -> request.respond(404, "Not found\n"))
                .endpoints(endpoint) // any: it is never asked, but a service without one is passed over
                .build();
        millau.routes(Service.named("orders").path("/orders/").build(), rest);

        assertThat(millau.get("/orders/7").body()).isEqualTo("ok");
        assertThat(millau.get("/other").statusCode()).isEqualTo(404);
        assertThat(orders.requests()).hasSize(1);
    }

    @Test
    void anEdgeWithHttpsMetricsAndAStatusPage(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("shop.p12");
        char[] password = "secret".toCharArray();
        Certificate made = Certificate.selfSigned("shop.example");
        KeyStore empty = KeyStore.getInstance("PKCS12");
        empty.load(null, null);
        empty.setKeyEntry("shop", made.key(), password, made.chain().toArray(X509Certificate[]::new));
        try (OutputStream out = Files.newOutputStream(file)) {
            empty.store(out, password);
        }

        KeyStore store = KeyStore.getInstance(file.toFile(), password);
        PrometheusMetrics metrics = new PrometheusMetrics();
        Consumer<Millau.Builder> edge = builder -> builder.http("127.0.0.1:0")
                .https("127.0.0.1:0")
                .redirectToHttps()
                .certificates(CertificateSource.of(Certificate.of(store, password)))
                .telemetry("127.0.0.1:0")
                .listener(metrics)
                .metrics(metrics::page)
                .grace(Duration.ofSeconds(5))
                .drain(Duration.ofSeconds(10));

        Millau.Builder builder = Millau.builder();
        edge.accept(builder);
        Service stable = Service.named("stable").weight(9).health("/health").build();
        Service canary = stable.toBuilder("canary").weight(1).build();
        try (Millau running = builder.source(ServiceSource.of(stable, canary))
                .grace(Duration.ZERO)
                .start()) {
            HttpClient client = HttpClient.newHttpClient();
            URI page = URI.create("http://127.0.0.1:" + running.telemetryPort());
            assertThat(client.send(
                                    HttpRequest.newBuilder(page.resolve("/metrics"))
                                            .build(),
                                    BodyHandlers.ofString())
                            .body())
                    .contains("millau_");
            assertThat(client.send(
                                    HttpRequest.newBuilder(page.resolve("/status"))
                                            .build(),
                                    BodyHandlers.ofString())
                            .body())
                    .contains("stable", "canary");
            URI http = URI.create("http://127.0.0.1:" + running.port() + "/");
            assertThat(client.send(HttpRequest.newBuilder(http).build(), BodyHandlers.ofString())
                            .statusCode())
                    .isEqualTo(308);
        }
    }

    private interface Sessions {
        boolean isValid(String cookie);
    }

    @Test
    void whatBlocksIsAskedOnAnotherThread() {
        Sessions sessions = cookie -> cookie.equals("good");
        Executor executor = Executors.newFixedThreadPool(1, task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        });

        Filter filter = request -> {
            String cookie = request.header("Cookie");
            if (cookie == null) {
                return request.redirect(302, "/login");
            }
            CompletionStage<Boolean> isValid = CompletableFuture.supplyAsync(() -> sessions.isValid(cookie), executor);
            return request.defer(
                    isValid.thenApply(valid -> valid ? request.proceed() : request.redirect(302, "/login")));
        };
        start(builder -> builder.filter(filter));
        millau.upstream("app").responds(200, "ok");

        assertThat(millau.get("/").headers().firstValue("Location")).contains("/login");
        assertThat(millau.send(millau.request("/").header("Cookie", "bad")).statusCode())
                .isEqualTo(302);
        assertThat(millau.send(millau.request("/").header("Cookie", "good")).body())
                .isEqualTo("ok");
    }

    @Test
    void aServiceHasFiltersOfItsOwn() {
        Filter filter = request -> "secret".equals(request.header("X-Api-Key"))
                ? request.proceed()
                : request.respond(401, "X-Api-Key: expected a key\n");
        millau.upstream("admin").responds(200, "admin");
        millau.upstream("site").responds(200, "site");
        Service admin = Service.named("admin").path("/admin/").filter(filter).build();
        millau.routes(admin);

        assertThat(millau.get("/admin/").statusCode()).isEqualTo(401);
        assertThat(millau.get("/").body()).isEqualTo("site");
    }

    @Test
    void aFilterThatThrowsIsA500() {
        Filter broken = request -> {
            if (request.path().equals("/broken")) {
                throw new IllegalStateException("a bug");
            }
            return request.proceed();
        };
        start(builder -> builder.filter(broken));
        ScriptedUpstream app = millau.upstream("app").responds(200, "ok");

        assertThat(millau.get("/broken").statusCode()).isEqualTo(500);
        assertThat(app.requests()).isEmpty();
        assertThat(millau.get("/").body()).isEqualTo("ok");
    }

    @Test
    void failuresHavePages() {
        start(builder -> builder.failurePage(failure -> failure.status() == 502
                ? FailurePage.Page.json("{\"error\":\"unavailable\",\"request\":\"" + failure.requestId() + "\"}")
                : null)); // the usual text

        assertThat(millau.send(millau.request("/").header("X-Request-Id", "id-7"))
                        .body())
                .isEqualTo("{\"error\":\"unavailable\",\"request\":\"id-7\"}");
    }

    @Test
    void theRequestsOfAUserGoToOneInstance() {
        start(builder -> builder.balancer(LoadBalancer.hashing(request -> request.header("X-User"))));
        millau.upstream("app").responds(200, "one");
        millau.upstream("app").responds(200, "two");

        Set<String> bodies = new HashSet<>();
        for (int i = 0; i < 5; i++) {
            bodies.add(millau.send(millau.request("/").header("X-User", "me")).body());
        }
        assertThat(bodies).hasSize(1);
    }

    @Test
    void aBalancerOfOnesOwn() {
        LoadBalancer nearest = candidates -> {
            for (int i = 0; i < candidates.size(); i++) {
                if (candidates.endpoint(i).address().isLoopbackAddress()) {
                    return i;
                }
            }
            return Math.floorMod(candidates.turn(), candidates.size());
        };
        start(builder -> builder.balancer(nearest));
        millau.upstream("app").responds(200, "one");
        millau.upstream("app").responds(200, "two");

        String first = millau.get("/").body();
        assertThat(millau.get("/").body()).isEqualTo(first);
    }

    @Test
    void responsesOfSomeStatusesAreRetried() {
        start(builder -> builder.retryPolicy(RetryPolicy.standard().alsoOn(503).atMost(3)));
        millau.upstream("app").responds(503, "later");
        millau.upstream("app").responds(200, "ok");

        assertThat(millau.get("/").body()).isEqualTo("ok");
        assertThat(millau.get("/").body()).isEqualTo("ok");
    }

    @Test
    void aListenerCounts() {
        LongAdder failures = new LongAdder();
        TrafficListener listener = new TrafficListener() {
            @Override
            public void requestEnded(Ended request) {
                if (request.status() >= 500) {
                    failures.increment();
                }
            }
        };
        start(builder -> builder.listener(listener));

        millau.get("/");
        assertThat(failures.sum()).isEqualTo(1);
    }

    @Test
    void theOverviewSaysWhichInstancesGetNothing() {
        AtomicReference<Overview> state = new AtomicReference<>();
        TrafficListener listener = new TrafficListener() {
            @Override
            public void started(Overview overview) {
                state.set(overview);
            }
        };
        start(builder -> builder.listener(listener));
        ScriptedUpstream bad = millau.upstream("app").fails(Fault.CLOSE_INSTEAD_OF_RESPONSE);
        millau.upstream("app").responds(200, "ok");
        assertThat(millau.get("/").body()).isEqualTo("ok");

        List<String> out = state.get().services().stream()
                .flatMap(service -> service.endpoints().stream())
                .filter(instance -> !instance.inRotation())
                .map(instance -> instance.endpoint() + " " + instance.state() + ": " + instance.reason())
                .toList();

        assertThat(out).containsExactly(bad.endpoint() + " EJECTED: connection closed before the response");
    }

    @Test
    void anApplicationSharesTheAddress() {
        HttpHandler admin = new BlockingHandler(exchange -> exchange.getResponseSender()
                .send(new String(exchange.getInputStream().readAllBytes(), StandardCharsets.UTF_8)));
        start(builder -> builder.wrap(proxy -> Handlers.path(proxy).addPrefixPath("/admin", admin)));
        millau.upstream("app").responds(200, "ok");

        assertThat(millau.post("/admin/x", "to the application").body()).isEqualTo("to the application");
        assertThat(millau.get("/").body()).isEqualTo("ok");
    }

    @Test
    void whatAnApplicationSetsBeforeItPassesARequestOnIsAdded() {
        start(builder -> builder.wrap(proxy -> exchange -> {
                    exchange.getResponseHeaders().put(new HttpString("X-Application"), "1");
                    proxy.handleRequest(exchange);
                })
                .filter(request -> request.onResponse(response -> response.setHeader("X-Filter", "1"))
                        .proceed()));
        millau.upstream("app").responds(200, "ok");

        HttpHeaders fields = millau.get("/").headers();
        assertThat(fields.firstValue("X-Application")).contains("1");
        assertThat(fields.firstValue("X-Filter")).contains("1");
    }

    private static boolean isSigned(HttpServerExchange request, byte[] body) {
        return (body.length + "").equals(request.getRequestHeaders().getFirst("X-Signature"));
    }

    @Test
    void anApplicationGivesBackABodyThatItHasRead() {
        start(builder ->
                builder.wrap(proxy -> exchange -> exchange.getRequestReceiver().receiveFullBytes((received, body) -> {
                    if (isSigned(received, body)) {
                        Millau.giveBack(received, body);
                        received.dispatch(proxy);
                    } else {
                        received.setStatusCode(403).endExchange();
                    }
                })));
        ScriptedUpstream app = millau.upstream("app").responds(200, "ok");

        assertThat(millau.send(millau.request("/").header("X-Signature", "4").POST(BodyPublishers.ofString("body")))
                        .body())
                .isEqualTo("ok");
        assertThat(app.takeRequest(PATIENCE).body()).isEqualTo("body");
        assertThat(millau.post("/", "forged").statusCode()).isEqualTo(403);
    }

    @Test
    void servicesInCodeWithAHostNameChangeWhileItRuns() throws Exception {
        try (Echo server = new Echo("orders", 0, Duration.ZERO)) {
            int port = server.port();
            InMemoryServices services = ServiceSource.of();
            start(builder -> builder.source(services));
            assertThat(millau.get("/orders/7").statusCode()).isEqualTo(502);

            services.replace(Service.named("orders")
                    .path("/orders/")
                    .timeout(Duration.ofSeconds(5))
                    .endpoints(Endpoint.http("localhost", port))
                    .build());
            assertThat(millau.get("/orders/7").body()).startsWith("name: orders\n");

            services.replace();
            assertThat(millau.get("/orders/7").statusCode()).isEqualTo(502);
        }
    }
}
