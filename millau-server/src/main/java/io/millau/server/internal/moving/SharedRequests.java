package io.millau.server.internal.moving;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds routes of one service with an equal host and path, which would get the same requests in turn: where another label differs, half of
 * them would go wrong. Pure functions.
 */
final class SharedRequests {

    private static final Set<String> OF_PLACE = Set.of("hosts", "path");

    private record Place(String host, String path) {}

    private SharedRequests() {}

    /**
     * Closes a service that has such routes.
     *
     * @param rule the label to name for a route; null if there is none
     */
    static void close(MovedService service, Function<MovedRoute, @Nullable Theirs> rule) {
        Map<Place, MovedRoute> first = new HashMap<>();
        for (MovedRoute route : service.routes()) {
            Set<String> different = places(route).stream()
                    .flatMap(place -> difference(route, first.computeIfAbsent(place, p -> route)).stream())
                    .collect(Collectors.toCollection(TreeSet::new));
            Theirs of = rule.apply(route);
            if (of != null && !different.isEmpty()) {
                service.close(of.key(), sameRequests(different));
            }
        }
    }

    static String sameRequests(Set<String> different) {
        return "another one here gets the same requests, with another "
                + different.stream().map(label -> "millau." + label).collect(Collectors.joining(", "))
                + ": say in one route what they need";
    }

    /** The labels that are not the same, apart from those that say which requests a route gets. */
    static Set<String> difference(MovedRoute one, MovedRoute other) {
        Set<String> different = new TreeSet<>(one.labels().keySet());
        different.addAll(other.labels().keySet());
        different.removeAll(OF_PLACE);
        different.removeIf(label -> one.get(label).equals(other.get(label))
                && one.labels().containsKey(label) == other.labels().containsKey(label));
        return different;
    }

    private static List<Place> places(MovedRoute route) {
        String path = route.get("path").replaceFirst("/$", "");
        Set<String> hosts = route.hosts().isEmpty() ? Set.of("*") : route.hosts();
        return hosts.stream()
                .map(host -> new Place(host.toLowerCase(Locale.ROOT), path))
                .toList();
    }
}
