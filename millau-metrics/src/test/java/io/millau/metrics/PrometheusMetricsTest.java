package io.millau.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.CertificateStatus;
import io.millau.core.Delivery;
import io.millau.core.Endpoint;
import io.millau.core.IngressStatus;
import io.millau.core.Outcome;
import io.millau.core.Overview;
import io.millau.core.Problem;
import io.millau.core.Route;
import io.millau.core.Router;
import io.millau.core.Service;
import io.millau.core.ServiceStatus;
import io.millau.core.SourceStatus;
import io.millau.core.TrafficListener;
import io.millau.core.TrafficListener.Ingress;
import io.millau.core.testing.CapturedLog;
import io.millau.core.testing.MadeUpFailure;
import io.millau.core.testing.MadeUpRequest;
import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PrometheusMetricsTest {

    private static final Ingress INGRESS = new Ingress(8080, "http");
    private static final Endpoint ENDPOINT = Endpoint.http("task", InetAddress.getLoopbackAddress(), 80);
    private static final Service APP = Service.named("app").endpoints(ENDPOINT).build();

    private final AtomicLong nanos = new AtomicLong();
    private final Instant now = Instant.ofEpochMilli(1_800_000_002_500L);
    private final PrometheusMetrics metrics = new PrometheusMetrics(nanos::get, Clock.fixed(now, ZoneOffset.UTC));
    private final Router router = new Router();
    private final TestOverview overview = new TestOverview(router);

    @BeforeEach
    void start() {
        replace(APP, Service.named("idle").hosts("idle").build());
        metrics.started(overview);
    }

    @Test
    void globalSeriesExistFromTheStart() {
        assertThat(metrics.page())
                .contains("millau_ingress_open_connections{port=\":8080\",protocol=\"http\"} 0\n")
                .contains("millau_ingress_client_connections{port=\":8080\",protocol=\"http\"} 7\n")
                .contains("millau_ingress_max_client_connections{port=\":8080\",protocol=\"http\"} 100\n")
                .contains("millau_ingress_refused_connections_total{port=\":8080\",protocol=\"http\"} 2\n")
                .contains("millau_lb_status{service=\"app\"} 1\n")
                .contains("millau_lb_status{service=\"idle\"} 0\n")
                .contains("millau_topology_status{id=\":8080\",mainstat=\"up\",title=\":8080\"} 1\n")
                .contains("millau_topology_status{id=\"idle\",mainstat=\"down\",title=\"idle\"} 0\n")
                .contains("# TYPE millau_ingress_requests_total counter\n")
                .doesNotContain("_created");
    }

    /** The alert for a service without an endpoint in rotation is silent if none of its tasks runs. */
    @Test
    void problemsAreCountedByService() {
        assertThat(metrics.page()).doesNotContain("millau_discovery_problems{");
        overview.problems = List.of(
                new Problem("app", "a task does not run: task: non-zero exit (1)"),
                new Problem("idle", "millau.prot=80: unknown"),
                new Problem("app", "millau.prot=80: unknown"));
        assertThat(metrics.page())
                .contains("millau_discovery_problems{service=\"app\"} 2\n"
                        + "millau_discovery_problems{service=\"idle\"} 1\n");
    }

    @Test
    void aDeliveredRequestIsCounted() {
        metrics.connectionBusy(INGRESS);
        metrics.requestBegan(INGRESS, new MadeUpRequest("GET"));
        metrics.requestEnded(new Request("GET", APP, true, false, 404));

        assertThat(metrics.page())
                .contains("millau_ingress_open_connections{port=\":8080\",protocol=\"http\"} 1\n")
                .contains("millau_ingress_requests_total{method=\"GET\",port=\":8080\",protocol=\"http\"} 1\n")
                .contains("millau_ingress_requests_bytes_total{method=\"GET\",port=\":8080\",protocol=\"http\"} 10\n")
                .contains("millau_ingress_responses_bytes_total{method=\"GET\",port=\":8080\",protocol=\"http\"} 20\n")
                .contains("millau_lb_successful_requests_total{code=\"404\",method=\"GET\",service=\"app\"} 1\n")
                .contains("millau_lb_requests_bytes_total{method=\"GET\",service=\"app\"} 10\n")
                .contains("millau_lb_responses_bytes_total{method=\"GET\",service=\"app\"} 20\n")
                .contains("millau_lb_request_duration_seconds_bucket{le=\"0.3\",method=\"GET\",service=\"app\"} 0\n")
                .contains("millau_lb_request_duration_seconds_bucket{le=\"1.2\",method=\"GET\",service=\"app\"} 1\n")
                .contains("millau_lb_request_duration_seconds_count{method=\"GET\",service=\"app\"} 1\n")
                .contains("millau_topology_requests_total{id=\":8080-app\",source=\":8080\",target=\"app\"} 1\n")
                .doesNotContain("millau_lb_failed_requests_total{");

        metrics.connectionIdle(INGRESS);
        assertThat(metrics.page()).contains("millau_ingress_open_connections{port=\":8080\",protocol=\"http\"} 0\n");
    }

    @Test
    void aFailedRequestIsCountedOnceAndItsRetriesSeparately() {
        metrics.attemptFailed(new MadeUpFailure(APP, ENDPOINT, true));
        metrics.attemptFailed(new MadeUpFailure(APP, ENDPOINT, false));
        metrics.requestEnded(new Request("GET", APP, false, false, 502));

        assertThat(metrics.page())
                .contains("millau_lb_retries_total{service=\"app\"} 1\n")
                .contains("millau_lb_failed_requests_total{method=\"GET\",service=\"app\"} 1\n")
                .doesNotContain("millau_lb_successful_requests_total{");
    }

    @Test
    void aClientThatLeavesIsNotAFailure() {
        metrics.requestEnded(new Request("GET", APP, false, true, 200));

        assertThat(metrics.page())
                .doesNotContain("millau_lb_failed_requests_total{")
                .doesNotContain("millau_lb_successful_requests_total{");
    }

    @Test
    void aClientCannotCreateTimeSeries() {
        metrics.requestBegan(INGRESS, new MadeUpRequest("BREW"));
        metrics.requestBegan(INGRESS, new MadeUpRequest("get"));

        assertThat(metrics.page())
                .contains("millau_ingress_requests_total{method=\"OTHER\",port=\":8080\",protocol=\"http\"} 2\n");
    }

    @Test
    void aRequestWithoutAMatchingServiceIsCounted() {
        metrics.requestBegan(INGRESS, new MadeUpRequest("GET"));
        metrics.requestEnded(new Request("GET", null, false, false, 502));

        assertThat(metrics.page())
                .contains("millau_ingress_requests_total{method=\"GET\",port=\":8080\",protocol=\"http\"} 1\n")
                .doesNotContain("millau_lb_failed_requests_total{");
    }

    @Test
    void labelValuesAreEscaped() {
        replace(Service.named("a\"b\\c\nd").build());

        assertThat(metrics.page()).contains("millau_lb_status{service=\"a\\\"b\\\\c\\nd\"} 0\n");
    }

    @Test
    void seriesOfServicesExistFromTheStart() {
        assertThat(lines("service=\"app\""))
                .containsExactlyInAnyOrder(
                        "millau_lb_retries_total{service=\"app\"} 0",
                        "millau_lb_retry_budget_exhausted_total{service=\"app\"} 0",
                        "millau_lb_ejections_total{service=\"app\"} 0",
                        "millau_lb_endpoints{service=\"app\",state=\"up\"} 1",
                        "millau_lb_endpoints{service=\"app\",state=\"recovering\"} 0",
                        "millau_lb_endpoints{service=\"app\",state=\"ejected\"} 0",
                        "millau_lb_endpoints{service=\"app\",state=\"unhealthy\"} 0",
                        "millau_lb_endpoints{service=\"app\",state=\"joining\"} 0",
                        "millau_lb_open_connections{service=\"app\"} 3",
                        "millau_lb_waiting_requests{service=\"app\"} 0",
                        "millau_lb_status{service=\"app\"} 1");
        assertThat(lines("millau_topology_requests_total"))
                .containsExactly(
                        "millau_topology_requests_total{id=\":8080-app\",source=\":8080\",target=\"app\"} 0",
                        "millau_topology_requests_total{id=\":8080-idle\",source=\":8080\",target=\"idle\"} 0");
    }

    /** That of another Compose project was up, and no alert could tell. */
    @Test
    void ofServicesWithOneNameEachThatHasEndpointsHasToBeUp() {
        Endpoint other = Endpoint.http("other", InetAddress.getLoopbackAddress(), 81);
        Service shop = Service.named("web")
                .id("compose:shop/web")
                .hosts("shop")
                .endpoints(ENDPOINT)
                .build();
        Service blog = Service.named("web")
                .id("compose:blog/web")
                .hosts("blog")
                .endpoints(other)
                .build();
        Service scaledToNone = Service.named("web").id("compose:old/web").build();
        replace(shop, blog, scaledToNone);
        assertThat(metrics.page()).contains("millau_lb_status{service=\"web\"} 1\n");

        Delivery delivery = router.open("blog", "/", "GET");
        assertThat(delivery.next()).isEqualTo(other);
        delivery.report(Outcome.BROKEN);
        assertThat(metrics.page()).contains("millau_lb_status{service=\"web\"} 0\n");
    }

    @Test
    void ejectionsAndRetriesBeyondTheBudgetAreCounted() {
        metrics.endpointEjected(APP, ENDPOINT, "refused");
        metrics.retriesExhausted(APP);
        metrics.retriesExhausted(APP);

        assertThat(metrics.page())
                .contains("millau_lb_ejections_total{service=\"app\"} 1\n")
                .contains("millau_lb_retry_budget_exhausted_total{service=\"app\"} 2\n");
    }

    @Test
    void sourcesCertificatesAndDroppedLogLinesAreShown() {
        overview.sources = List.of(
                SourceStatus.of("Docker", Instant.ofEpochSecond(1_800_000_000), null, 7, 1, Duration.ofMillis(1500)),
                SourceStatus.of("code", null, "is away", 0, 2, Duration.ZERO),
                SourceStatus.of("code", null, null, 0, 0, Duration.ZERO));
        overview.certificates = List.of(
                certificate(1_900_000_000L, "shop.example", "*.shop.example"),
                certificate(1_800_000_000L, "shop.example"),
                certificate(null, "missing.example"),
                CertificateStatus.of(Set.of("failing.example"), "ACME", null, null, null, "rejected"),
                CertificateStatus.of(Set.of(), "/certs", null, null, null, "x.crt has no x.key"),
                CertificateStatus.waiting(Set.of("idle.example"), "ACME", "an instance"));
        overview.droppedLogLines = 4;

        assertThat(lines("millau_discovery"))
                .containsExactly(
                        "millau_discovery_up{source=\"Docker\"} 1",
                        "millau_discovery_up{source=\"code\"} 0",
                        "millau_discovery_up{source=\"code 2\"} 1",
                        "millau_discovery_last_success_timestamp_seconds{source=\"Docker\"} 1800000000",
                        "millau_discovery_age_seconds{source=\"Docker\"} 2.5",
                        "millau_discovery_events_total{source=\"Docker\"} 7",
                        "millau_discovery_events_total{source=\"code\"} 0",
                        "millau_discovery_events_total{source=\"code 2\"} 0",
                        "millau_discovery_errors_total{source=\"Docker\"} 1",
                        "millau_discovery_errors_total{source=\"code\"} 2",
                        "millau_discovery_errors_total{source=\"code 2\"} 0",
                        "millau_discovery_snapshot_build_seconds{source=\"Docker\"} 1.5",
                        "millau_discovery_snapshot_build_seconds{source=\"code\"} 0",
                        "millau_discovery_snapshot_build_seconds{source=\"code 2\"} 0");
        assertThat(lines("millau_certificates"))
                .containsExactly(
                        "millau_certificates_expiry_seconds{name=\"*.shop.example\"} 1900000000",
                        "millau_certificates_expiry_seconds{name=\"shop.example\"} 1900000000",
                        "millau_certificates_trouble{name=\"*.shop.example\"} 0",
                        "millau_certificates_trouble{name=\"/certs\"} 1",
                        "millau_certificates_trouble{name=\"failing.example\"} 1",
                        "millau_certificates_trouble{name=\"idle.example\"} 0",
                        "millau_certificates_trouble{name=\"missing.example\"} 0",
                        "millau_certificates_trouble{name=\"shop.example\"} 0");
        assertThat(lines("millau_access_log")).containsExactly("millau_access_log_dropped_total 4");
    }

    @Test
    void processAndJvmMetricsAreShown() {
        assertThat(metrics.page())
                .contains("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total ")
                .contains("\nprocess_start_time_seconds ")
                .contains("\njvm_memory_bytes_used{area=\"heap\"} ")
                .contains("\njvm_threads_current ")
                .contains("# TYPE jvm_info gauge\njvm_info{runtime=");
    }

    // Removed services

    @Test
    void aRemovedServiceIsDownForAMinuteAndThenItsSeriesEnd() {
        metrics.requestEnded(new Request("GET", APP, true, false, 200));
        replace();
        seconds(60);
        assertThat(metrics.page())
                .contains("millau_lb_status{service=\"app\"} 0\n")
                .contains("millau_lb_endpoints{service=\"app\",state=\"up\"} 0\n")
                .contains("millau_lb_successful_requests_total{code=\"200\",method=\"GET\",service=\"app\"} 1\n");

        seconds(1);
        assertThat(metrics.page()).doesNotContain("\"app\"").contains("millau_ingress_requests_bytes_total{");
    }

    @Test
    void aServiceThatReturnsWithinTheMinuteKeepsItsCounts() {
        metrics.attemptFailed(new MadeUpFailure(APP, ENDPOINT, true));
        replace();
        seconds(59);
        metrics.page();
        Service again = Service.named("app").endpoints(ENDPOINT).path("/new").build();
        replace(again);
        seconds(3600);
        metrics.attemptFailed(new MadeUpFailure(again, ENDPOINT, true));

        assertThat(metrics.page()).contains("millau_lb_retries_total{service=\"app\"} 2\n");
    }

    @Test
    void aRequestThatBeganBeforeAChangeCountsForTheChangedService() {
        Service changed = Service.named("app").endpoints(ENDPOINT).path("/new").build();
        replace(changed);
        metrics.requestEnded(new Request("GET", APP, true, false, 200));
        metrics.requestEnded(new Request("GET", changed, true, false, 200));

        assertThat(metrics.page())
                .contains("millau_lb_successful_requests_total{code=\"200\",method=\"GET\",service=\"app\"} 2\n");
    }

    @Test
    void aRequestThatEndsAfterItsServiceWasRemovedIsShownForAMinuteWithoutAStatus() {
        replace();
        metrics.page();
        seconds(61);
        metrics.page();
        metrics.requestEnded(new Request("GET", APP, true, false, 200));

        assertThat(lines("\"app\""))
                .contains("millau_lb_successful_requests_total{code=\"200\",method=\"GET\",service=\"app\"} 1")
                .noneMatch(line -> line.startsWith("millau_lb_status") || line.startsWith("millau_topology"));
        seconds(61);
        assertThat(lines("\"app\"")).isEmpty();
    }

    @Test
    void removedServicesAreForgottenEvenWithoutScrapes() {
        for (int i = 0; i < 1000; i++) {
            Service service = Service.named("job-" + i).build();
            replace(service);
            metrics.requestEnded(new Request("GET", service, false, false, 502));
            seconds(1);
        }
        assertThat(lines("millau_lb_retries_total")).hasSizeBetween(60, 63);
    }

    // Unusual methods, names and addresses

    @Test
    void aThousandMethodsAreOneSeries() {
        for (int i = 0; i < 1000; i++) {
            metrics.requestBegan(INGRESS, new MadeUpRequest("X" + i + "\"\n"));
            metrics.requestEnded(new Request("X" + i + "\"\n", APP, true, false, 200));
        }
        metrics.requestBegan(INGRESS, new MadeUpRequest(new String("GET")));
        metrics.requestBegan(INGRESS, new MadeUpRequest("VERSION-CONTROL"));

        assertThat(lines("millau_ingress_requests_total"))
                .containsExactly(
                        "millau_ingress_requests_total{method=\"GET\",port=\":8080\",protocol=\"http\"} 1",
                        "millau_ingress_requests_total{method=\"VERSION-CONTROL\",port=\":8080\",protocol=\"http\"} 1",
                        "millau_ingress_requests_total{method=\"OTHER\",port=\":8080\",protocol=\"http\"} 1000");
        assertThat(lines("millau_lb_successful_requests_total"))
                .containsExactly(
                        "millau_lb_successful_requests_total{code=\"200\",method=\"OTHER\",service=\"app\"} 1000");
    }

    @Test
    void eachSeriesHasOneSample() {
        Ingress[] ingresses = {
            INGRESS, new Ingress(8080, "http"), new Ingress(8080, "https"), new Ingress(8443, "https")
        };
        overview.ingresses = List.of(ingresses);
        metrics.started(overview);
        Service port = Service.named(":8080").build();
        Service twin = Service.named("app").id("twin").hosts("twin").build();
        replace(APP, port, twin);
        for (Ingress ingress : ingresses) {
            metrics.requestBegan(ingress, new MadeUpRequest("GET"));
            for (Service service : List.of(APP, port, twin)) {
                metrics.requestEnded(new Request("GET", service, true, false, 200, ingress));
            }
        }

        assertThat(Arrays.stream(metrics.page().split("\n"))
                        .filter(line -> !line.startsWith("#"))
                        .map(line -> line.substring(0, line.lastIndexOf(' '))))
                .doesNotHaveDuplicates();
        assertThat(metrics.page())
                .contains("millau_ingress_requests_total{method=\"GET\",port=\":8080\",protocol=\"http\"} 2\n")
                .contains("millau_topology_requests_total{id=\":8080-app\",source=\":8080\",target=\"app\"} 6\n")
                .contains("millau_topology_requests_total{id=\":8443-app\",source=\":8443\",target=\"app\"} 2\n");
    }

    /** Prometheus exposition format 0.0.4. */
    @Test
    void everyLineIsWellFormedWithHostileNames() {
        for (String name : List.of("a b", "{}", "x=\"y\"", "\\", "\n# TYPE a b", "päßword", "\"} 1\nhacked 1")) {
            Service service = Service.named(name).build();
            replace(service);
            metrics.requestEnded(new Request("GET", service, true, false, 200));
            metrics.requestEnded(new Request("GET", service, false, false, 502));
            String label = "[a-z]+=\"(?:[^\\\\\"\n]|\\\\[\\\\\"n])*\"";
            String sample = "[a-z_]+(\\{" + label + "(," + label + ")*\\})? [-+0-9.EINFNa]+";
            assertThat(metrics.page().split("\n"))
                    .allMatch(line -> line.matches("# (HELP|TYPE) [a-z_]+ .+") || line.matches(sample))
                    .noneMatch(line -> line.startsWith("hacked"));
        }
    }

    // Failures

    @Test
    void aFailingPartIsLoggedOnceAndLeftOut() {
        overview.failure = new IllegalStateException("certificates are away");
        try (CapturedLog log = new CapturedLog()) {
            for (int i = 0; i < 3; i++) {
                assertThat(metrics.page())
                        .contains("millau_lb_status{service=\"app\"} 1\n")
                        .contains("millau_discovery_up")
                        .contains("process_start_time_seconds")
                        .doesNotContain("millau_certificates");
            }
            assertThat(log.about("Metrics of certificates can't be read")).hasSize(1);
        }
        overview.failure = null;
        assertThat(metrics.page()).contains("millau_certificates");
    }

    @Test
    void thePageWorksBeforeTheStart() {
        assertThat(new PrometheusMetrics().page())
                .contains("# TYPE millau_ingress_requests_total counter\n")
                .contains("process_start_time_seconds")
                .doesNotContain("millau_lb_status");
    }

    @Test
    void noCountIsLostDuringChangesAndScrapes() throws Exception {
        int each = 20_000;
        List<Thread> threads = new ArrayList<>();
        AtomicBoolean over = new AtomicBoolean();
        List<Throwable> failures = new CopyOnWriteArrayList<>();
        for (int i = 0; i < 4; i++) {
            int code = 200 + i;
            threads.add(new Thread(() -> {
                for (int n = 0; n < each; n++) {
                    metrics.connectionBusy(INGRESS);
                    metrics.requestBegan(INGRESS, new MadeUpRequest("GET"));
                    metrics.requestEnded(new Request("GET", APP, true, false, code + n % 50));
                    metrics.connectionIdle(INGRESS);
                }
            }));
        }
        Thread change = new Thread(() -> {
            while (!over.get()) {
                replace(Service.named("app").endpoints(ENDPOINT).build());
                metrics.page();
                seconds(61);
            }
        });
        List<Thread> all = new ArrayList<>(threads);
        all.add(change);
        all.forEach(thread -> thread.setUncaughtExceptionHandler((t, failure) -> failures.add(failure)));
        all.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        over.set(true);
        change.join();

        assertThat(failures).isEmpty();
        assertThat(sum("millau_lb_successful_requests_total")).isEqualTo(4 * each);
        assertThat(sum("millau_topology_requests_total")).isEqualTo(4 * each);
        assertThat(sum("millau_lb_request_duration_seconds_count")).isEqualTo(4 * each);
        assertThat(sum("millau_ingress_requests_total")).isEqualTo(4 * each);
        assertThat(sum("millau_ingress_open_connections")).isZero();
    }

    private long sum(String metric) {
        return lines(metric + "{").stream()
                .mapToLong(line -> Long.parseLong(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    private List<String> lines(String part) {
        return Arrays.stream(metrics.page().split("\n"))
                .filter(line -> !line.startsWith("#") && line.contains(part))
                .toList();
    }

    private void replace(Service... services) {
        router.replace(List.of(services));
        metrics.servicesReplaced(List.of(services));
    }

    private void seconds(int seconds) {
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
    }

    private static CertificateStatus certificate(Long expires, String... names) {
        return CertificateStatus.of(
                Set.of(names), "test", null, expires == null ? null : Instant.ofEpochSecond(expires), null, null);
    }

    private record Busy(Ingress ingress, int connections, int maxConnections, long refusedConnections)
            implements IngressStatus {}

    private static final class TestOverview implements Overview {
        private List<Problem> problems = List.of();
        private final Router router;
        private List<Ingress> ingresses = List.of(INGRESS);
        private List<SourceStatus> sources = List.of();
        private List<CertificateStatus> certificates = List.of();
        private RuntimeException failure;
        private long droppedLogLines;

        TestOverview(Router router) {
            this.router = router;
        }

        @Override
        public List<Ingress> ingresses() {
            return ingresses;
        }

        @Override
        public List<IngressStatus> ingressStatus() {
            return ingresses.stream()
                    .<IngressStatus>map(ingress -> new Busy(ingress, 7, 100, 2))
                    .toList();
        }

        @Override
        public List<ServiceStatus> services() {
            return router.status();
        }

        @Override
        public int openConnections(Service service) {
            return 3;
        }

        @Override
        public List<SourceStatus> sources() {
            return sources;
        }

        @Override
        public List<Problem> problems() {
            return problems;
        }

        @Override
        public List<CertificateStatus> certificates() {
            if (failure != null) {
                throw failure;
            }
            return certificates;
        }

        @Override
        public long droppedLogLines() {
            return droppedLogLines;
        }
    }

    private record Request(
            String method, Service service, boolean delivered, boolean clientGone, int status, Ingress ingress)
            implements TrafficListener.Ended {

        Request(String method, Service service, boolean delivered, boolean clientGone, int status) {
            this(method, service, delivered, clientGone, status, INGRESS);
        }

        @Override
        public long queueNanos() {
            return 0;
        }

        @Override
        public long connectNanos() {
            return 0;
        }

        @Override
        public long firstByteNanos() {
            return 0;
        }

        @Override
        public long attemptNanos() {
            return 0;
        }

        @Override
        public long requestBytes() {
            return 10;
        }

        @Override
        public long responseBytes() {
            return 20;
        }

        @Override
        public long nanos() {
            return 500_000_000;
        }

        @Override
        public Route route() {
            return null;
        }

        @Override
        public Endpoint endpoint() {
            return null;
        }

        @Override
        public TrafficListener.@Nullable LocalReason localReason() {
            return null;
        }

        @Override
        public int attempts() {
            return 1;
        }

        @Override
        public long upstreamNanos() {
            return 0;
        }

        @Override
        public io.millau.core.Request request() {
            throw new UnsupportedOperationException();
        }
    }
}
