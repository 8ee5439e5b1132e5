package io.millau.docker;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Finds the address of a task or container that the proxy can reach. Immutable. */
record Addresses(Interfaces own, List<Network> networks) {

    private static int byNetwork(Attachment a, Attachment b) {
        int byName = a.network().compareTo(b.network());
        return byName != 0 ? byName : Boolean.compare(isIpv6(a), isIpv6(b));
    }

    private static boolean isIpv6(Attachment attachment) {
        return !(attachment.subnet().address() instanceof Inet4Address);
    }

    /**
     * The attachments in a subnet of one of the proxy's interfaces. The one on the preferred network comes first, then
     * by network name.
     */
    List<Attachment> reachable(List<Attachment> attachments, @Nullable String preferred) {
        return attachments.stream()
                .filter(attachment -> own.sharesSubnetWith(attachment.subnet().address()))
                .sorted((a, b) -> {
                    int byPreference = Boolean.compare(
                            b.network().equals(preferred), a.network().equals(preferred));
                    return byPreference != 0 ? byPreference : byNetwork(a, b);
                })
                .toList();
    }

    /**
     * The address of this engine's host, for a container on the host's network: loopback if the proxy is on it too,
     * else the gateway of a bridge that the proxy is on.
     */
    Optional<InetAddress> host() {
        List<InetAddress> gateways = networks.stream()
                .filter(Network::bridge)
                .sorted((a, b) -> a.name().compareTo(b.name()))
                .flatMap(network -> network.gateways().stream())
                .toList();
        if (gateways.stream().anyMatch(own::hasAddress)) {
            return Optional.of(InetAddress.getLoopbackAddress());
        }
        return gateways.stream().filter(own::sharesSubnetWith).findFirst();
    }

    /** Why no attachment is reachable. The same text for every replica, so that it is reported once. */
    String mismatch(List<Attachment> attachments) {
        String theirs = attachments.stream()
                .sorted(Addresses::byNetwork)
                .map(attachment ->
                        attachment.network() + " (" + attachment.subnet().network() + ")")
                .distinct()
                .collect(Collectors.joining(", "));
        return "shares no network with the proxy: it is on " + (theirs.isEmpty() ? "none" : theirs) + ", the proxy on "
                + ours() + "; expected one that both are on";
    }

    /** The proxy's networks, by name if the engine knows it, else by device. */
    private String ours() {
        String ours = own.all().stream()
                .flatMap(address -> {
                    String network = networkOf(address);
                    return Network.isDockerInternal(network)
                            ? Stream.empty()
                            : Stream.of(network + " (" + address.subnet() + ")");
                })
                .sorted()
                .collect(Collectors.joining(", "));
        return ours.isEmpty() ? "none" : ours;
    }

    private String networkOf(Interfaces.Own address) {
        return networks.stream()
                .filter(network -> network.subnets().stream()
                        .anyMatch(subnet -> subnet.contains(address.subnet().address())))
                .map(Network::name)
                .findFirst()
                .orElse(address.device());
    }
}
