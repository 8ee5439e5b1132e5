package io.millau.server.internal.status;

import io.millau.core.CertificateStatus;
import io.millau.core.Endpoint;
import io.millau.core.EndpointStatus;
import io.millau.core.Overview;
import io.millau.core.Problem;
import io.millau.core.Route;
import io.millau.core.Service;
import io.millau.core.ServiceStatus;
import io.millau.core.SourceStatus;
import io.millau.core.TrafficListener;
import io.millau.core.internal.ClosedService;
import io.millau.core.internal.Labels;
import io.millau.core.internal.SharedRoutes;
import io.millau.server.internal.text.JsonText;
import io.millau.server.internal.text.Trust;
import io.millau.server.internal.text.Version;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The status page's data as JSON; {@code docs/reference/status.md} documents it. For one thread at a time. */
final class StatusJson {

    private final Overview overview;
    private final LiveTraffic traffic;
    private final ChangeHistory history;
    private final Clock clock;
    private final String host;
    private final Trust trust;
    private final SoleClient soleClient;
    private final Instant started;

    StatusJson(
            Overview overview,
            LiveTraffic traffic,
            ChangeHistory history,
            Clock clock,
            String host,
            Trust trust,
            SoleClient soleClient) {
        this.overview = overview;
        this.traffic = traffic;
        this.history = history;
        this.clock = clock;
        this.host = host;
        this.trust = trust;
        this.soleClient = soleClient;
        this.started = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    }

    /** @param up whether Millau is up */
    String text(boolean up) {
        Instant now = clock.instant();
        JsonText json = new JsonText(new StringBuilder(8192)).beginObject();
        json.name("version").value(Version.VERSION);
        json.name("host").value(host);
        json.name("up").value(up);
        json.name("now").value(now.truncatedTo(ChronoUnit.MILLIS));
        json.name("started").value(started);
        json.name("ports").beginArray();
        for (TrafficListener.Ingress ingress : traffic.ingresses()) {
            json.beginObject().name("port").value(port(ingress));
            json.name("protocol").value(ingress.protocol()).endObject();
        }
        json.endArray();
        json.name("trusted").value(trust.forwarding().toString());
        json.name("proxyProtocol").value(trust.proxyProtocol().toString());
        json.name("soleClient").value(soleClient.address());
        json.name("unmatchedPerSecond").value(traffic.unmatchedPerSecond());
        json.name("services").beginArray();
        List<ServiceStatus> services = overview.services();
        SharedRoutes shared =
                new SharedRoutes(services.stream().map(ServiceStatus::service).toList());
        for (ServiceStatus service : services) {
            service(json, service, shared, now);
        }
        json.endArray().name("certificates").beginArray();
        overview.certificates().forEach(certificate -> certificate(json, certificate));
        json.endArray().name("sources").beginArray();
        overview.sources().forEach(source -> source(json, source));
        json.endArray().name("problems").beginArray();
        for (Problem problem : overview.problems()) {
            json.beginObject().name("service").value(problem.service());
            json.name("message").value(problem.message());
            json.name("hosts").values(problem.hosts());
            json.name("ofInstance").value(problem.ofInstance()).endObject();
        }
        json.endArray().name("changes").beginArray();
        for (ChangeHistory.Change change : history.last()) {
            json.beginObject().name("at").value(change.at().truncatedTo(ChronoUnit.MILLIS));
            json.name("trouble").value(change.isTrouble());
            json.name("text").value(change.text()).endObject();
        }
        return json.endArray().endObject().toString();
    }

    private static String port(TrafficListener.Ingress ingress) {
        return ":" + ingress.port();
    }

    private void service(JsonText json, ServiceStatus status, SharedRoutes shared, Instant now) {
        Service service = status.service();
        LiveTraffic.OfService counted = traffic.of(service);
        json.beginObject();
        json.name("id").value(service.id());
        json.name("name").value(service.name());
        json.name("up").value(status.up());
        json.name("closed").value(ClosedService.is(service));
        json.name("hosts").values(service.hosts());
        json.name("path").value(service.path());
        json.name("sharesWith").values(shared.namesBeside(service));
        json.name("weight").value(service.weight());
        json.name("timeoutSeconds").value(seconds(service.timeout()));
        json.name("retrySeconds").value(seconds(service.retry()));
        json.name("filters").values(Labels.ALL.effects(service));
        json.name("openConnections").value(overview.openConnections(service));
        json.name("waitingRequests").value(status.waiting());
        rates(json, counted == null ? null : counted.requests, counted == null ? null : counted.errors);
        quantile(json, "p50Millis", counted, 0.5);
        quantile(json, "p99Millis", counted, 0.99);
        json.name("routes").beginArray();
        service.hosts().forEach(host -> route(json, new Route(host, service.path()), counted));
        json.endArray().name("endpoints").beginArray();
        for (EndpointStatus endpoint : status.endpoints()) {
            endpoint(json, endpoint, counted, now);
        }
        json.endArray().endObject();
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }

    private static void rates(JsonText json, @Nullable Meter requests, @Nullable Meter errors) {
        double perSecond = requests == null ? 0 : requests.perSecond();
        double failing = errors == null ? 0 : errors.perSecond();
        json.name("requestsPerSecond").value(perSecond);
        json.name("errorShare").value(perSecond == 0 ? 0 : Math.min(1, failing / perSecond));
    }

    private static void quantile(JsonText json, String name, LiveTraffic.@Nullable OfService counted, double part) {
        Double millis = counted == null ? null : counted.latencies.quantile(part);
        json.name(name);
        if (millis == null) {
            json.value((String) null);
        } else {
            json.value(millis);
        }
    }

    /** A route, with the rate of its requests by port. */
    private void route(JsonText json, Route route, LiveTraffic.@Nullable OfService counted) {
        json.beginObject().name("host").value(route.host()).name("path").value(route.path());
        json.name("requestsPerSecond").beginObject();
        Meter[] ways = counted == null ? new Meter[0] : counted.route(route);
        List<TrafficListener.Ingress> ingresses = traffic.ingresses();
        Map<String, Double> byPort = new LinkedHashMap<>(); // several addresses may have the same port
        for (int i = 0; i < ways.length; i++) {
            byPort.merge(port(ingresses.get(i)), ways[i].perSecond(), Double::sum);
        }
        byPort.forEach((port, perSecond) -> json.name(port).value(perSecond));
        json.endObject().endObject();
    }

    private static void endpoint(
            JsonText json, EndpointStatus status, LiveTraffic.@Nullable OfService counted, Instant now) {
        Endpoint endpoint = status.endpoint();
        LiveTraffic.OfEndpoint of = counted == null ? null : counted.endpoint(endpoint);
        json.beginObject();
        json.name("id").value(endpoint.id());
        json.name("url").value(endpoint.toString());
        json.name("state").value(status.state().name().toLowerCase(Locale.ROOT));
        json.name("since").value(now.minus(status.age()).truncatedTo(ChronoUnit.SECONDS));
        json.name("reason").value(status.reason());
        json.name("openRequests").value(status.openRequests());
        rates(json, of == null ? null : of.requests, of == null ? null : of.errors);
        json.endObject();
    }

    private static void certificate(JsonText json, CertificateStatus certificate) {
        json.beginObject();
        json.name("names").values(certificate.names().stream().sorted().toList());
        json.name("origin").value(certificate.origin());
        json.name("issuer").value(certificate.issuer());
        json.name("expires").value(certificate.expires());
        json.name("renewal").value(certificate.renewal());
        json.name("trouble").value(certificate.trouble()).endObject();
    }

    private static void source(JsonText json, SourceStatus source) {
        json.beginObject();
        json.name("name").value(source.name());
        json.name("up").value(source.trouble() == null && source.lastSuccess() != null);
        Instant last = source.lastSuccess();
        json.name("lastSuccess").value(last == null ? null : last.truncatedTo(ChronoUnit.MILLIS));
        json.name("trouble").value(source.trouble());
        json.name("events").value(source.events());
        json.name("errors").value(source.errors());
        json.name("buildMillis").value(source.buildTime().toNanos() / 1e6).endObject();
    }
}
