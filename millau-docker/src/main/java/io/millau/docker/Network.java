package io.millau.docker;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A network of the engine. Immutable.
 *
 * @param gateways of the subnets, in the same order
 */
record Network(String name, boolean bridge, List<Subnet> subnets, List<InetAddress> gateways) {

    static final Fields FIELDS = Fields.of("Name", "Driver", "IPAM/Config");

    /**
     * Docker's internal networks: the routing mesh, and the way out of a Swarm container. Services aren't reached
     * through them.
     */
    private static final Set<String> DOCKER_INTERNAL = Set.of("ingress", "docker_gwbridge");

    static boolean isDockerInternal(String name) {
        return DOCKER_INTERNAL.contains(name);
    }

    static Network of(Json json) {
        List<Subnet> subnets = new ArrayList<>();
        List<InetAddress> gateways = new ArrayList<>();
        for (Json range : json.path("IPAM").path("Config")) {
            String subnet = range.path("Subnet").asText();
            if (subnet.isEmpty()) {
                continue;
            }
            subnets.add(Subnet.of(subnet));
            String gateway = range.path("Gateway").asText();
            // The list has no gateway for the default bridge.
            gateways.add(gateway.isEmpty() ? Subnet.of(subnet).first() : Subnet.literal(gateway));
        }
        return new Network(
                json.path("Name").asText(), json.path("Driver").asText().equals("bridge"), subnets, gateways);
    }
}
