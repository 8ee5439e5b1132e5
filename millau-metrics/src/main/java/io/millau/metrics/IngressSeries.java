package io.millau.metrics;

import io.millau.core.TrafficListener.Ingress;
import java.util.concurrent.atomic.LongAdder;

/** What is counted of an address that Millau listens on. */
final class IngressSeries {

    final Ingress ingress;

    /** Which of the ports it is; addresses may share one. */
    final int portIndex;

    final LongAdder openConnections = new LongAdder();
    final ByMethod<OfMethod> methods = new ByMethod<>(OfMethod::new);

    IngressSeries(Ingress ingress, int portIndex) {
        this.ingress = ingress;
        this.portIndex = portIndex;
    }

    /** As it is written. */
    String port() {
        return ":" + ingress.port();
    }

    /** Of the requests of a method. */
    static final class OfMethod {
        final LongAdder requests = new LongAdder();
        final LongAdder requestBytes = new LongAdder();
        final LongAdder responseBytes = new LongAdder();
    }
}
