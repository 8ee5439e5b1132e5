package io.millau.metrics;

import io.prometheus.client.Counter;
import io.prometheus.client.Gauge;
import io.prometheus.client.Histogram;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** The time series that a request counts in, found once and kept, so that no request looks them up by their labels. */
final class Series {

    /** The registered methods (IANA HTTP Method Registry) in use: a client can't make time series of its own. */
    private static final Set<String> METHODS = Set.of(
            "GET",
            "HEAD",
            "POST",
            "PUT",
            "DELETE",
            "CONNECT",
            "OPTIONS",
            "TRACE",
            "PATCH",
            "ACL",
            "BASELINE-CONTROL",
            "BIND",
            "CHECKIN",
            "CHECKOUT",
            "COPY",
            "LABEL",
            "LINK",
            "LOCK",
            "MERGE",
            "MKACTIVITY",
            "MKCALENDAR",
            "MKCOL",
            "MKREDIRECTREF",
            "MKWORKSPACE",
            "MOVE",
            "ORDERPATCH",
            "PRI",
            "PROPFIND",
            "PROPPATCH",
            "QUERY",
            "REBIND",
            "REPORT",
            "SEARCH",
            "UNBIND",
            "UNCHECKOUT",
            "UNLINK",
            "UNLOCK",
            "UPDATE",
            "UPDATEREDIRECTREF",
            "VERSION-CONTROL");

    private Series() {}

    /** Something for each method. */
    static final class ByMethod<T> {
        private final Map<String, T> known = new ConcurrentHashMap<>();
        private final Function<String, T> make;

        ByMethod(Function<String, T> make) {
            this.make = make;
        }

        T get(String method) {
            T found = known.get(method);
            return found != null ? found : known.computeIfAbsent(method(method), make);
        }
    }

    /** The method as it is counted. */
    static String method(String method) {
        return METHODS.contains(method) ? method : "OTHER";
    }

    /** Of an address that Millau listens on. */
    record OfIngress(
            int port,
            String protocol,
            Gauge.Child openConnections,
            ByMethod<OfIngressMethod> methods,
            Map<String, OfRoute> services) {}

    record OfIngressMethod(Counter.Child requests, Counter.Child requestsBytes, Counter.Child responsesBytes) {}

    /** Of a service that is reached through one ingress. */
    record OfRoute(Counter.Child requests, ByMethod<OfServiceMethod> methods, ByMethod<Delivered> delivered) {}

    record OfServiceMethod(Counter.Child requestsBytes, Counter.Child responsesBytes) {}

    /** Of the answers to a service's requests. */
    static final class Delivered {
        private record Code(int code, Counter.Child answers) {}

        private final Histogram.Child duration;
        private final Function<String, Counter.Child> make;

        /** In the order they came; a service has few. */
        private volatile Code[] codes = {};

        Delivered(Histogram.Child duration, Function<String, Counter.Child> make) {
            this.duration = duration;
            this.make = make;
        }

        Histogram.Child duration() {
            return duration;
        }

        Counter.Child code(int code) {
            for (Code known : codes) {
                if (known.code == code) {
                    return known.answers;
                }
            }
            return add(code);
        }

        private synchronized Counter.Child add(int code) {
            Counter.Child made = make.apply(Integer.toString(code));
            Code[] more = Arrays.copyOf(codes, codes.length + 1);
            more[codes.length] = new Code(code, made);
            codes = more;
            return made;
        }
    }
}
