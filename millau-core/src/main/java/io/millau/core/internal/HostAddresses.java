package io.millau.core.internal;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The addresses of host names, as they were resolved last. For one thread at a time. */
public final class HostAddresses {

    /** Finds the addresses of a host name; may block. */
    @FunctionalInterface
    public interface Resolver {

        /** All addresses of the host, at least one. */
        InetAddress[] resolve(String host) throws UnknownHostException;
    }

    private final Map<String, List<InetAddress>> known = new HashMap<>();

    /** The addresses of a host in an order that does not depend on the answer's. */
    public static List<InetAddress> resolve(Resolver resolver, String host) throws UnknownHostException {
        return Arrays.stream(resolver.resolve(host))
                .distinct()
                .sorted(Comparator.comparing(IpAddresses::text))
                .toList();
    }

    /** Remembers the addresses of a host. */
    public void put(String host, List<InetAddress> addresses) {
        known.put(host, addresses);
    }

    /** The addresses of a host; empty if it was never resolved. */
    public List<InetAddress> of(String host) {
        return known.getOrDefault(host, List.of());
    }

    /** Forgets all other hosts. */
    public void retain(Collection<String> hosts) {
        known.keySet().retainAll(hosts);
    }
}
