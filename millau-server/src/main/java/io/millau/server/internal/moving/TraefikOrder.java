package io.millau.server.internal.moving;

import io.millau.core.internal.Words;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which router gets a request that several routers are for: in Traefik that of the highest priority, else of the longest rule; here the
 * best host, then the longest path. Reports where that is another one. For one thread.
 */
final class TraefikOrder {

    private static final int MOST_COMPARISONS = 2_000_000;
    private static final Set<String> PROTECTING = Set.of("users", "auth", "allow");

    private final List<Router> routers = new ArrayList<>();
    private int comparisons;

    /**
     * A router, or one of its alternatives.
     *
     * @param key the label that is named
     * @param priority as Traefik counts it
     * @param hosts one that is empty stands for all
     * @param path without a slash at its end
     * @param lost whether something that protects it could not be carried over
     */
    private record Router(
            MovedService service,
            MovedRoute route,
            String key,
            long priority,
            List<String> hosts,
            String path,
            boolean lost) {

        String shown() {
            return Words.shown(route.name() + " of " + service.name());
        }
    }

    void add(
            MovedService service,
            MovedRoute route,
            Theirs rule,
            @Nullable Theirs priority,
            TraefikRule.Selection selection,
            boolean lost) {
        String given = priority == null ? "" : priority.value().strip();
        long height = given.matches("-?[0-9]{1,18}") ? Long.parseLong(given) : 0;
        if (height == 0) { // as if it were not there
            height = rule.value().strip().replace("$$", "$").length();
        }
        routers.add(new Router(
                service,
                route,
                (priority == null ? rule : priority).key(),
                height,
                selection.hosts().isEmpty() ? List.of("") : selection.hosts(),
                selection.path().replaceFirst("/$", ""),
                lost));
    }

    /** Says of each router that wins in Traefik alone which one wins here, and closes those that it protected. */
    void report() {
        List<Router> served = served();
        boolean[] closed = new boolean[served.size()];
        for (Router winner : served) {
            boolean reported = false;
            for (int i = 0; i < closed.length; i++) {
                Router other = served.get(i);
                boolean matters = !reported || !closed[i] && opens(winner, other);
                String different = matters && winner.priority > other.priority ? difference(winner, other) : null;
                if (different != null) {
                    if (!reported) {
                        winner.service.cannot(winner.key, different);
                        reported = true;
                    }
                    if (!closed[i] && opens(winner, other)) {
                        close(winner, other);
                        closed[i] = true;
                    }
                }
                if (!closed[i] && isTie(winner, other) && opens(winner, other) && difference(winner, other) != null) {
                    close(winner, other);
                    closed[i] = true;
                }
                if (++comparisons > MOST_COMPARISONS) {
                    winner.service.cannot(
                            winner.key, "too many routers to compare: see yourself which of them gets a request");
                    return;
                }
            }
        }
    }

    /** Whether Traefik does not say which of two services wins. */
    private static boolean isTie(Router one, Router other) {
        return one.priority == other.priority && one.service != other.service;
    }

    /** Those that get requests here. */
    private List<Router> served() {
        Set<MovedRoute> routes = new HashSet<>();
        routers.stream().map(Router::service).distinct().forEach(service -> routes.addAll(service.routes()));
        return routers.stream()
                .filter(router -> !router.route.onlyRedirects() && routes.contains(router.route.whole()))
                .toList();
    }

    /** Which requests another router gets here than in Traefik, and why; null if there are none. */
    private @Nullable String difference(Router winner, Router other) {
        boolean overlap = winner.route.whole() != other.route.whole()
                && (winner.path.startsWith(other.path) || other.path.startsWith(winner.path));
        if (!overlap) {
            return null;
        }
        for (String host : winner.hosts) {
            for (String otherHost : other.hosts) {
                comparisons++; // a rule has few hosts, so the limit is looked at after them
                if ((isFor(host, otherHost) || isFor(otherHost, host)) && !isBetter(winner, host, other, otherHost)) {
                    return message(winner, host, other, otherHost);
                }
            }
        }
        return null;
    }

    /** Whether a host, or all names of a wildcard, are among those of another. */
    private static boolean isFor(String hosts, String host) {
        return hosts.isEmpty() || hosts.equals(host) || hosts.startsWith("*.") && host.endsWith(hosts.substring(1));
    }

    private static boolean isBetter(Router one, String host, Router other, String otherHost) {
        int better = Integer.compare(rank(host), rank(otherHost));
        return better > 0 || better == 0 && one.path.length() > other.path.length();
    }

    private static int rank(String host) {
        return host.isEmpty() || host.startsWith("*.") ? host.length() : Integer.MAX_VALUE;
    }

    private static String message(Router winner, String host, Router other, String otherHost) {
        String both = isFor(host, otherHost) ? otherHost : host;
        String path = winner.path.length() > other.path.length() ? winner.path : other.path;
        String url = "http://" + (both.isEmpty() ? "any.example" : both.replaceFirst("^\\*", "any"))
                + (path.isEmpty() ? "/" : path);
        boolean sameHost = rank(host) == rank(otherHost);
        String here = sameHost && winner.path.length() == other.path.length()
                ? " gives them to both in turn, since router " + other.shown() + " has the same host and path"
                : " prefers router " + other.shown() + ", since its " + (sameHost ? "path" : "host") + " fits better";
        return "for " + Words.shown(url) + " Traefik prefers this router, by "
                + (winner.key.endsWith(".priority") ? "its priority" : "the length of its rule") + ", and Millau" + here
                + ": give such requests to one of the two by millau.hosts and millau.path";
    }

    /** Whether requests would come in that Traefik refuses. */
    private static boolean opens(Router winner, Router other) {
        return winner.lost && !other.lost
                || PROTECTING.stream()
                        .anyMatch(label -> !winner.route.get(label).isEmpty()
                                && other.route.whole().get(label).isEmpty());
    }

    private static void close(Router winner, Router other) {
        other.service.close(
                other.key,
                "router " + winner.shown()
                        + " protects requests that this one gets here: give it the same millau.users, millau.auth or millau.allow");
    }
}
