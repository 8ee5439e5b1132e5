package io.millau.metrics;

import io.millau.core.TrafficListener.Ended;
import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;

/** What is counted of a service, or of several that have the same name. */
final class ServiceSeries {

    final String name;
    final LongAdder retries = new LongAdder();
    final LongAdder ejections = new LongAdder();
    final LongAdder budgetExhausted = new LongAdder();
    final ByMethod<OfMethod> methods = new ByMethod<>(OfMethod::new);

    /** Requests by the index of the port that they came in by. */
    private volatile LongAdder[] requestsByPort = {};

    /**
     * Whether it was among the services: else it is gone for good, and just a request of it had not come to its end by then.
     */
    private volatile boolean declared;

    ServiceSeries(String name) {
        this.name = name;
    }

    void declare() {
        declared = true;
    }

    boolean declared() {
        return declared;
    }

    LongAdder requestsFrom(int portIndex) {
        LongAdder[] known = requestsByPort;
        return portIndex < known.length ? known[portIndex] : addPorts(portIndex + 1);
    }

    private synchronized LongAdder addPorts(int count) {
        int before = requestsByPort.length;
        if (before < count) {
            LongAdder[] more = Arrays.copyOf(requestsByPort, count);
            for (int i = before; i < count; i++) {
                more[i] = new LongAdder();
            }
            requestsByPort = more;
        }
        return requestsByPort[count - 1];
    }

    void ended(Ended request, Method method, int portIndex) {
        requestsFrom(portIndex).increment();
        OfMethod series = methods.get(method);
        PrometheusMetrics.add(series.requestBytes, request.requestBytes());
        PrometheusMetrics.add(series.responseBytes, request.responseBytes());
        if (request.delivered()) {
            series.answers(request.status()).increment();
            series.durations.observe(request.nanos());
        } else if (!request.clientGone()) {
            series.failed.increment();
        }
    }

    /** Of the requests of a method. */
    static final class OfMethod {
        final LongAdder requestBytes = new LongAdder();
        final LongAdder responseBytes = new LongAdder();
        final LongAdder failed = new LongAdder();
        final Histogram durations = new Histogram();

        /** In the order they came; a service has few. */
        private volatile OfCode[] codes = {};

        OfCode[] codes() {
            return codes;
        }

        LongAdder answers(int code) {
            OfCode[] seen = codes;
            for (OfCode known : seen) {
                if (known.code == code) {
                    return known.answers;
                }
            }
            return addCode(code);
        }

        private synchronized LongAdder addCode(int code) {
            for (OfCode known : codes) {
                if (known.code == code) {
                    return known.answers;
                }
            }
            OfCode made = new OfCode(code, new LongAdder());
            OfCode[] more = Arrays.copyOf(codes, codes.length + 1);
            more[codes.length] = made;
            codes = more;
            return made.answers;
        }
    }

    /** Of the answers with a status code. */
    record OfCode(int code, LongAdder answers) {}
}
