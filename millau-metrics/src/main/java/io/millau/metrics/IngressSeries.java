package io.millau.metrics;

import io.millau.core.TrafficListener.Ended;
import io.millau.core.TrafficListener.Ingress;

/** What is counted of an address that Millau listens on. */
final class IngressSeries {

    final Ingress ingress;

    /** Which of the ports it is; addresses may share one. */
    final int portIndex;

    final ByMethod<OfMethod> methods = new ByMethod<>(OfMethod::new);

    private final Counters openConnections = new Counters(1);

    IngressSeries(Ingress ingress, int portIndex) {
        this.ingress = ingress;
        this.portIndex = portIndex;
    }

    /** As it is written. */
    String port() {
        return ":" + ingress.port();
    }

    /** Some connections are busy that were not, or the other way round. */
    void busy(int more) {
        openConnections.add(Counters.copy(), 0, more);
    }

    long openConnections() {
        return openConnections.sum(0);
    }

    /** Of the requests of a method. */
    static final class OfMethod {
        private static final int REQUESTS = 0;
        private static final int REQUEST_BYTES = 1;
        private static final int RESPONSE_BYTES = 2;

        private final Counters counters = new Counters(3);

        void began() {
            counters.increment(Counters.copy(), REQUESTS);
        }

        void ended(int copy, Ended request) {
            counters.add(copy, REQUEST_BYTES, request.requestBytes());
            counters.add(copy, RESPONSE_BYTES, request.responseBytes());
        }

        long requests() {
            return counters.sum(REQUESTS);
        }

        long requestBytes() {
            return counters.sum(REQUEST_BYTES);
        }

        long responseBytes() {
            return counters.sum(RESPONSE_BYTES);
        }
    }
}
