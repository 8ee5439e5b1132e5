package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.Service;
import io.millau.core.testing.Authority;
import io.millau.core.testing.TrustAll;
import io.millau.metrics.PrometheusMetrics;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** The metrics page of the telemetry port after known traffic, line by line. */
class MetricsTest extends ProxyTest {

    private final PrometheusMetrics metrics = new PrometheusMetrics();

    private void start(Service... declared) throws Exception {
        services.replace(declared);
        millau = closing(builder()
                .listener(metrics)
                .metrics(metrics::page)
                .telemetry("127.0.0.1:0")
                .start());
    }

    /** Values that differ from run to run. */
    private static final Pattern TIMES = Pattern.compile(
            "millau_(ingress_(max_)?client_connections|lb_request_duration_seconds_(sum|bucket\\{le=\"\\d)|discovery_(last|age|snapshot)).*");

    private static final String CONTRACT = """
            millau_ingress_open_connections{port=":8080",protocol="http"} 1
            millau_ingress_refused_connections_total{port=":8080",protocol="http"} 0
            millau_ingress_requests_total{method="GET",port=":8080",protocol="http"} 5
            millau_ingress_requests_bytes_total{method="GET",port=":8080",protocol="http"} 0
            millau_ingress_responses_bytes_total{method="GET",port=":8080",protocol="http"} 8
            millau_ingress_requests_total{method="POST",port=":8080",protocol="http"} 1
            millau_ingress_requests_bytes_total{method="POST",port=":8080",protocol="http"} 4
            millau_ingress_responses_bytes_total{method="POST",port=":8080",protocol="http"} 5
            millau_ingress_requests_total{method="OTHER",port=":8080",protocol="http"} 1
            millau_ingress_requests_bytes_total{method="OTHER",port=":8080",protocol="http"} 0
            millau_ingress_responses_bytes_total{method="OTHER",port=":8080",protocol="http"} 5
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="bad_request"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="head_too_large"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="body_too_large"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="request_timeout"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="connect"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="redirect"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="misdirected"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="challenge"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="closed"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="denied"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="rate_limited"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="not_logged_in"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="auth"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="filter"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="filter_failed"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="application"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="no_service"} 1
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="no_endpoint"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="too_many_requests"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="upstream_failed"} 1
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="upstream_timeout"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="client_stalled"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="overloaded"} 0
            millau_ingress_local_responses_total{port=":8080",protocol="http",reason="malformed"} 0

            millau_lb_successful_requests_total{code="200",method="GET",service="app"} 1
            millau_lb_requests_bytes_total{method="GET",service="app"} 0
            millau_lb_responses_bytes_total{method="GET",service="app"} 5
            millau_lb_request_duration_seconds_bucket{le="+Inf",method="GET",service="app"} 1
            millau_lb_request_duration_seconds_count{method="GET",service="app"} 1
            millau_lb_successful_requests_total{code="200",method="POST",service="app"} 1
            millau_lb_requests_bytes_total{method="POST",service="app"} 4
            millau_lb_responses_bytes_total{method="POST",service="app"} 5
            millau_lb_request_duration_seconds_bucket{le="+Inf",method="POST",service="app"} 1
            millau_lb_request_duration_seconds_count{method="POST",service="app"} 1
            millau_lb_successful_requests_total{code="200",method="OTHER",service="app"} 1
            millau_lb_requests_bytes_total{method="OTHER",service="app"} 0
            millau_lb_responses_bytes_total{method="OTHER",service="app"} 5
            millau_lb_request_duration_seconds_bucket{le="+Inf",method="OTHER",service="app"} 1
            millau_lb_request_duration_seconds_count{method="OTHER",service="app"} 1
            millau_lb_successful_requests_total{code="404",method="GET",service="missing"} 1
            millau_lb_requests_bytes_total{method="GET",service="missing"} 0
            millau_lb_responses_bytes_total{method="GET",service="missing"} 3
            millau_lb_request_duration_seconds_bucket{le="+Inf",method="GET",service="missing"} 1
            millau_lb_request_duration_seconds_count{method="GET",service="missing"} 1
            millau_lb_failed_requests_total{method="GET",service="broken"} 1
            millau_lb_requests_bytes_total{method="GET",service="broken"} 0
            millau_lb_responses_bytes_total{method="GET",service="broken"} 0

            millau_lb_retries_total{service="app"} 1
            millau_lb_retry_budget_exhausted_total{service="app"} 0
            millau_lb_ejections_total{service="app"} 1
            millau_lb_endpoints{service="app",state="up"} 1
            millau_lb_endpoints{service="app",state="recovering"} 0
            millau_lb_endpoints{service="app",state="ejected"} 1
            millau_lb_endpoints{service="app",state="unhealthy"} 0
            millau_lb_endpoints{service="app",state="joining"} 0
            millau_lb_open_connections{service="app"} 1
            millau_lb_waiting_requests{service="app"} 0
            millau_lb_status{service="app"} 1
            millau_topology_status{id="app",mainstat="up",title="app"} 1
            millau_topology_requests_total{id=":8080-app",source=":8080",target="app"} 3

            millau_lb_retries_total{service="broken"} 0
            millau_lb_retry_budget_exhausted_total{service="broken"} 0
            millau_lb_ejections_total{service="broken"} 1
            millau_lb_endpoints{service="broken",state="up"} 0
            millau_lb_endpoints{service="broken",state="recovering"} 0
            millau_lb_endpoints{service="broken",state="ejected"} 1
            millau_lb_endpoints{service="broken",state="unhealthy"} 0
            millau_lb_endpoints{service="broken",state="joining"} 0
            millau_lb_open_connections{service="broken"} 0
            millau_lb_waiting_requests{service="broken"} 0
            millau_lb_status{service="broken"} 0
            millau_topology_status{id="broken",mainstat="down",title="broken"} 0
            millau_topology_requests_total{id=":8080-broken",source=":8080",target="broken"} 1

            millau_lb_retries_total{service="missing"} 0
            millau_lb_retry_budget_exhausted_total{service="missing"} 0
            millau_lb_ejections_total{service="missing"} 0
            millau_lb_endpoints{service="missing",state="up"} 1
            millau_lb_endpoints{service="missing",state="recovering"} 0
            millau_lb_endpoints{service="missing",state="ejected"} 0
            millau_lb_endpoints{service="missing",state="unhealthy"} 0
            millau_lb_endpoints{service="missing",state="joining"} 0
            millau_lb_open_connections{service="missing"} 1
            millau_lb_waiting_requests{service="missing"} 0
            millau_lb_status{service="missing"} 1
            millau_topology_status{id="missing",mainstat="up",title="missing"} 1
            millau_topology_requests_total{id=":8080-missing",source=":8080",target="missing"} 1

            millau_lb_retries_total{service="slow"} 0
            millau_lb_retry_budget_exhausted_total{service="slow"} 0
            millau_lb_ejections_total{service="slow"} 0
            millau_lb_endpoints{service="slow",state="up"} 1
            millau_lb_endpoints{service="slow",state="recovering"} 0
            millau_lb_endpoints{service="slow",state="ejected"} 0
            millau_lb_endpoints{service="slow",state="unhealthy"} 0
            millau_lb_endpoints{service="slow",state="joining"} 0
            millau_lb_open_connections{service="slow"} 1
            millau_lb_waiting_requests{service="slow"} 0
            millau_lb_status{service="slow"} 1
            millau_topology_status{id="slow",mainstat="up",title="slow"} 1
            millau_topology_requests_total{id=":8080-slow",source=":8080",target="slow"} 0

            millau_lb_retries_total{service="stopped"} 0
            millau_lb_retry_budget_exhausted_total{service="stopped"} 0
            millau_lb_ejections_total{service="stopped"} 0
            millau_lb_endpoints{service="stopped",state="up"} 0
            millau_lb_endpoints{service="stopped",state="recovering"} 0
            millau_lb_endpoints{service="stopped",state="ejected"} 0
            millau_lb_endpoints{service="stopped",state="unhealthy"} 0
            millau_lb_endpoints{service="stopped",state="joining"} 0
            millau_lb_open_connections{service="stopped"} 0
            millau_lb_waiting_requests{service="stopped"} 0
            millau_lb_status{service="stopped"} 0
            millau_topology_status{id="stopped",mainstat="down",title="stopped"} 0
            millau_topology_requests_total{id=":8080-stopped",source=":8080",target="stopped"} 0

            millau_topology_status{id=":8080",mainstat="up",title=":8080"} 1
            millau_discovery_up{source="code"} 1
            millau_discovery_events_total{source="code"} 1
            millau_discovery_errors_total{source="code"} 0
            millau_access_log_dropped_total 0
            """;

    @Test
    void theMetricsAreThoseOfTheContract() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        start(
                Service.named("app")
                        .path("/app")
                        .endpoints(
                                endpointThatRefuses(), endpointThatSays("hello").endpoint())
                        .build(),
                Service.named("missing")
                        .path("/missing")
                        .endpoints(endpointThatResponds("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n")
                                .endpoint())
                        .build(),
                Service.named("broken")
                        .path("/broken")
                        .endpoints(endpointThatRefuses())
                        .build(),
                Service.named("slow")
                        .path("/slow")
                        .endpoints(endpointThatHangs(arrived).endpoint())
                        .build(),
                Service.named("stopped").hosts("stopped").build());

        RawClient client = client();
        assertThat(client.get("/app").body()).isEqualTo("hello");
        assertThat(client.send("POST /app HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
                        .read()
                        .body())
                .isEqualTo("hello");
        assertThat(client.send("BREW /app HTTP/1.1\r\nHost: a\r\n\r\n").read().status())
                .isEqualTo(200);
        assertThat(client.get("/missing").status()).isEqualTo(404);
        assertThat(client.get("/broken").status()).isEqualTo(502);
        assertThat(client.get("/nobody").status()).isEqualTo(502);
        client().send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
        assertThat(arrived.await(30, TimeUnit.SECONDS)).isTrue();

        List<String> contract = CONTRACT.lines()
                .filter(line -> !line.isBlank())
                .map(line -> line.replace(":8080", ":" + millau.port()))
                .toList();
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(samples()).containsExactlyInAnyOrderElementsOf(contract));
        assertThat(page())
                .contains("\nmillau_lb_request_duration_seconds_bucket{le=\"0.3\",method=\"GET\",service=\"app\"} ")
                .contains("\nmillau_lb_request_duration_seconds_bucket{le=\"1.2\",method=\"GET\",service=\"app\"} ")
                .contains("\nmillau_discovery_last_success_timestamp_seconds{source=\"code\"} ")
                .contains("\nprocess_cpu_seconds_total ")
                .doesNotContain("_created");
    }

    @Test
    void httpsHasItsOwnPortAndCertificatesHaveTheirExpiry() throws Exception {
        Certificate certificate = Authority.root("test").issue("shop.example", "*.shop.example");
        services.replace(app(endpointThatSays("hello").endpoint()).build());
        millau = closing(builder()
                .https("127.0.0.1:0")
                .certificates(new CertificateSource() {
                    @Override
                    public List<Certificate> find(String serverName) {
                        return List.of(certificate);
                    }

                    @Override
                    public Map<Certificate, String> configured() {
                        return Map.of(certificate, "test");
                    }
                })
                .listener(metrics)
                .metrics(metrics::page)
                .telemetry("127.0.0.1:0")
                .start());
        int https = millau.addresses().get(1).getPort();
        Socket socket = closing(TrustAll.context().getSocketFactory().createSocket("127.0.0.1", https));
        assertThat(new RawClient(socket).get("/").body()).isEqualTo("hello");

        String port = "port=\":" + https + "\",protocol=\"https\"";
        long expiry = certificate.expires().getEpochSecond();
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(samples())
                        .contains("millau_ingress_requests_total{method=\"GET\"," + port + "} 1")
                        .contains("millau_ingress_open_connections{" + port + "} 0")
                        .contains("millau_topology_requests_total{id=\":" + https + "-app\",source=\":" + https
                                + "\",target=\"app\"} 1")
                        .contains("millau_certificates_expiry_seconds{name=\"*.shop.example\"} " + expiry)
                        .contains("millau_certificates_expiry_seconds{name=\"shop.example\"} " + expiry));
    }

    private List<String> samples() throws Exception {
        return page().lines()
                .filter(line ->
                        line.startsWith("millau_") && !TIMES.matcher(line).matches())
                .toList();
    }

    private String page() throws Exception {
        try (RawClient telemetry = new RawClient(millau.telemetryPort())) {
            return telemetry.get("/metrics").body();
        }
    }
}
