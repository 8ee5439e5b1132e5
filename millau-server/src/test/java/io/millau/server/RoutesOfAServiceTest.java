package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Service;
import io.millau.core.internal.LabelReader;
import io.millau.core.testing.CapturedLog;
import io.millau.metrics.PrometheusMetrics;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** {@code millau.ROUTE.LABEL}: two ports of one container. */
class RoutesOfAServiceTest extends ProxyTest {

    private final LabelReader reader = new LabelReader();
    private final PrometheusMetrics metrics = new PrometheusMetrics();
    private final ScriptedEndpoint shop = endpointThatSays("shop");
    private final ScriptedEndpoint admin = endpoint(connection -> {
        for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
            if (request.startLine().startsWith("GET /bad ")) {
                connection.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
            } else {
                connection.respond(request, "admin");
            }
        }
    });

    @Override
    protected Millau.Builder builder() {
        return super.builder().telemetry("127.0.0.1:0").listener(metrics).metrics(metrics::page);
    }

    /** The services that these labels make of one container. */
    private Service[] routes(String... pairs) {
        Map<String, String> labels = new TreeMap<>(Map.of(
                "millau.enabled",
                "true",
                "millau.port",
                String.valueOf(shop.endpoint().port()),
                "millau.admin.port",
                String.valueOf(admin.endpoint().port()),
                "millau.admin.path",
                "/admin"));
        for (int i = 0; i < pairs.length; i += 2) {
            labels.put("millau." + pairs[i], pairs[i + 1]);
        }
        return reader.batch().read("container:1", "shop", labels, List.of()).stream()
                .map(route -> route.toService("container:1")
                        .endpoints(route.settings()
                                .endpoint(route.endpointId("1"), InetAddress.getLoopbackAddress(), "shop"))
                        .build())
                .toArray(Service[]::new);
    }

    private String telemetry(String path) throws Exception {
        try (RawClient client = new RawClient(millau.telemetryPort())) {
            return client.get(path).body();
        }
    }

    @Test
    void eachRouteHasItsNameInMetricsStatusAndExplanations() throws Exception {
        startWith(routes());

        assertThat(client().get("/").body()).isEqualTo("shop");
        assertThat(client().get("/admin/users").body()).isEqualTo("admin");

        await().untilAsserted(() -> assertThat(telemetry("/metrics"))
                .contains(
                        "millau_lb_successful_requests_total{code=\"200\",method=\"GET\",service=\"shop\"} 1",
                        "millau_lb_successful_requests_total{code=\"200\",method=\"GET\",service=\"shop/admin\"} 1",
                        "millau_lb_status{service=\"shop/admin\"} 1",
                        "target=\"shop/admin\"} 1"));
        assertThat(StrictJson.read(telemetry("/status.json")).path("services").findValuesAsText("name"))
                .containsExactly("shop", "shop/admin");
        assertThat(telemetry("/explain?url=http://a.example/admin/x"))
                .startsWith("http://a.example/admin/x goes to shop/admin\n");
    }

    @Test
    void aRouteComesAndGoesAlone() throws Exception {
        startWith(routes());
        RawClient kept = client();
        kept.get("/");
        try (CapturedLog log = new CapturedLog()) {
            replaceWith(routes("admin.port", "1", "Api-2.path", "/api"));
            replaceWith(routes());

            assertThat(log.about("service="))
                    .allMatch(line -> line.contains("service=shop/admin ") || line.contains("service=shop/Api-2"))
                    .anyMatch(line -> line.contains("Added service=shop/Api-2 hosts=* path=/api"))
                    .anyMatch(line -> line.contains("Removed service=shop/Api-2"));
        }
        assertThat(kept.get("/").body()).isEqualTo("shop");
        assertThat(shop.connections()).isEqualTo(1);
    }

    /** Both are at one port, and one answer of /bad would have undone each of /good. */
    @Test
    void aRouteThatIsNotHealthyLeavesTheOtherInRotation() throws Exception {
        String port = String.valueOf(admin.endpoint().port());
        startWith(routes("port", port, "health", "/good", "admin.port", port, "admin.health", "/bad"));
        for (int i = 1; i <= 3; i++) {
            int check = i;
            await().until(() -> checks("/good") >= check && checks("/bad") >= check && admin.openConnections() == 0);
            ahead.addAndGet(Duration.ofSeconds(5).toNanos());
        }

        await().untilAsserted(() -> assertThat(telemetry("/metrics"))
                .contains("millau_lb_status{service=\"shop\"} 1", "millau_lb_status{service=\"shop/admin\"} 0"));
    }

    private long checks(String path) {
        return admin.requests.stream()
                .filter(request -> request.startLine().startsWith("GET " + path + " "))
                .count();
    }

    /** The other one would have served them to everybody. */
    @Test
    void noRouteGetsTheRequestsOfOneWhoseProtectionCannotBeRead() throws Exception {
        startWith(routes("admin.allow", "192.0.2.1"));
        assertThat(client().get("/admin").status()).isEqualTo(403);
        assertThat(client().get("/").status()).isEqualTo(200);

        replaceWith(routes("admin.allow", "192.0.2.1", "admin.path", "admin"));
        assertThat(client().get("/admin").status()).isEqualTo(403);
        assertThat(client().get("/").status()).isEqualTo(200);

        replaceWith(routes("admin.allow", "office"));
        assertThat(client().get("/admin").status()).isEqualTo(503);
        assertThat(client().get("/").status()).isEqualTo(503);
        assertThat(admin.requests).isEmpty();
    }

    /** A new version with a mistake must not take half of the requests of the one that works. */
    @Test
    void aClosedServiceLeavesRequestsToOneThatFitsAsWell() throws Exception {
        startWith(routes("allow", "office"));
        assertThat(client().get("/").status()).isEqualTo(503);
        assertThat(client().get("/").body()).startsWith("Closed, since a label");

        Service other = Service.named("other").endpoints(shop.endpoint()).build();
        Service[] closed = routes("allow", "office");
        replaceWith(closed[0], closed[1], other);
        for (int i = 0; i < 4; i++) {
            assertThat(client().get("/").body()).isEqualTo("shop");
        }
        assertThat(client().get("/admin").status()).isEqualTo(503);
        assertThat(telemetry("/explain?url=http://a/"))
                .contains("\nshop: closed: everybody gets 503, since a label that protects it has a mistake;"
                        + " another service fits as well\n");

        // not even when that one fails
        replaceWith(
                closed[0],
                closed[1],
                Service.named("other").endpoints(endpointThatRefuses()).build());
        for (int i = 0; i < 3; i++) {
            assertThat(client().get("/").body()).isEqualTo("No instance could answer\n");
        }
        assertThat(telemetry("/metrics")).containsPattern("reason=\"closed\"} [1-9]");
    }

    @Test
    void eachRouteHasItsOwnCookie() throws Exception {
        startWith(routes(
                "sticky", "true", "admin.port", String.valueOf(shop.endpoint().port())));
        String ofShop = client().get("/").field("Set-Cookie");
        String ofAdmin = client().get("/admin").field("Set-Cookie");

        assertThat(ofShop).endsWith("; Path=/; HttpOnly; SameSite=Lax");
        assertThat(ofAdmin).endsWith("; Path=/admin; HttpOnly; SameSite=Lax");
        assertThat(ofAdmin.substring(0, 20)).isNotEqualTo(ofShop.substring(0, 20));
    }
}
