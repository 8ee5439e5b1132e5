package io.millau.server.internal.moving;

import io.millau.core.internal.Words;
import java.util.ArrayList;
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
     */
    private record Router(
            MovedService service, MovedRoute route, String key, long priority, TraefikRule.Selection selection) {

        List<String> hosts() {
            return selection.hosts().isEmpty() ? List.of("") : selection.hosts();
        }

        String path() {
            return selection.path().replaceFirst("/$", "");
        }

        /** Whether it gets requests here. */
        boolean isServed() {
            return !route.onlyRedirects() && service.routes().contains(route.whole());
        }

        String shown() {
            return Words.shown(route.name() + " of " + service.name());
        }
    }

    void add(
            MovedService service,
            MovedRoute route,
            Theirs rule,
            @Nullable Theirs priority,
            TraefikRule.Selection selection) {
        String given = priority == null ? "" : priority.value().strip();
        long height = given.matches("-?[0-9]{1,18}") ? Long.parseLong(given) : 0;
        if (height == 0) { // as if it were not there
            height = rule.value().strip().replace("$$", "$").length();
        }
        routers.add(new Router(service, route, (priority == null ? rule : priority).key(), height, selection));
    }

    /** Says of each router that wins in Traefik alone which one wins here. */
    void report() {
        for (Router winner : routers) {
            for (Router other : routers) {
                if (winner.priority > other.priority && isDifferent(winner, other)) {
                    report(winner, other);
                    break;
                }
            }
        }
    }

    private boolean isDifferent(Router winner, Router other) {
        boolean overlap = winner.isServed()
                && other.isServed()
                && winner.route.whole() != other.route.whole()
                && (winner.path().startsWith(other.path()) || other.path().startsWith(winner.path()));
        if (!overlap) {
            return false;
        }
        for (String host : winner.hosts()) {
            for (String otherHost : other.hosts()) {
                if (++comparisons > MOST_COMPARISONS) {
                    return false;
                }
                if ((isFor(host, otherHost) || isFor(otherHost, host)) && !isBetter(winner, host, other, otherHost)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whether a host, or all names of a wildcard, are among those of another. */
    private static boolean isFor(String hosts, String host) {
        return hosts.isEmpty() || hosts.equals(host) || hosts.startsWith("*.") && host.endsWith(hosts.substring(1));
    }

    private static boolean isBetter(Router one, String host, Router other, String otherHost) {
        int better = Integer.compare(rank(host), rank(otherHost));
        return better > 0 || better == 0 && one.path().length() > other.path().length();
    }

    private static int rank(String host) {
        return host.isEmpty() || host.startsWith("*.") ? host.length() : Integer.MAX_VALUE;
    }

    private void report(Router winner, Router other) {
        String why = "Traefik gives it requests that router " + other.shown()
                + " gets here, alone or in turn, since the best host wins, then the longest path: give them to one of the"
                + " two by millau.hosts and millau.path";
        boolean opens = PROTECTING.stream()
                .anyMatch(label -> !winner.route.get(label).isEmpty()
                        && other.route.whole().get(label).isEmpty());
        winner.service.cannot(winner.key, why);
        if (opens) {
            other.service.close(
                    other.key,
                    "router " + winner.shown()
                            + " protects requests that this one gets here: give it the same millau.users, millau.auth or millau.allow");
        }
    }
}
