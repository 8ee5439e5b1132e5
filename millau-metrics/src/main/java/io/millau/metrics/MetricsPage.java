package io.millau.metrics;

import io.millau.core.CertificateStatus;
import io.millau.core.EndpointStatus;
import io.millau.core.IngressStatus;
import io.millau.core.Overview;
import io.millau.core.Problem;
import io.millau.core.ServiceStatus;
import io.millau.core.SourceStatus;
import io.millau.core.TrafficListener.Ingress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the page: the counters, and the state of the overview at that moment. A part that fails is left out and logged
 * once. Safe for use by several threads.
 */
final class MetricsPage {

    private static final Logger LOG = LoggerFactory.getLogger(MetricsPage.class);
    private static final double NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Clock clock;
    private final JvmMetrics jvm = new JvmMetrics();
    private final Set<String> failed = new HashSet<>();

    MetricsPage(Clock clock) {
        this.clock = clock;
    }

    synchronized String write(
            List<IngressSeries> ingresses, List<ServiceSeries> services, @Nullable Overview overview) {
        TextFormat page = new TextFormat();
        writeBusyConnections(page, ingresses);
        if (overview != null) {
            part(page, "connections", to -> writeConnections(to, overview.ingressStatus()));
        }
        writeRequests(page, ingresses);
        writeTraffic(page, services);
        if (overview != null) {
            part(page, "services", to -> writeServices(to, ports(ingresses), services, overview));
            part(page, "certificates", to -> writeCertificates(to, overview.certificates()));
            part(page, "sources", to -> writeSources(to, overview.sources()));
            part(page, "problems", to -> writeProblems(to, overview.problems()));
            part(page, "access log", to -> {
                to.head(Metric.ACCESS_LOG_DROPPED);
                to.sample(Metric.ACCESS_LOG_DROPPED, overview.droppedLogLines());
            });
        }
        for (JvmMetrics.Part part : jvm.parts()) {
            part(page, part.name, part::write);
        }
        return page.toString();
    }

    /** Leaves out a part that fails. In a JVM without an optional module, a part may throw a LinkageError. */
    private void part(TextFormat page, String name, Consumer<TextFormat> part) {
        int before = page.length();
        try {
            part.accept(page);
        } catch (RuntimeException | LinkageError e) {
            page.cut(before);
            if (failed.add(name)) {
                LOG.warn("Metrics of {} can't be read and are left out; this is logged only once", name, e);
            }
        }
    }

    // Counters

    private static void writeBusyConnections(TextFormat page, List<IngressSeries> ingresses) {
        page.head(Metric.OPEN_CONNECTIONS);
        for (IngressSeries ingress : ingresses) {
            page.sample(Metric.OPEN_CONNECTIONS, ingress.openConnections(), ingress.port(), ingress.ingress.protocol());
        }
    }

    private static void writeConnections(TextFormat page, List<IngressStatus> status) {
        ofIngresses(page, Metric.CLIENT_CONNECTIONS, status, IngressStatus::connections);
        ofIngresses(page, Metric.MAX_CLIENT_CONNECTIONS, status, IngressStatus::maxConnections);
        ofIngresses(page, Metric.REFUSED_CONNECTIONS, status, IngressStatus::refusedConnections);
    }

    private static void ofIngresses(
            TextFormat page, Metric metric, List<IngressStatus> all, ToLongFunction<IngressStatus> value) {
        page.head(metric);
        Map<Ingress, Long> sums = new LinkedHashMap<>();
        all.forEach(status -> sums.merge(status.ingress(), value.applyAsLong(status), Long::sum));
        sums.forEach((ingress, sum) -> page.sample(metric, sum, ":" + ingress.port(), ingress.protocol()));
    }

    private static void writeRequests(TextFormat page, List<IngressSeries> ingresses) {
        ofMethods(page, Metric.REQUESTS, ingresses, IngressSeries.OfMethod::requests);
        ofMethods(page, Metric.REQUESTS_BYTES, ingresses, IngressSeries.OfMethod::requestBytes);
        ofMethods(page, Metric.RESPONSES_BYTES, ingresses, IngressSeries.OfMethod::responseBytes);
        page.head(Metric.LOCAL_RESPONSES);
        for (IngressSeries ingress : ingresses) {
            ingress.forEachLocalReason((reason, count) ->
                    page.sample(Metric.LOCAL_RESPONSES, count, ingress.port(), ingress.ingress.protocol(), reason));
        }
    }

    private static void ofMethods(
            TextFormat page,
            Metric metric,
            List<IngressSeries> ingresses,
            ToLongFunction<IngressSeries.OfMethod> value) {
        page.head(metric);
        for (IngressSeries ingress : ingresses) {
            ingress.methods.forEach((method, series) -> page.sample(
                    metric, value.applyAsLong(series), method.label(), ingress.port(), ingress.ingress.protocol()));
        }
    }

    private static void writeTraffic(TextFormat page, List<ServiceSeries> services) {
        page.head(Metric.SUCCESSFUL_REQUESTS);
        ofMethods(services, (service, method, series) -> {
            for (ServiceSeries.OfCode code : series.codes()) {
                page.sample(
                        Metric.SUCCESSFUL_REQUESTS, code.responses(), Integer.toString(code.code()), method, service);
            }
        });
        page.head(Metric.FAILED_REQUESTS);
        ofMethods(services, (service, method, series) -> {
            long count = series.failed();
            if (count > 0) {
                page.sample(Metric.FAILED_REQUESTS, count, method, service);
            }
        });
        page.head(Metric.SERVICE_REQUESTS_BYTES);
        ofMethods(
                services,
                (service, method, series) ->
                        page.sample(Metric.SERVICE_REQUESTS_BYTES, series.requestBytes(), method, service));
        page.head(Metric.SERVICE_RESPONSES_BYTES);
        ofMethods(
                services,
                (service, method, series) ->
                        page.sample(Metric.SERVICE_RESPONSES_BYTES, series.responseBytes(), method, service));
        ofServices(page, Metric.RETRIES, services, series -> series.retries.sum());
        ofServices(page, Metric.BUDGET_EXHAUSTED, services, series -> series.budgetExhausted.sum());
        ofServices(page, Metric.EJECTIONS, services, series -> series.ejections.sum());
        page.head(Metric.DURATION);
        ofMethods(services, (service, method, series) -> {
            if (series.codes().length > 0) {
                page.histogram(Metric.DURATION, series.durations, method, service);
            }
        });
    }

    private interface OfMethod {
        void write(String service, String method, ServiceSeries.OfMethod series);
    }

    private static void ofMethods(List<ServiceSeries> services, OfMethod writer) {
        for (ServiceSeries service : services) {
            service.methods.forEach((method, series) -> writer.write(service.name, method.label(), series));
        }
    }

    private static void ofServices(
            TextFormat page, Metric metric, List<ServiceSeries> services, ToLongFunction<ServiceSeries> value) {
        page.head(metric);
        for (ServiceSeries service : services) {
            page.sample(metric, value.applyAsLong(service), service.name);
        }
    }

    // Overview

    /** The combined state of all services with the same name. */
    private static final class CombinedStatus {
        final Map<EndpointStatus.State, Integer> endpoints = new EnumMap<>(EndpointStatus.State.class);
        long connections;
        long waiting;
        private boolean up;
        private boolean anyIsDown;

        /** Of several services with the same name, none with endpoints may be down: else nobody would learn of it. */
        boolean up() {
            return up && !anyIsDown;
        }

        void add(ServiceStatus status, int openConnections) {
            status.endpoints().forEach(endpoint -> endpoints.merge(endpoint.state(), 1, Integer::sum));
            connections += openConnections;
            waiting += status.waiting();
            up |= status.up();
            anyIsDown |= !status.up() && !status.endpoints().isEmpty();
        }
    }

    /** A service removed less than a minute ago is included, as down. */
    private static Map<String, CombinedStatus> statuses(List<ServiceSeries> services, Overview overview) {
        Map<String, CombinedStatus> statuses = new TreeMap<>();
        services.stream()
                .filter(ServiceSeries::declared)
                .forEach(series -> statuses.put(series.name, new CombinedStatus()));
        for (ServiceStatus status : overview.services()) {
            statuses.computeIfAbsent(status.service().name(), name -> new CombinedStatus())
                    .add(status, overview.openConnections(status.service()));
        }
        return statuses;
    }

    private static void writeServices(
            TextFormat page, Map<Integer, String> ports, List<ServiceSeries> services, Overview overview) {
        Map<String, CombinedStatus> statuses = statuses(services, overview);
        page.head(Metric.ENDPOINTS);
        statuses.forEach((service, combined) -> {
            for (EndpointStatus.State state : EndpointStatus.State.values()) {
                page.sample(
                        Metric.ENDPOINTS,
                        combined.endpoints.getOrDefault(state, 0),
                        service,
                        state.name().toLowerCase(Locale.ROOT));
            }
        });
        page.head(Metric.SERVICE_OPEN_CONNECTIONS);
        statuses.forEach(
                (service, combined) -> page.sample(Metric.SERVICE_OPEN_CONNECTIONS, combined.connections, service));
        page.head(Metric.WAITING_REQUESTS);
        statuses.forEach((service, combined) -> page.sample(Metric.WAITING_REQUESTS, combined.waiting, service));
        page.head(Metric.STATUS);
        statuses.forEach((service, combined) -> page.sample(Metric.STATUS, combined.up() ? 1 : 0, service));
        writeTopology(page, ports, services, statuses);
    }

    private static void writeTopology(
            TextFormat page,
            Map<Integer, String> ports,
            List<ServiceSeries> services,
            Map<String, CombinedStatus> statuses) {
        page.head(Metric.TOPOLOGY_STATUS);
        ports.values().forEach(port -> page.sample(Metric.TOPOLOGY_STATUS, 1, port, "up", port));
        statuses.forEach((service, combined) -> {
            if (!ports.containsValue(service)) {
                page.sample(
                        Metric.TOPOLOGY_STATUS, combined.up() ? 1 : 0, service, combined.up() ? "up" : "down", service);
            }
        });
        page.head(Metric.TOPOLOGY_REQUESTS);
        ports.forEach((index, port) -> services.stream()
                .filter(ServiceSeries::declared)
                .forEach(service -> page.sample(
                        Metric.TOPOLOGY_REQUESTS,
                        service.requestsFrom(index),
                        port + "-" + service.name,
                        port,
                        service.name)));
    }

    /** The label's values by port index. */
    private static Map<Integer, String> ports(List<IngressSeries> ingresses) {
        Map<Integer, String> ports = new TreeMap<>();
        ingresses.forEach(ingress -> ports.put(ingress.portIndex, ingress.port()));
        return ports;
    }

    private static void writeCertificates(TextFormat page, List<CertificateStatus> certificates) {
        Map<String, Instant> expiries = new TreeMap<>();
        for (CertificateStatus certificate : certificates) {
            Instant expires = certificate.expires();
            if (expires != null) {
                certificate.names().forEach(name -> expiries.merge(name, expires, MetricsPage::later));
            }
        }
        page.head(Metric.CERTIFICATES_EXPIRY);
        expiries.forEach((name, expires) -> page.sample(Metric.CERTIFICATES_EXPIRY, expires.getEpochSecond(), name));
        writeTroubles(page, certificates);
    }

    /** A name with several certificates has trouble if one of them has. A file that can't be read has the name of its folder. */
    private static void writeTroubles(TextFormat page, List<CertificateStatus> certificates) {
        Map<String, Boolean> troubles = new TreeMap<>();
        for (CertificateStatus certificate : certificates) {
            boolean isTrouble = certificate.trouble() != null && !certificate.isWaiting();
            Set<String> names = certificate.names().isEmpty() ? Set.of(certificate.origin()) : certificate.names();
            names.forEach(name -> troubles.merge(name, isTrouble, Boolean::logicalOr));
        }
        page.head(Metric.CERTIFICATES_TROUBLE);
        troubles.forEach((name, isTrouble) -> page.sample(Metric.CERTIFICATES_TROUBLE, isTrouble ? 1 : 0, name));
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }

    private void writeSources(TextFormat page, List<SourceStatus> sources) {
        Map<String, SourceStatus> named = named(sources);
        Instant now = clock.instant();
        ofSources(page, Metric.DISCOVERY_UP, named, source -> source.trouble() == null ? 1.0 : 0.0);
        ofSources(page, Metric.DISCOVERY_LAST_SUCCESS, named, source -> {
            Instant last = source.lastSuccess();
            return last == null ? null : last.toEpochMilli() / 1000.0;
        });
        ofSources(page, Metric.DISCOVERY_AGE, named, source -> {
            Instant last = source.lastSuccess();
            return last == null ? null : Math.max(0, seconds(Duration.between(last, now)));
        });
        ofSources(page, Metric.DISCOVERY_EVENTS, named, source -> (double) source.events());
        ofSources(page, Metric.DISCOVERY_ERRORS, named, source -> (double) source.errors());
        ofSources(page, Metric.DISCOVERY_SNAPSHOT_BUILD, named, source -> seconds(source.buildTime()));
    }

    private static void writeProblems(TextFormat page, List<Problem> problems) {
        Map<String, Integer> counts = new TreeMap<>();
        problems.forEach(problem -> counts.merge(problem.service(), 1, Integer::sum));
        page.head(Metric.DISCOVERY_PROBLEMS);
        counts.forEach((service, count) -> page.sample(Metric.DISCOVERY_PROBLEMS, count, service));
    }

    private static void ofSources(
            TextFormat page,
            Metric metric,
            Map<String, SourceStatus> sources,
            Function<SourceStatus, @Nullable Double> value) {
        page.head(metric);
        sources.forEach((name, source) -> {
            Double known = value.apply(source);
            if (known != null) {
                page.sample(metric, known.doubleValue(), name);
            }
        });
    }

    /** Makes the names unique: the second {@code code} becomes {@code code 2}. */
    private static Map<String, SourceStatus> named(List<SourceStatus> sources) {
        Map<String, SourceStatus> named = new LinkedHashMap<>();
        for (SourceStatus source : sources) {
            String name = source.name();
            for (int number = 2; named.containsKey(name); number++) {
                name = source.name() + " " + number;
            }
            named.put(name, source);
        }
        return named;
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / NANOS;
    }
}
