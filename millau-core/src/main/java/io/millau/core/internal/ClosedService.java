package io.millau.core.internal;

import io.millau.core.FilterRequest;
import io.millau.core.Service;
import io.millau.core.TrafficListener.LocalReason;
import io.millau.core.Verdict;

/** Responds to all requests of a service whose labels have a mistake in one that protects it. Its text is for explanations. */
record ClosedService() implements LabelFilter {

    /** A service in the place of another one. It gets no requests while a service that fits as well has instances. */
    static Service inPlaceOf(Service service) {
        return Service.named("")
                .enabled(service.enabled())
                .hosts(service.hosts())
                .path(service.path())
                .weight(0)
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
