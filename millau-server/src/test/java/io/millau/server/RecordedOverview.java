package io.millau.server;

import io.millau.core.CertificateStatus;
import io.millau.core.IngressStatus;
import io.millau.core.Overview;
import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.ServiceStatus;
import io.millau.core.SourceStatus;
import io.millau.core.TrafficListener;
import java.util.List;

/** An overview whose content a test sets. */
public final class RecordedOverview implements Overview {

    public List<TrafficListener.Ingress> ingresses = List.of();
    public List<SourceStatus> sources = List.of();
    public List<CertificateStatus> certificates = List.of();

    @Override
    public List<TrafficListener.Ingress> ingresses() {
        return ingresses;
    }

    @Override
    public List<IngressStatus> ingressStatus() {
        return List.of();
    }

    @Override
    public List<ServiceStatus> services() {
        return List.of();
    }

    @Override
    public int openConnections(Service service) {
        return 0;
    }

    @Override
    public List<SourceStatus> sources() {
        return sources;
    }

    @Override
    public List<Problem> problems() {
        return List.of();
    }

    @Override
    public List<CertificateStatus> certificates() {
        return certificates;
    }

    @Override
    public long droppedLogLines() {
        return 0;
    }
}
