package io.millau.core;

import io.millau.core.internal.ClosedService;
import io.millau.core.internal.UrlPath;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Finds the services for a request: an immutable index by host and path, built outside of request processing.
 *
 * <p>The host is matched first, then the path among the services of that host. If the best host has no matching path,
 * the next best is tried. Services without a running instance match only if no running one does.
 */
final class RouteTable {

    private final HostIndex<PathIndex<Pool>> running;
    private final HostIndex<PathIndex<Pool>> idle;

    /** The CAs of client certificates for each host; null if no host needs client certificates. */
    private final @Nullable HostIndex<Optional<Set<X509Certificate>>> clientCa;

    /** The services that give the pages for failures; null if none does. */
    private final @Nullable HostIndex<Pool> errorPages;

    /** @param turnOf the counter of turns of a route */
    RouteTable(Collection<Pool.Member> members, Function<Route, AtomicInteger> turnOf) {
        Map<String, Optional<Set<X509Certificate>>> clientCas = clientCas(members);
        clientCa = clientCas.values().stream().allMatch(Optional::isEmpty) ? null : new HostIndex<>(clientCas);
        running = index(members, true, turnOf, clientCas);
        idle = index(members, false, turnOf, clientCas);
        errorPages = errorPages(members);
    }

    private static @Nullable HostIndex<Pool> errorPages(Collection<Pool.Member> members) {
        Map<String, List<Pool.Member>> byHost = new HashMap<>();
        for (Pool.Member member : members) {
            if (member.service.errors() != null && member.endpoints.length > 0) {
                member.service
                        .hosts()
                        .forEach(host -> byHost.computeIfAbsent(host, h -> new ArrayList<>(1))
                                .add(member));
            }
        }
        Map<String, Pool> pools = new HashMap<>();
        byHost.forEach(
                (host, equals) -> pools.put(host, new Pool(new Route(host, "/"), equals, new AtomicInteger(), null)));
        return pools.isEmpty() ? null : new HostIndex<>(pools);
    }

    /** The running services that give the pages for failures of requests for a host; null if none does. */
    @Nullable
    Pool errorPages(String host) {
        if (errorPages == null) {
            return null;
        }
        var best = errorPages.longest(host);
        return best == null ? null : best.value;
    }

    /** If several services of a host require CAs, those that are common to all. */
    private static Map<String, Optional<Set<X509Certificate>>> clientCas(Collection<Pool.Member> members) {
        Map<String, Optional<Set<X509Certificate>>> all = new HashMap<>();
        for (Pool.Member member : members) {
            Set<X509Certificate> own = member.service.clientCa();
            for (String host : member.service.hosts()) {
                all.merge(host, Optional.of(own).filter(ca -> !ca.isEmpty()), RouteTable::both);
            }
        }
        return all;
    }

    private static Optional<Set<X509Certificate>> both(
            Optional<Set<X509Certificate>> one, Optional<Set<X509Certificate>> other) {
        if (one.isEmpty() || other.isEmpty()) {
            return one.or(() -> other);
        }
        Set<X509Certificate> common = new HashSet<>(one.get());
        common.retainAll(other.get());
        return Optional.of(common);
    }

    /**
     * The CAs of client certificates for a host.
     *
     * @param host a Host field's value, or a host name
     * @return null if clients need no certificate; an empty set if no CA satisfies all services
     */
    @Nullable
    Set<X509Certificate> clientCa(String host) {
        if (clientCa == null) {
            return null;
        }
        var best = clientCa.longest(host);
        return best == null ? null : best.value.orElse(null);
    }

    private static HostIndex<PathIndex<Pool>> index(
            Collection<Pool.Member> members,
            boolean runs,
            Function<Route, AtomicInteger> turnOf,
            Map<String, Optional<Set<X509Certificate>>> clientCas) {
        Map<String, Map<String, List<Pool.Member>>> byHostAndPath = new HashMap<>();
        for (Pool.Member member : members) {
            if (member.endpoints.length > 0 == runs) {
                for (String host : member.service.hosts()) {
                    byHostAndPath
                            .computeIfAbsent(host, h -> new HashMap<>())
                            .computeIfAbsent(UrlPath.asSent(member.service.path()), p -> new ArrayList<>(1))
                            .add(member);
                }
            }
        }
        Map<String, PathIndex<Pool>> byHost = new HashMap<>();
        byHostAndPath.forEach((host, byPath) -> {
            Map<String, Pool> pools = new HashMap<>();
            Set<X509Certificate> clientCa =
                    clientCas.getOrDefault(host, Optional.empty()).orElse(null);
            byPath.forEach((path, equals) -> {
                Route route = new Route(host, path);
                pools.put(path, new Pool(route, open(equals), turnOf.apply(route), clientCa));
            });
            byHost.put(host, new PathIndex<>(pools));
        });
        return new HostIndex<>(byHost);
    }

    /** Those of equally good services that are not closed; all if there is no other. */
    private static List<Pool.Member> open(List<Pool.Member> equals) {
        List<Pool.Member> open = equals.stream()
                .filter(member -> !ClosedService.is(member.service))
                .toList();
        return open.isEmpty() ? equals : open;
    }

    /**
     * The pool for a request, or null if no service matches.
     *
     * @param host the Host field's value; empty if there is none
     * @param path the path as the client sent it, without the query
     */
    @Nullable
    Pool match(String host, String path) {
        Pool pool = matchRunning(host, path);
        return pool != null ? pool : match(idle, host, path);
    }

    /** As {@link #match(String, String)}, among services with an instance. */
    @Nullable
    Pool matchRunning(String host, String path) {
        return match(running, host, path);
    }

    private static @Nullable Pool match(HostIndex<PathIndex<Pool>> index, String host, String path) {
        for (var entry = index.longest(host); entry != null; entry = entry.wider) {
            Pool pool = entry.value.longest(path);
            if (pool != null) {
                return pool;
            }
        }
        return null;
    }
}
