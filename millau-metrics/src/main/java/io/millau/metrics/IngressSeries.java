package io.millau.metrics;

import io.millau.core.TrafficListener.Ended;
import io.millau.core.TrafficListener.Ingress;
import io.millau.core.TrafficListener.LocalReason;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ObjLongConsumer;
import java.util.stream.Stream;

/** The metrics of an address that Millau listens on. Safe for use by several threads. */
final class IngressSeries {

    final Ingress ingress;

    /** The index of its port; addresses with the same port share it. */
    final int portIndex;

    final ByMethod<OfMethod> methods = new ByMethod<>(OfMethod::new);

    private static final List<String> REASONS = Stream.concat(
                    Arrays.stream(LocalReason.values())
                            .map(reason -> reason.name().toLowerCase(Locale.ROOT)),
                    Stream.of("malformed"))
            .toList();

    private final Counters openConnections = new Counters(1);

    /** By the ordinal of their reason. */
    private final Counters localResponses = new Counters(REASONS.size());

    IngressSeries(Ingress ingress, int portIndex) {
        this.ingress = ingress;
        this.portIndex = portIndex;
    }

    /** The label's value. */
    String port() {
        return ":" + ingress.port();
    }

    /** Adds to the number of busy connections; negative if they became idle. */
    void busy(int more) {
        openConnections.add(Counters.copy(), 0, more);
    }

    void ended(int copy, Ended request) {
        LocalReason reason = request.localReason();
        if (reason != null) {
            localResponses.increment(copy, reason.ordinal());
        }
    }

    void malformed() {
        localResponses.increment(Counters.copy(), REASONS.size() - 1);
    }

    void forEachLocalReason(ObjLongConsumer<String> reader) {
        for (int i = 0; i < REASONS.size(); i++) {
            reader.accept(REASONS.get(i), localResponses.sum(i));
        }
    }

    long openConnections() {
        return openConnections.sum(0);
    }

    /** The metrics of one method. */
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
