package io.millau.server;

import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.Snapshot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes one snapshot of those of several sources. Services of different sources that have one name, or one route, are
 * all served and reported, as it is hardly ever meant. For one thread.
 */
final class MergedSources {

    private record Origin(String source, Service service) {}

    private record Route(String host, String path) {}

    private final List<Service> services = new ArrayList<>();
    private final List<Problem> problems = new ArrayList<>();
    private final Set<String> ids = new HashSet<>();
    private final Map<String, Origin> byName = new HashMap<>();
    private final Map<Route, Origin> byRoute = new HashMap<>();

    private MergedSources() {}

    /**
     * Merges snapshots, by the names of their sources. The same snapshots in the same order make an equal snapshot.
     *
     * @param parts a source may be there several times
     */
    static Snapshot of(List<Map.Entry<String, Snapshot>> parts) {
        MergedSources merged = new MergedSources();
        for (Map.Entry<String, Snapshot> part : parts) {
            merged.add(part.getKey(), part.getValue());
        }
        return new Snapshot(merged.services, merged.problems);
    }

    private void add(String source, Snapshot part) {
        problems.addAll(part.problems());
        Set<String> ownIds = new HashSet<>();
        Map<String, Origin> names = new LinkedHashMap<>();
        Map<Route, Origin> routes = new LinkedHashMap<>();
        for (Service service : part.services()) {
            if (!service.enabled()) {
                services.add(service);
                continue;
            }
            Origin origin = new Origin(source, service);
            if (!ownIds.add(service.id())) {
                problems.add(new Problem(
                        service.name(),
                        source + " has two services of the id " + service.id()
                                + ": both are served; expected different names, or ids"));
            }
            services.add(withOwnId(service, source));
            reportName(origin);
            names.putIfAbsent(service.name(), origin);
            service.hosts().forEach(host -> routes.putIfAbsent(new Route(host, service.path()), origin));
            reportRoute(origin);
        }
        // Only now, since services of one source may share names and routes.
        names.forEach(byName::putIfAbsent);
        routes.forEach(byRoute::putIfAbsent);
    }

    /** The router keeps one service for each id. */
    private Service withOwnId(Service service, String source) {
        if (ids.add(service.id())) {
            return service;
        }
        String id = service.id() + " of " + source;
        for (int i = 2; !ids.add(id); i++) {
            id = service.id() + " of " + source + " " + i;
        }
        return service.toBuilder().id(id).build();
    }

    private void reportName(Origin origin) {
        Origin other = byName.get(origin.service.name());
        if (other != null) {
            problems.add(new Problem(
                    origin.service.name(),
                    "two sources have a service of this name, " + other.source + " and " + origin.source
                            + ": both are served, but look like one in logs and metrics; expected different names"));
        }
    }

    private void reportRoute(Origin origin) {
        for (String host : origin.service.hosts()) {
            Origin other = byRoute.get(new Route(host, origin.service.path()));
            if (other != null && !isMeant(origin.service, other.service)) {
                problems.add(
                        new Problem(
                                origin.service.name(),
                                origin.source + " has it for host " + host + " and path " + origin.service.path()
                                        + ", as "
                                        + other.source + " has " + other.service.name()
                                        + ": they share the requests; expected different hosts or paths, or a weight if that is meant"));
                return;
            }
        }
    }

    /** Whether the names say it already, or the weights say that it is meant. */
    private static boolean isMeant(Service one, Service other) {
        return one.name().equals(other.name()) || one.weight() != 1 || other.weight() != 1;
    }
}
