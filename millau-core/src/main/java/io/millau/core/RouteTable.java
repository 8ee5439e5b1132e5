package io.millau.core;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Which services get a request: an immutable index of host and path, built off the request path.
 *
 * <p>Host comes first, then path among the services of that host; where the best host has no path that fits, the next
 * best host is tried. A service with nothing running fits only where no running one does.
 */
final class RouteTable {

    private final HostIndex<PathIndex<Pool>> running;
    private final HostIndex<PathIndex<Pool>> idle;

    /** @param turnOf whose turn it is at a route */
    RouteTable(Collection<Pool.Member> members, Function<Route, AtomicInteger> turnOf) {
        running = index(members, true, turnOf);
        idle = index(members, false, turnOf);
    }

    private static HostIndex<PathIndex<Pool>> index(
            Collection<Pool.Member> members, boolean runs, Function<Route, AtomicInteger> turnOf) {
        Map<String, Map<String, List<Pool.Member>>> byHostAndPath = new HashMap<>();
        for (Pool.Member member : members) {
            if (member.targets.length > 0 == runs) {
                for (String host : member.service.hosts()) {
                    byHostAndPath
                            .computeIfAbsent(host, h -> new HashMap<>())
                            .computeIfAbsent(member.service.path(), p -> new ArrayList<>(1))
                            .add(member);
                }
            }
        }
        Map<String, PathIndex<Pool>> byHost = new HashMap<>();
        byHostAndPath.forEach((host, byPath) -> {
            Map<String, Pool> pools = new HashMap<>();
            byPath.forEach((path, equals) -> pools.put(path, new Pool(equals, turnOf.apply(new Route(host, path)))));
            byHost.put(host, new PathIndex<>(pools));
        });
        return new HostIndex<>(byHost);
    }

    /**
     * The pool for a request, or null if no service fits.
     *
     * @param host the Host field's value; empty if there is none
     * @param path the path, decoded, without the query
     */
    @Nullable
    Pool match(String host, String path) {
        Pool pool = match(running, host, path);
        return pool != null ? pool : match(idle, host, path);
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
