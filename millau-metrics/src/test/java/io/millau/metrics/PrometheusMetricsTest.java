package io.millau.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.CertificateStatus;
import io.millau.core.Endpoint;
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
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PrometheusMetricsTest {

    private static final Ingress INGRESS = new Ingress(8080, "http");
    private static final Endpoint ENDPOINT = Endpoint.http("task", InetAddress.getLoopbackAddress(), 80);
    private static final Service APP = Service.named("app").endpoints(ENDPOINT).build();

    private final PrometheusMetrics metrics = new PrometheusMetrics();
    private final Router router = new Router();

    @BeforeEach
    void start() {
        router.replace(List.of(APP, Service.named("idle").hosts("idle").build()));
        metrics.started(new TestOverview(router));
    }

    @Test
    void whatStandsThereFromTheStart() {
        assertThat(metrics.page())
                .contains("millau_ingress_open_connections{port=\":8080\",protocol=\"http\"} 0\n")
                .contains("millau_lb_status{service=\"app\"} 1\n")
                .contains("millau_lb_status{service=\"idle\"} 0\n")
                .contains("millau_topology_status{id=\":8080\",mainstat=\"up\",title=\":8080\"} 1\n")
                .contains("millau_topology_status{id=\"idle\",mainstat=\"down\",title=\"idle\"} 0\n")
                .contains("# TYPE millau_ingress_requests_total counter\n")
                .doesNotContain("_created");
    }

    @Test
    void aDeliveredRequest() {
        metrics.connectionBusy(INGRESS);
        metrics.requestBegan(INGRESS, "GET");
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
    void aFailedRequestIsCountedOnceAndItsRepeatsApart() {
        metrics.attemptFailed(APP, ENDPOINT, Outcome.BROKEN, true);
        metrics.attemptFailed(APP, ENDPOINT, Outcome.BROKEN, false);
        metrics.requestEnded(new Request("GET", APP, false, false, 502));

        assertThat(metrics.page())
                .contains("millau_lb_retries_total{service=\"app\"} 1\n")
                .contains("millau_lb_failed_requests_total{method=\"GET\",service=\"app\"} 1\n")
                .doesNotContain("millau_lb_successful_requests_total{");
    }

    @Test
    void aClientThatWentAwayIsNobodysFailure() {
        metrics.requestEnded(new Request("GET", APP, false, true, 200));

        assertThat(metrics.page())
                .doesNotContain("millau_lb_failed_requests_total{")
                .doesNotContain("millau_lb_successful_requests_total{");
    }

    @Test
    void aClientCannotMakeTimeSeries() {
        metrics.requestBegan(INGRESS, "BREW");
        metrics.requestBegan(INGRESS, "get");

        assertThat(metrics.page())
                .contains("millau_ingress_requests_total{method=\"OTHER\",port=\":8080\",protocol=\"http\"} 2\n");
    }

    @Test
    void aRequestThatNoServiceFits() {
        metrics.requestBegan(INGRESS, "GET");
        metrics.requestEnded(new Request("GET", null, false, false, 502));

        assertThat(metrics.page())
                .contains("millau_ingress_requests_total{method=\"GET\",port=\":8080\",protocol=\"http\"} 1\n")
                .doesNotContain("millau_lb_failed_requests_total{");
    }

    @Test
    void labelValuesAreEscaped() {
        router.replace(List.of(Service.named("a\"b\\c\nd").build()));

        assertThat(metrics.page()).contains("millau_lb_status{service=\"a\\\"b\\\\c\\nd\"} 0\n");
    }

    private record TestOverview(Router router) implements Overview {
        @Override
        public List<Ingress> ingresses() {
            return List.of(INGRESS);
        }

        @Override
        public List<ServiceStatus> services() {
            return router.status();
        }

        @Override
        public int openConnections(Service service) {
            return 0;
        }

        @Override
        public List<SourceStatus> sources() {
            return List.of();
        }

        @Override
        public List<Problem> problems() {
            return List.of();
        }

        @Override
        public List<CertificateStatus> certificates() {
            return List.of();
        }

        @Override
        public long droppedLogLines() {
            return 0;
        }
    }

    private record Request(String method, Service service, boolean delivered, boolean clientGone, int status)
            implements TrafficListener.Ended {
        @Override
        public Ingress ingress() {
            return INGRESS;
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
        public int attempts() {
            return 1;
        }

        @Override
        public long upstreamNanos() {
            return 0;
        }

        @Override
        public TrafficListener.Request request() {
            throw new UnsupportedOperationException();
        }
    }
}
