package io.millau.testing;

import io.millau.core.Endpoint;
import io.millau.core.InMemoryServices;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.internal.LogText;
import io.millau.core.internal.ServiceName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The services of a proxy: those of its upstreams, with the routes that a test gives them. Safe for use by several threads. */
final class TestServices {

    private static final Logger LOG = LoggerFactory.getLogger(TestGateway.class);

    /** An instance that is known for less may still be starting, and requests wait for it. An upstream is to be judged at once. */
    private static final Duration NOT_STARTING = Duration.ofSeconds(10);

    final InMemoryServices source = ServiceSource.of();
    private final TestTime time;
    private final List<ScriptedUpstream> upstreams = new ArrayList<>();

    /** The services of all upstreams so far. */
    private final Set<String> names = new LinkedHashSet<>();

    private Map<String, Service> routes = new LinkedHashMap<>();
    private int numbers;
    private boolean warned;

    TestServices(TestTime time) {
        this.time = time;
    }

    synchronized ScriptedUpstream upstream(String service, ScriptedUpstream.Protocol protocol) {
        String mistake = ServiceName.mistake(Objects.requireNonNull(service, "service"));
        if (mistake != null) {
            throw new IllegalArgumentException(mistake);
        }
        ScriptedUpstream upstream = new ScriptedUpstream(service, ++numbers, protocol, time, this::removed);
        upstreams.add(upstream);
        boolean isNew = names.add(service);
        try {
            replace(routes.values());
        } catch (IllegalArgumentException e) { // a route has that name as its id
            if (isNew) {
                names.remove(service);
            }
            upstream.close();
            throw e;
        }
        return upstream;
    }

    private synchronized void removed(ScriptedUpstream upstream) {
        upstreams.remove(upstream);
        replace(routes.values());
    }

    synchronized void routes(Service... changed) {
        Map<String, Service> next = new LinkedHashMap<>(routes);
        for (Service service : changed) {
            next.put(Objects.requireNonNull(service, "service").id(), service);
        }
        ServiceSource.of(changed); // refuses two with the same name, of which the map has one
        replace(next.values());
        routes = next;
    }

    private void replace(Collection<Service> routed) {
        List<Service> all = new ArrayList<>();
        for (Service service : routed) {
            all.add(service.endpoints().isEmpty() ? service.withEndpoints(endpoints(service.name())) : service);
        }
        unrouted(routed)
                .forEach(name ->
                        all.add(Service.named(name).endpoints(endpoints(name)).build()));
        time.ticker.runEarlier(NOT_STARTING, () -> source.replace(all));
    }

    /** Those with upstreams that get the requests of every host and path. */
    private Stream<String> unrouted(Collection<Service> routed) {
        Set<String> withRoutes = new HashSet<>();
        routed.forEach(service -> withRoutes.add(service.name()));
        return names.stream()
                .filter(name -> !withRoutes.contains(name) && !endpoints(name).isEmpty());
    }

    private List<Endpoint> endpoints(String service) {
        return upstreams.stream()
                .filter(upstream -> upstream.service().equals(service))
                .map(ScriptedUpstream::endpoint)
                .toList();
    }

    /**
     * Logs once that one that is routed never had an upstream, while one with an upstream is not routed. A name that was mistyped would go
     * unnoticed: the proxy passes over a service without endpoints, to one for every host and path.
     */
    synchronized void checkNames() {
        List<String> without = routes.values().stream()
                .filter(service -> service.enabled() && service.endpoints().isEmpty())
                .map(Service::name)
                .filter(name -> !names.contains(name))
                .toList();
        List<String> unrouted = unrouted(routes.values()).toList();
        if (!without.isEmpty() && !unrouted.isEmpty() && !warned) {
            warned = true;
            LOG.warn(
                    "routes() has {}, which has no upstream, and upstream() has {}, which has no route and so gets the requests"
                            + " of every host and path: is one of the names mistyped?",
                    LogText.value(without.get(0)),
                    LogText.value(unrouted.get(0)));
        }
    }

    void close() {
        List<ScriptedUpstream> open;
        synchronized (this) {
            open = List.copyOf(upstreams);
        }
        open.forEach(ScriptedUpstream::close);
    }
}
