package io.millau.core.internal;

import io.millau.core.Route;
import io.millau.core.Service;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Which services have a host and path in common, so that they share its requests: meant so, or by accident. Immutable. */
public final class SharedRoutes {

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
     * The names of the other services that have a host and path of this one.
     *
     * @param service one of those
     */
    public Collection<String> with(Service service) {
        TreeSet<String> names = new TreeSet<>();
        for (String host : service.hosts()) {
            for (Service other : services.getOrDefault(route(host, service), List.of())) {
                if (other != service) {
                    names.add(other.name());
                }
            }
        }
        return names;
    }
}
