package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.testing.CapturedLog;
import io.millau.server.internal.status.ExplainHandler;
import io.millau.server.internal.status.RequestUrl;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How a running proxy explains the routing of a URL. */
class ExplainTest extends ProxyTest {

    @Test
    void theTelemetryPortExplainsTheRoute() throws Exception {
        ScriptedEndpoint good = endpointThatSays("api");
        startWithTelemetry(
                app(endpointThatRefuses(), good.endpoint()).path("/api/").build(),
                Service.named("rest").endpoints(good.endpoint()).build());
        while (traffic.events.stream().noneMatch(event -> event.startsWith("failed"))) {
            client().get("/api/");
        }
        Message response = explain("https://shop.example/api/x?q");

        assertThat(response.status()).isEqualTo(200);
        assertThat(response.field("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        assertThat(response.field(ExplainHandler.SERVED)).isEqualTo("true");
        assertThat(response.body())
                .startsWith("""
                        https://shop.example/api/x?q goes to app
                        app: matches by host * and path /api/
                        """)
                .contains("  " + good.endpoint() + " in rotation (up)\n")
                .containsPattern("  http://\\S+ out of rotation \\(ejected [0-9]+ s ago: .+\\)\n")
                .endsWith(
                        "rest: path /api/ is the longer match than /\n"
                                + "Clients are known by the addresses of their connections: no proxy in front is trusted (TRUSTED, PROXY_PROTOCOL; in code: trusted, proxyProtocol)\n");
        assertThat(withoutAge(response.body()))
                .isEqualTo(withoutAge(millau.explain(URI.create("https://shop.example/api/x?q"))));
    }

    private static String withoutAge(String text) {
        return text.replaceAll("[0-9]+ s ago", "a while ago");
    }

    @Test
    void theExplanationSaysWhatTheClientWouldGet() throws Exception {
        startWithTelemetry(
                Service.named("idle").hosts("idle.example").build(),
                app(endpointThatSays("ok").endpoint())
                        .hosts("shop.example")
                        .redirectToHttps(true)
                        .build());

        assertThat(explain("idle.example").body())
                .startsWith("http://idle.example goes to idle: 502 No running instance of idle\n");
        assertThat(explain("idle.example").field(ExplainHandler.SERVED)).isEqualTo("false");
        assertThat(client().send("GET / HTTP/1.1\r\nHost: idle.example\r\n\r\n")
                        .read()
                        .body())
                .startsWith("No running instance of idle");
        assertThat(explain("http://else.example/").body())
                .startsWith("http://else.example/ goes nowhere: 502 No matching services found\n");
        assertThat(explain("http://shop.example/").body())
                .startsWith("http://shop.example/ goes to app\nOver plain HTTP it is redirected to HTTPS first: 308\n");
        assertThat(explain("https://shop.example/").body()).doesNotContain("308");
    }

    /** With many services, what matters was lost among them. */
    @Test
    void servicesThatFitLessAreShownOnRequest() throws Exception {
        Service[] many = new Service[20];
        for (int i = 0; i < many.length; i++) {
            many[i] = Service.named("other-" + (char) ('a' + i))
                    .hosts("other-" + i + ".example")
                    .build();
        }
        services.replace(many);
        startTelling(
                List.of(new Problem("other-t", "far away"), new Problem("app", "near")),
                app(endpointThatSays("ok").endpoint()).hosts("shop.example").build());

        assertThat(explain("shop.example").body().lines())
                .hasSize(1 + 2 + 8 + 3)
                .contains("and 12 more that fit less (explain --all, or /explain?all&url=)", "Problem: app: near")
                .noneMatch(line -> line.contains("far away"));
        assertThat(closing(new RawClient(millau.telemetryPort()))
                        .get("/explain?all&url=shop.example")
                        .body()
                        .lines())
                .hasSize(1 + 2 + 20 + 3)
                .contains("Problem: other-t: far away");
    }

    /** A filter rewrote the path, and what was explained was untrue. */
    @Test
    void thatFiltersComeFirstIsSaid() throws Exception {
        String note = "Filters of the program see it first: they may respond, or change its host and path";
        startTelling(List.of(), Service.named("app").build());
        assertThat(millau.explain(URI.create("http://a.example/"))).doesNotContain(note);

        try (Millau filtering = builder().filter(request -> request.proceed()).start()) {
            assertThat(filtering.explain(URI.create("http://a.example/"))).contains(note);
        }
    }

    /** "No running instance" was the answer, and why stood in another line, below those of all other services. */
    @Test
    void theReasonWhyNothingRunsComesFirst() throws Exception {
        Problem network = new Problem("shop", "shares no network with the proxy");
        startTelling(
                List.of(new Problem("other", "far away"), network, network),
                Service.named("shop/admin").hosts("shop.example").build(),
                Service.named("other").hosts("other.example").build());

        assertThat(millau.explain(URI.create("http://shop.example/")))
                .startsWith("http://shop.example/ goes to shop/admin: 502 No running instance of shop/admin\n"
                        + "Why: shop: shares no network with the proxy\n")
                .doesNotContain("Problem: shop")
                .contains("Problem: other: far away");
    }

    /** The service to blame was not named: it is left out, so no host of it was known, and other problems came first. */
    @Test
    void aServiceThatIsLeftOutIsTheReason() throws Exception {
        Problem leftOut = new Problem(
                "web",
                "millau.balance=leastconn: expected roundrobin or leastconnections (the service is left out)",
                List.of("k.test"),
                false);
        startTelling(
                List.of(new Problem("other", "far away"), leftOut),
                Service.named("other").hosts("other.test").build());

        for (String host : List.of("k.test", "www.k.test")) {
            assertThat(millau.explain(URI.create("http://" + host + "/")))
                    .startsWith(
                            "http://" + host + "/ goes nowhere: 502 No matching services found\nWhy: " + leftOut + "\n")
                    .doesNotContain("Problem: web");
        }
        for (String host : List.of("other.test", "ak.test", "j.test", "test")) {
            assertThat(millau.explain(URI.create("http://" + host + "/")))
                    .contains("Problem: " + leftOut)
                    .doesNotContain("Why: web");
        }
    }

    /** A maintenance page for all hosts gets what others can't serve; why they can't was among the problems left out. */
    @Test
    void behindAServiceForAllHostsTheProblemsOfTheHostComeFirst() throws Exception {
        List<Problem> problems = new ArrayList<>();
        for (char c = 'a'; c < 'k'; c++) {
            problems.add(new Problem("other-" + c, "is wrong"));
        }
        problems.add(new Problem("site", "millau.hosts=https://url.example: expected host names"));
        problems.add(new Problem("shop", "container shop is unhealthy"));
        ScriptedEndpoint page = endpointThatSays("back soon");
        startTelling(
                problems,
                Service.named("page").endpoints(page.endpoint()).build(),
                Service.named("other-b").hosts("b.example").build(),
                Service.named("shop").hosts("shop.example").build());

        assertThat(firstProblem("shop.example")).isEqualTo("Problem: shop: container shop is unhealthy");
        assertThat(firstProblem("url.example"))
                .isEqualTo("Problem: site: millau.hosts=https://url.example: expected host names");
        assertThat(firstProblem("b.example")).isEqualTo("Problem: other-b: is wrong");
    }

    /** Starts a proxy with a source that has these problems, and services beside its own. */
    private void startTelling(List<Problem> problems, Service... all) throws Exception {
        millau = closing(builder()
                .telemetry("127.0.0.1:0")
                .source(consumer -> {
                    consumer.accept(new Snapshot(List.of(all), problems));
                    return () -> {};
                })
                .start());
    }

    private String firstProblem(String url) throws Exception {
        return explain(url)
                .body()
                .lines()
                .filter(line -> line.startsWith("Problem: "))
                .findFirst()
                .orElseThrow();
    }

    /** With ten mistakes in a Swarm each explanation had ten lines of them, and the one that mattered among them. */
    @Test
    void problemsOfNearServicesComeFirstAndTheRestIsCounted() throws Exception {
        List<Problem> problems = new ArrayList<>();
        for (char c = 'a'; c < 'k'; c++) {
            problems.add(new Problem("other-" + c, "is wrong"));
        }
        problems.add(new Problem("shop", "its users can't be read"));
        ScriptedEndpoint shop = endpointThatSays("ok");
        startTelling(problems, Service.named("shop").endpoints(shop.endpoint()).build());

        assertThat(explain("shop.example").body())
                .containsSubsequence(
                        "Problem: shop: its users can't be read\n",
                        "Problem: other-d: is wrong\n",
                        "and 6 more problems (explain --all)\n");
        assertThat(closing(new RawClient(millau.telemetryPort()))
                        .get("/explain?all&url=shop.example")
                        .body())
                .contains("Problem: other-j: is wrong\n")
                .doesNotContain("more problems");
    }

    /** Whoever had mounted another socket read "no matching services", and not that no engine was there. */
    @Test
    void aSourceThatCanNotBeReadIsAProblem() throws Exception {
        millau = closing(builder()
                .source(ServiceSource.polling("engine", Duration.ofSeconds(1), () -> {
                    throw new IOException("can't be reached");
                }))
                .start());

        await().atMost(Duration.ofSeconds(60))
                .until(() -> millau.explain(URI.create("http://shop.example/")).contains("\nProblem: engine: "));
        assertThat(millau.explain(URI.create("http://shop.example/")))
                .startsWith("http://shop.example/ goes nowhere: 502 No matching services found\n")
                .contains("can't be reached");
    }

    /** The client was told that no service matches, and the explanation said that it goes to one. */
    @Test
    void aServiceThatWasJustRemovedIsNoMatch() throws Exception {
        startWith(app(endpointThatSays("ok").endpoint()).build());
        assertThat(client().get("/").body()).isEqualTo("ok");
        services.replace();

        try (CapturedLog log = new CapturedLog()) {
            assertThat(client().get("/").body()).isEqualTo("No matching services found\n");
            assertThat(millau.explain(URI.create("http://a/")))
                    .startsWith("http://a/ goes nowhere: 502 No matching services found\n")
                    .contains("app: matches by host * and path /, but was removed or is not enabled any more\n");
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> log.about("Failed service=app")
                            .toString()
                            .contains("reason=\"removed, or not enabled any more\""));
        }
    }

    @Test
    void theExplanationListsProblems() throws Exception {
        Problem problem = new Problem("shop", "millau.port is missing (the service is left out)");
        startTelling(List.of(problem));

        assertThat(millau.explain(URI.create("http://shop.example/")))
                .endsWith("\nProblem: shop: millau.port is missing (the service is left out)\n");
    }

    /** The explanation parses a path exactly as the proxy does. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/api/",
                "/api",
                "/%61pi/",
                "/api%2Fx",
                "/api%2fx",
                "/api;x=1/y",
                "/api/;x",
                "/;a/api/",
                "//api/",
                "/a/../api/",
                "/api/%C3%A9",
                "/api/+",
                "/%2561pi/"
            })
    void unusualPathsAreExplainedAsTheProxyRoutesThem(String path) throws Exception {
        startWith(
                Service.named("api")
                        .path("/api/")
                        .endpoints(endpointThatSays("api").endpoint())
                        .build(),
                Service.named("rest")
                        .endpoints(endpointThatSays("rest").endpoint())
                        .build());

        assertThat(millau.explain(URI.create("http://a" + path)))
                .contains(" goes to " + client().get(path).body() + "\n");
    }

    @ParameterizedTest
    @CsvSource({
        "shop.example, false, shop.example, /",
        "shop.example:8080/x?y, false, shop.example:8080, /x",
        "HTTPS://Shop.example/x#y, true, Shop.example, /x",
        "wss://shop_1/x, true, shop_1, /x",
        "http://[::1]:80/, false, [::1]:80, /",
        "http://bücher.example/ü, false, xn--bcher-kva.example, /%C3%BC",
        "http://straße.example:8080/, false, xn--strae-oqa.example:8080, /",
        "http://a?b, false, a, /",
    })
    void urls(String text, boolean secure, String host, String path) {
        RequestUrl url = RequestUrl.parse(text);

        assertThat(url.secure()).isEqualTo(secure);
        assertThat(url.host()).isEqualTo(host);
        assertThat(url.path()).isEqualTo(path);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/api/x",
                "ftp://a/",
                "javascript://a/",
                "http://",
                "http:///x",
                "http://a b/",
                "http://a/\n",
                "http://user@a/",
                "http://a:x/",
                "http://a:123456/",
                "http://<script>/",
                "http://[::1/",
                "http://*/",
                "http://..é../",
            })
    void anInvalidUrlIsRejectedWithAHint(String text) throws Exception {
        assertThatThrownBy(() -> RequestUrl.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("expected a URL like https://shop.example/api/x");
        startWithTelemetry();
        Message response = explain(text);
        assertThat(response.status()).isEqualTo(400);
        assertThat(response.body()).startsWith("/explain?url=: expected a URL like https://shop.example/api/x");
    }

    @Test
    void hostileQueriesAreNotEchoedUnescaped() throws Exception {
        startWithTelemetry();
        try (RawClient telemetry = new RawClient(millau.telemetryPort())) {
            assertThat(telemetry.get("/explain").status()).isEqualTo(400);
            assertThat(telemetry.get("/explain?url").status()).isEqualTo(400);
            assertThat(telemetry.get("/explain?url=http://a/x?y=1&z=a+b").body())
                    .startsWith("http://a/x?y=1&z=a+b goes nowhere");
            assertThat(telemetry.get("/explain?url=http://a/%250d%250aX").body())
                    .startsWith("http://a/%0d%0aX goes nowhere");
            assertThat(telemetry.get("/explain?url=" + "a".repeat(5000)).body())
                    .endsWith(", of at most 4000 characters\n");
        }
    }

    private void startWithTelemetry(Service... declared) throws Exception {
        services.replace(declared);
        millau = closing(builder().telemetry("127.0.0.1:0").start());
    }

    private Message explain(String url) throws Exception {
        try (RawClient telemetry = new RawClient(millau.telemetryPort())) {
            return telemetry.get("/explain?url=" + URLEncoder.encode(url, StandardCharsets.UTF_8));
        }
    }
}
