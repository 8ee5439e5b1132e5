package io.millau.metrics;

import io.millau.core.Endpoint;
import io.millau.core.Outcome;
import io.millau.core.Overview;
import io.millau.core.Service;
import io.millau.core.ServiceStatus;
import io.millau.core.TrafficListener;
import io.prometheus.client.Collector;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;
import io.prometheus.client.Histogram;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Counts what happens to requests for Prometheus, in a registry of its own. Safe for use by several threads.
 *
 * <pre>{@code
 * PrometheusMetrics metrics = new PrometheusMetrics();
 * Millau.builder().listener(metrics).telemetry(":9100").metrics(metrics::page)
 * }</pre>
 */
public final class PrometheusMetrics implements TrafficListener {

    private static final double NANOS = 1e9;

    private final CollectorRegistry registry = new CollectorRegistry();

    private final Gauge openConnections = Gauge.build(
                    "millau_ingress_open_connections", "Connections with a request in progress, or upgraded.")
            .labelNames("port", "protocol")
            .register(registry);
    private final Counter requests =
            counter("millau_ingress_requests", "Requests that came in.", "method", "port", "protocol");
    private final Counter requestsBytes =
            counter("millau_ingress_requests_bytes", "Bytes of the bodies of requests.", "method", "port", "protocol");
    private final Counter responsesBytes =
            counter("millau_ingress_responses_bytes", "Bytes of the bodies of answers.", "method", "port", "protocol");

    private final Counter successful = counter(
            "millau_lb_successful_requests", "Answers of a service that were passed on.", "code", "method", "service");
    private final Counter failed =
            counter("millau_lb_failed_requests", "Requests that no answer could be had for.", "method", "service");
    private final Counter serviceRequestsBytes =
            counter("millau_lb_requests_bytes", "Bytes of the bodies of requests to a service.", "method", "service");
    private final Counter serviceResponsesBytes =
            counter("millau_lb_responses_bytes", "Bytes of the bodies of a service's answers.", "method", "service");
    private final Counter retries =
            counter("millau_lb_retries", "Attempts at a service that had to be repeated.", "service");
    private final Histogram duration = Histogram.build(
                    "millau_lb_request_duration_seconds", "From a request's head to the end of its answer.")
            .buckets(0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 0.6, 1.2, 2.5, 5, 10, 30)
            .labelNames("method", "service")
            .withoutExemplars()
            .register(registry);
    private final Counter topologyRequests =
            counter("millau_topology_requests", "Requests from a port to a service.", "id", "source", "target");

    private final List<Series.OfIngress> series = new CopyOnWriteArrayList<>();
    private volatile @Nullable Overview overview;

    /** Metrics that are all 0. */
    public PrometheusMetrics() {}

    private Counter counter(String name, String help, String... labels) {
        return Counter.build(name, help).labelNames(labels).withoutExemplars().register(registry);
    }

    @Override
    public void started(Overview overview) {
        this.overview = overview;
        overview.ingresses().forEach(this::series);
    }

    @Override
    public void connectionBusy(Ingress ingress) {
        series(ingress).openConnections().inc();
    }

    @Override
    public void connectionIdle(Ingress ingress) {
        series(ingress).openConnections().dec();
    }

    @Override
    public void requestBegan(Ingress ingress, String method) {
        series(ingress).methods().get(method).requests().inc();
    }

    @Override
    public void attemptFailed(Service service, Endpoint endpoint, Outcome outcome, boolean repeated) {
        if (repeated) {
            retries.labels(service.name()).inc();
        }
    }

    @Override
    public void requestEnded(Ended request) {
        String method = request.method();
        Series.OfIngress ingress = series(request.ingress());
        Series.OfIngressMethod came = ingress.methods().get(method);
        add(came.requestsBytes(), request.requestBytes());
        add(came.responsesBytes(), request.responseBytes());
        Service service = request.service();
        if (service != null) {
            count(request, route(ingress, request.ingress(), service.name()), method, service.name());
        }
    }

    private void count(Ended request, Series.OfRoute route, String method, String service) {
        route.requests().inc();
        Series.OfServiceMethod went = route.methods().get(method);
        add(went.requestsBytes(), request.requestBytes());
        add(went.responsesBytes(), request.responseBytes());
        if (request.delivered()) {
            Series.Delivered delivered = route.delivered().get(method);
            delivered.code(request.status()).inc();
            delivered.duration().observe(request.nanos() / NANOS);
        } else if (!request.clientGone()) {
            failed.labels(Series.method(method), service).inc();
        }
    }

    private static void add(Counter.Child counter, long bytes) {
        if (bytes > 0) {
            counter.inc(bytes);
        }
    }

    private Series.OfIngress series(Ingress ingress) {
        for (Series.OfIngress known : series) {
            if (known.port() == ingress.port() && known.protocol().equals(ingress.protocol())) {
                return known;
            }
        }
        Series.OfIngress made = make(ingress);
        series.add(made);
        return made;
    }

    private Series.OfIngress make(Ingress ingress) {
        String port = port(ingress);
        String protocol = ingress.protocol();
        return new Series.OfIngress(
                ingress.port(),
                protocol,
                openConnections.labels(port, protocol),
                new Series.ByMethod<>(method -> new Series.OfIngressMethod(
                        requests.labels(method, port, protocol),
                        requestsBytes.labels(method, port, protocol),
                        responsesBytes.labels(method, port, protocol))),
                new ConcurrentHashMap<>());
    }

    private Series.OfRoute route(Series.OfIngress series, Ingress ingress, String service) {
        Series.OfRoute known = series.services().get(service);
        return known != null ? known : series.services().computeIfAbsent(service, name -> make(port(ingress), name));
    }

    private Series.OfRoute make(String port, String service) {
        return new Series.OfRoute(
                topologyRequests.labels(port + "-" + service, port, service),
                new Series.ByMethod<>(method -> new Series.OfServiceMethod(
                        serviceRequestsBytes.labels(method, service), serviceResponsesBytes.labels(method, service))),
                new Series.ByMethod<>(method -> new Series.Delivered(
                        duration.labels(method, service), code -> successful.labels(code, method, service))));
    }

    private static String port(Ingress ingress) {
        return ":" + ingress.port();
    }

    /** All metrics in Prometheus' text format. */
    public String page() {
        TextFormat page = new TextFormat();
        for (Collector.MetricFamilySamples family : Collections.list(registry.metricFamilySamples())) {
            page.write(family);
        }
        writeStatus(page);
        return page.toString();
    }

    /** What is read off the router rather than counted. */
    private void writeStatus(TextFormat page) {
        Overview known = overview;
        TreeMap<String, Boolean> up = new TreeMap<>();
        if (known != null) {
            for (ServiceStatus status : known.services()) {
                up.merge(status.service().name(), status.up(), Boolean::logicalOr);
            }
        }
        page.head("millau_lb_status", "Whether a service has an instance in rotation.", "gauge");
        up.forEach(
                (service, isUp) -> page.sample("millau_lb_status", List.of("service"), List.of(service), isUp ? 1 : 0));
        page.head("millau_topology_status", "A node for each port and each service.", "gauge");
        for (Ingress ingress : known == null ? List.<Ingress>of() : known.ingresses()) {
            node(page, port(ingress), true);
        }
        up.forEach((service, isUp) -> node(page, service, isUp));
    }

    private static void node(TextFormat page, String name, boolean up) {
        page.sample(
                "millau_topology_status",
                List.of("id", "mainstat", "title"),
                List.of(name, up ? "up" : "down", name),
                up ? 1 : 0);
    }
}
