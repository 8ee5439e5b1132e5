package io.millau.core.internal;

import io.millau.core.Route;
import io.millau.core.Service;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Which services have a host and path in common, so that they share its requests: meant so, or by accident. Immutable. */
public final class SharedRoutes {

    /** Thousands of services may have one host and path. */
    private static final int MOST_OTHERS = 10;

    private final Map<Route, List<Service>> services = new HashMap<>();

    public SharedRoutes(Collection<Service> all) {
        for (Service service : all) {
            for (String host : service.hosts()) {
                services.computeIfAbsent(route(host, service), route -> new ArrayList<>(1))
                        .add(service);
            }
        }
    }

    private static Route route(String host, Service service) {
        return new Route(host, UrlPath.asSent(service.path()));
    }

    /**
     * The names of the other services that have a host and path of this one, in order, ten at most.
     *
     * @param service one of those
     */
    public Collection<String> namesBeside(Service service) {
        return beside(service).stream().map(Service::name).collect(Collectors.toCollection(TreeSet::new));
    }

    /**
     * The other services that have a host and path of this one, ten at most.
     *
     * @param service one of those
     */
    public Collection<Service> beside(Service service) {
        return service.hosts().stream()
                .flatMap(host -> services.getOrDefault(route(host, service), List.of()).stream())
                .filter(other -> other != service)
                .distinct()
                .limit(MOST_OTHERS)
                .toList();
    }
}
