package io.millau.metrics;

import io.millau.core.TrafficListener.Ended;
import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;

/** The metrics of all services with the same name. Safe for use by several threads. */
final class ServiceSeries {

    final String name;
    final LongAdder retries = new LongAdder();
    final LongAdder ejections = new LongAdder();
    final LongAdder budgetExhausted = new LongAdder();
    final ByMethod<OfMethod> methods = new ByMethod<>(OfMethod::new);

    /** Requests by port index. */
    private volatile Counters[] requestsByPort = {};

    /** False if the service was removed before this object was made, for the end of one of its requests. */
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

    long requestsFrom(int portIndex) {
        return ofPort(portIndex).sum(0);
    }

    private Counters ofPort(int portIndex) {
        Counters[] known = requestsByPort;
        return portIndex < known.length ? known[portIndex] : addPorts(portIndex + 1);
    }

    private synchronized Counters addPorts(int count) {
        int before = requestsByPort.length;
        if (before < count) {
            Counters[] more = Arrays.copyOf(requestsByPort, count);
            for (int i = before; i < count; i++) {
                more[i] = new Counters(1);
            }
            requestsByPort = more;
        }
        return requestsByPort[count - 1];
    }

    void ended(int copy, Ended request, Method method, int portIndex) {
        ofPort(portIndex).increment(copy, 0);
        methods.get(method).ended(copy, request);
    }

    /** The metrics of one method. What most requests update, the first eight counters, is in one cache line. */
    static final class OfMethod {
        private static final int REQUEST_BYTES = 0;
        private static final int RESPONSE_BYTES = 1;
        private static final int FAILED = 2;
        private static final int FIRST_CODE = 3;
        private static final int DURATIONS = 4;
        private static final int MORE_CODES = DURATIONS + Histogram.LENGTH;
        private static final int LENGTH = 24;

        private final Counters counters = new Counters(LENGTH);

        final Histogram durations = new Histogram(counters, DURATIONS);

        /** In order of first use. A service has few. */
        private volatile OfCode[] codes = {};

        private void ended(int copy, Ended request) {
            counters.add(copy, REQUEST_BYTES, request.requestBytes());
            counters.add(copy, RESPONSE_BYTES, request.responseBytes());
            if (request.delivered()) {
                code(request.status()).increment(copy);
                durations.observe(copy, request.nanos());
            } else if (request.failed()) {
                counters.increment(copy, FAILED);
            }
        }

        long requestBytes() {
            return counters.sum(REQUEST_BYTES);
        }

        long responseBytes() {
            return counters.sum(RESPONSE_BYTES);
        }

        long failed() {
            return counters.sum(FAILED);
        }

        OfCode[] codes() {
            return codes;
        }

        private OfCode code(int code) {
            for (OfCode known : codes) {
                if (known.code == code) {
                    return known;
                }
            }
            return addCode(code);
        }

        private synchronized OfCode addCode(int code) {
            for (OfCode known : codes) {
                if (known.code == code) {
                    return known;
                }
            }
            int index = codes.length == 0 ? FIRST_CODE : MORE_CODES + codes.length - 1;
            OfCode made = index < LENGTH ? new OfCode(code, counters, index) : new OfCode(code, new Counters(1), 0);
            OfCode[] more = Arrays.copyOf(codes, codes.length + 1);
            more[codes.length] = made;
            codes = more;
            return made;
        }
    }

    /** The counter of responses with a status code, which is one of several counters. */
    record OfCode(int code, Counters counters, int index) {

        void increment(int copy) {
            counters.increment(copy, index);
        }

        long responses() {
            return counters.sum(index);
        }
    }
}
