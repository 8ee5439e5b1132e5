package io.millau.docker;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A network that the engine knows. Immutable.
 *
 * @param gateway of each subnet, in the same order
 */
record Network(String name, boolean bridge, List<Subnet> subnets, List<InetAddress> gateways) {

    /** Docker's own plumbing: the routing mesh, and the way out of a Swarm container. No place to meet a service. */
    private static final Set<String> PLUMBING = Set.of("ingress", "docker_gwbridge");

    static boolean isPlumbing(String name) {
        return PLUMBING.contains(name);
    }

    static Network of(JsonNode json) {
        List<Subnet> subnets = new ArrayList<>();
        List<InetAddress> gateways = new ArrayList<>();
        for (JsonNode range : json.path("IPAM").path("Config")) {
            String subnet = range.path("Subnet").asText();
            if (subnet.isEmpty()) {
                continue;
            }
            subnets.add(Subnet.of(subnet));
            String gateway = range.path("Gateway").asText();
            // The default bridge's list entry has none.
            gateways.add(gateway.isEmpty() ? Subnet.of(subnet).first() : Subnet.literal(gateway));
        }
        return new Network(
                json.path("Name").asText(), json.path("Driver").asText().equals("bridge"), subnets, gateways);
    }
}
