package io.millau.core.internal;

import io.millau.core.Problem;
import io.millau.core.Service;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the labels of a source's services, batch after batch, and remembers the last valid settings of each: if a value
 * is invalid, its service keeps its previous settings. For one thread.
 */
public final class LabelReader {

    private static final String LEFT_OUT = " (the service is left out)";

    private final Map<String, Map<String, Settings>> lastGood = new HashMap<>();

    /** The last readings: most services don't change, and certificates are slow to parse. */
    private final Map<String, Text> texts = new HashMap<>();

    private record Text(Map<String, String> labels, Collection<Integer> exposedPorts, Vocabulary.Reading reading) {}

    /**
     * A route of a service. From here on it is a service of its own, with its own endpoints.
     *
     * @param service the service's name
     * @param route its name; empty for the route without one
     */
    public record Route(String service, String route, Settings settings) {

        /** Its name as a service, such as {@code shop/admin}. */
        public String name() {
            return of(service);
        }

        /** The id of one of its endpoints: those of several routes are healthy or not each on its own. */
        public String endpointId(String instance) {
            return of(instance);
        }

        private String of(String whole) {
            return route.isEmpty() ? whole : whole + "/" + route;
        }

        /** Its id as a service. No other service has it, whatever the id of its own holds, since names of routes have no blank. */
        public String id(String ofService) {
            return route.isEmpty() ? ofService : route + " of " + ofService;
        }

        /** The id of the service that a route with an id like that of {@link #id} belongs to. */
        public static String serviceOf(String id) {
            return id.replaceFirst("^\\S+ of ", "");
        }

        /** A service with its settings, without endpoints. */
        public Service.Builder toService(String idOfService) {
            return settings.service(name()).id(id(idOfService));
        }
    }

    /** The settings of routes, each after those that it had before. */
    private static Map<String, Settings> after(Map<String, Settings> before, Map<String, Settings> now) {
        Map<String, Settings> after = new LinkedHashMap<>();
        now.forEach((route, settings) -> {
            Settings last = before.get(route);
            after.put(route, last == null ? settings : last.equals(settings) ? last : settings.after(last));
        });
        return after;
    }

    /** A reader without remembered settings. */
    public LabelReader() {}

    /** Starts to read all services of the source. */
    public Batch batch() {
        return new Batch();
    }

    /** All services of a source at one moment. Call {@link #read} or {@link #accept} for each, then {@link #finish}. */
    public final class Batch {
        private final Set<String> seen = new HashSet<>();
        private final Set<Problem> problems =
                new LinkedHashSet<>(); // routes share endpoints, and what is wrong with them

        private Batch() {}

        /**
         * Reads the settings of a service's routes.
         *
         * @param id unique in this source
         * @param name its name in messages
         * @return none if the service has to be left out; if it is closed, routes that respond with 503
         */
        public List<Route> read(String id, String name, Map<String, String> labels, Collection<Integer> exposedPorts) {
            Text before = texts.get(id);
            if (before == null || !before.labels.equals(labels) || !before.exposedPorts.equals(exposedPorts)) {
                before = new Text(labels, exposedPorts, ServiceLabels.read(labels, exposedPorts));
                texts.put(id, before);
            }
            return accept(id, name, before.reading);
        }

        /** Adds another problem of a service. */
        public void problem(String name, String message) {
            problem(new Problem(name, message));
        }

        /** Adds another problem. */
        public void problem(Problem problem) {
            problems.add(problem);
        }

        /** Ends the batch and returns its problems. Forgets services that were not in it. */
        public List<Problem> finish() {
            lastGood.keySet().retainAll(seen);
            texts.keySet().retainAll(seen);
            return List.copyOf(problems);
        }

        /** Takes the settings of a service whose labels were read elsewhere; see {@link #read}. */
        public List<Route> accept(String id, String name, Vocabulary.Reading reading) {
            seen.add(id);
            String mistake = ServiceName.mistake(name);
            if (mistake != null) {
                problem(name, mistake + LEFT_OUT);
                return List.of();
            }
            Map<String, Settings> routes = reading.routes();
            String consequence = "";
            if (reading.closed()) {
                lastGood.remove(id);
                consequence = routes.isEmpty() ? LEFT_OUT : " (the service is closed: requests get 503)";
            } else if (!routes.isEmpty()) {
                routes = after(lastGood.getOrDefault(id, Map.of()), routes);
                lastGood.put(id, routes);
            } else {
                routes = lastGood.getOrDefault(id, Map.of());
                consequence = routes.isEmpty() ? LEFT_OUT : " (the service keeps its last good configuration)";
            }
            String then = consequence;
            List<String> hosts = routes.isEmpty() ? reading.hosts() : List.of();
            reading.problems().forEach(message -> problem(new Problem(name, message + then, hosts, false)));
            return routes.entrySet().stream()
                    .map(route -> new Route(name, route.getKey(), route.getValue()))
                    .toList();
        }
    }
}
