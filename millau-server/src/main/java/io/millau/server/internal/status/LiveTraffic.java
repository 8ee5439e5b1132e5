package io.millau.server.internal.status;

import io.millau.core.Endpoint;
import io.millau.core.Overview;
import io.millau.core.Route;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.undertow.util.StatusCodes;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The current traffic, for the status page. Counted on I/O threads without a lock. Services are replaced by one thread
 * at a time; another thread calls {@link #tick} every second.
 */
final class LiveTraffic implements TrafficListener {

    private static final Meter[] NONE = {};

    private volatile List<Ingress> ingresses = List.of();

    /** Keyed by identity. A changed service is a new object, but its counters stay with its id. */
    private volatile Map<Service, OfService> services = Map.of();

    private volatile Map<String, OfService> byId = Map.of();

    /** Requests that match no service. */
    private final Meter unmatched = new Meter();

    /** The counters of a service. */
    static final class OfService {
        final Meter requests = new Meter();
        final Meter errors = new Meter();
        final Latencies latencies = new Latencies();
        private volatile Map<Endpoint, OfEndpoint> endpoints = Map.of();
        private volatile Map<Route, Meter[]> routes = Map.of();

        private void replace(Service service, int ingresses) {
            Map<Endpoint, OfEndpoint> newEndpoints = new HashMap<>();
            for (Endpoint endpoint : service.endpoints()) {
                OfEndpoint known = endpoints.get(endpoint);
                newEndpoints.put(endpoint, known == null ? new OfEndpoint() : known);
            }
            Map<Route, Meter[]> newRoutes = new HashMap<>();
            for (String host : service.hosts()) {
                Route route = new Route(host, service.path());
                Meter[] known = routes.get(route);
                newRoutes.put(route, known == null || known.length != ingresses ? meters(ingresses) : known);
            }
            endpoints = Map.copyOf(newEndpoints); // most have one entry, which then needs no table
            routes = Map.copyOf(newRoutes);
        }

        private static Meter[] meters(int number) {
            Meter[] meters = new Meter[number];
            for (int i = 0; i < number; i++) {
                meters[i] = new Meter();
            }
            return meters;
        }

        private void tick(double seconds) {
            requests.tick(seconds);
            errors.tick(seconds);
            latencies.tick();
            endpoints.values().forEach(endpoint -> {
                endpoint.requests.tick(seconds);
                endpoint.errors.tick(seconds);
            });
            for (Meter[] byIngress : routes.values()) {
                for (Meter meter : byIngress) {
                    meter.tick(seconds);
                }
            }
        }

        @Nullable
        OfEndpoint endpoint(@Nullable Endpoint endpoint) {
            return endpoint == null ? null : endpoints.get(endpoint);
        }

        /** The number of endpoints and routes with counters. */
        int size() {
            return endpoints.size() + routes.size();
        }

        /** The service's requests by a route, for each ingress. */
        Meter[] route(Route route) {
            return routes.getOrDefault(route, NONE);
        }
    }

    /** The counters of an endpoint. They count attempts, not requests. */
    static final class OfEndpoint {
        final Meter requests = new Meter();
        final Meter errors = new Meter();
    }

    @Override
    public synchronized void started(Overview overview) {
        ingresses = overview.ingresses().stream().distinct().toList();
        services.forEach((service, counted) -> counted.replace(service, ingresses.size()));
    }

    @Override
    public synchronized void servicesReplaced(List<Service> all) {
        Map<String, OfService> newById = new HashMap<>();
        Map<Service, OfService> replaced = new IdentityHashMap<>(all.size());
        for (Service service : all) {
            OfService known = byId.get(service.id());
            OfService counted = known == null ? new OfService() : known;
            counted.replace(service, ingresses.size());
            newById.put(service.id(), counted);
            replaced.put(service, counted);
        }
        byId = newById;
        services = replaced;
    }

    @Override
    public void attemptFailed(Failed attempt) {
        OfService counted = of(attempt.service());
        OfEndpoint tried = counted == null ? null : counted.endpoint(attempt.endpoint());
        if (tried != null) {
            tried.requests.count();
            tried.errors.count();
        }
    }

    @Override
    public void requestEnded(Ended request) {
        Service service = request.service();
        if (service == null && request.status() == StatusCodes.BAD_GATEWAY) {
            unmatched.count();
        }
        OfService counted = service == null ? null : of(service);
        if (counted == null || request.clientGone() && !request.delivered()) {
            return;
        }
        boolean failed = request.failed() || request.status() >= StatusCodes.INTERNAL_SERVER_ERROR;
        counted.requests.count();
        if (failed) {
            counted.errors.count();
        }
        if (request.delivered()) {
            if (request.status() != StatusCodes.SWITCHING_PROTOCOLS) {
                counted.latencies.count(request.nanos()); // the duration of a tunnel is no latency
            }
            OfEndpoint responded = counted.endpoint(request.endpoint());
            if (responded != null) {
                responded.requests.count();
                if (failed) {
                    responded.errors.count();
                }
            }
        }
        Route route = request.route();
        Meter[] ways = route == null ? NONE : counted.route(route);
        for (int i = 0; i < ways.length; i++) {
            if (ingresses.get(i).equals(request.ingress())) {
                ways[i].count();
            }
        }
    }

    /**
     * Updates the rates.
     *
     * @param seconds since the last call
     */
    void tick(double seconds) {
        unmatched.tick(seconds);
        services.values().forEach(service -> service.tick(seconds));
    }

    /** In the order of a route's counters. Addresses with the same port and protocol count as one. */
    List<Ingress> ingresses() {
        return ingresses;
    }

    /** The number of services with counters. */
    int size() {
        return services.size();
    }

    /** Requests per second that match no service. */
    double unmatchedPerSecond() {
        return unmatched.perSecond();
    }

    /** The counters of a service, also by an older version of it; null if it was removed. */
    @Nullable
    OfService of(Service service) {
        OfService known = services.get(service);
        return known != null ? known : byId.get(service.id());
    }
}
