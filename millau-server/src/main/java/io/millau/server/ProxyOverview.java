package io.millau.server;

import io.millau.core.CertificateStatus;
import io.millau.core.IngressStatus;
import io.millau.core.Overview;
import io.millau.core.Problem;
import io.millau.core.Router;
import io.millau.core.Service;
import io.millau.core.ServiceStatus;
import io.millau.core.SourceStatus;
import io.millau.core.TrafficListener;
import io.millau.server.internal.frontend.ClientConnections;
import io.millau.server.internal.frontend.Listener;
import io.millau.server.internal.tls.Certificates;
import io.millau.server.internal.upstream.UpstreamPools;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The view of a running proxy that traffic listeners get. Safe for use by several threads. */
final class ProxyOverview implements Overview {

    private record Listening(
            TrafficListener.Ingress ingress, int connections, int maxConnections, long refusedConnections)
            implements IngressStatus {}

    private final List<Listener> listeners;
    private final List<TrafficListener.Ingress> ingresses;
    private final Router router;
    private final UpstreamPools upstreams;
    private final SourceAggregator services;
    private final @Nullable Certificates certificates;
    private final @Nullable AccessLog accessLog;

    ProxyOverview(
            List<Listener> listeners,
            List<TrafficListener.Ingress> ingresses,
            Router router,
            UpstreamPools upstreams,
            SourceAggregator services,
            @Nullable Certificates certificates,
            @Nullable AccessLog accessLog) {
        this.listeners = listeners;
        this.ingresses = ingresses;
        this.router = router;
        this.upstreams = upstreams;
        this.services = services;
        this.certificates = certificates;
        this.accessLog = accessLog;
    }

    @Override
    public List<TrafficListener.Ingress> ingresses() {
        return ingresses;
    }

    @Override
    public List<IngressStatus> ingressStatus() {
        List<IngressStatus> all = new ArrayList<>();
        for (int i = 0; i < ingresses.size(); i++) {
            ClientConnections clients = listeners.get(i).clients();
            all.add(new Listening(ingresses.get(i), clients.open(), clients.limit(), clients.refused()));
        }
        return all;
    }

    @Override
    public List<ServiceStatus> services() {
        return router.status();
    }

    @Override
    public int openConnections(Service service) {
        return service.endpoints().stream().mapToInt(upstreams::connections).sum();
    }

    @Override
    public List<SourceStatus> sources() {
        return services.sources();
    }

    @Override
    public List<Problem> problems() {
        List<Problem> all = new ArrayList<>(services.current().problems());
        if (certificates != null) {
            all.addAll(certificates.problems());
        }
        return all;
    }

    @Override
    public List<CertificateStatus> certificates() {
        return certificates == null ? List.of() : certificates.status();
    }

    @Override
    public long droppedLogLines() {
        return accessLog == null ? 0 : accessLog.dropped();
    }
}
