package io.millau.core.internal;

import io.millau.core.Certificate;
import io.millau.core.FilterRequest;
import io.millau.core.Service;
import io.millau.core.TrafficListener.LocalReason;
import io.millau.core.Verdict;
import java.security.cert.X509Certificate;
import java.util.List;

/** Responds to all requests of a service whose labels have a mistake in one that protects it. Its text is for explanations. */
public record ClosedService() implements LabelFilter {

    /** An authority that nobody has a certificate of. */
    static List<X509Certificate> nobodysCa() {
        return Nobody.CA;
    }

    private static final class Nobody {
        static final List<X509Certificate> CA =
                Certificate.selfSigned("nobody.invalid").chain();
    }

    /** Whether a service was closed. */
    public static boolean is(Service service) {
        return service.filters().stream().anyMatch(ClosedService.class::isInstance);
    }

    /** A service in the place of another one. What that one says of its hosts in TLS holds on, for other services too. */
    static Service inPlaceOf(Service service) {
        return Service.named(ServiceName.NONE)
                .enabled(service.enabled())
                .hosts(service.hosts())
                .path(service.path())
                .clientCa(service.clientCa())
                .certificate(service.certificate())
                .filter(new ClosedService())
                .build();
    }

    @Override
    public Verdict filter(FilterRequest request) {
        return request.respond(503, "Closed, since a label that protects this service has a mistake\n");
    }

    @Override
    public LocalReason reason() {
        return LocalReason.CLOSED;
    }

    @Override
    public String toString() {
        return "closed: everybody gets 503, since a label that protects it has a mistake";
    }
}
