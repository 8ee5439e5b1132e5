package io.millau.docker;

import io.millau.core.internal.ServiceLabels;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A Swarm service. Immutable.
 *
 * @param version grows with every change
 * @param replicas how many tasks it should have; {@link #UNKNOWN} if that depends on the nodes
 * @param updating whether an update or rollback is in progress
 * @param ports published TCP ports, as numbered inside the containers
 */
record SwarmService(
        String id,
        String name,
        long version,
        Map<String, String> labels,
        int replicas,
        boolean updating,
        Set<Integer> ports) {

    static final int UNKNOWN = -1;

    static final Fields FIELDS = Fields.of(
            "ID",
            "Version/Index",
            "Spec/Name",
            "Spec/Labels",
            "Spec/TaskTemplate/ContainerSpec/Labels",
            "Spec/Mode/Replicated/Replicas",
            "UpdateStatus/State",
            "Endpoint/Ports");

    static SwarmService of(Json json) {
        Json spec = json.path("Spec");
        String update = json.path("UpdateStatus").path("State").asText();
        return new SwarmService(
                json.text("ID"),
                spec.text("Name"),
                json.path("Version").path("Index").asLong(),
                labels(spec),
                spec.path("Mode").path("Replicated").path("Replicas").asInt(UNKNOWN),
                update.equals("updating") || update.equals("rollback_started"),
                ports(json));
    }

    /** The service's labels, or those of its containers if the service has none of ours. */
    private static Map<String, String> labels(Json spec) {
        Map<String, String> own = spec.path("Labels").strings();
        return ServiceLabels.concern(own)
                ? own
                : spec.path("TaskTemplate").path("ContainerSpec").path("Labels").strings();
    }

    private static Set<Integer> ports(Json json) {
        Set<Integer> ports = new TreeSet<>();
        for (Json port : json.path("Endpoint").path("Ports")) {
            if (port.path("Protocol").asText("tcp").equals("tcp")) {
                ports.add(port.path("TargetPort").asInt());
            }
        }
        return ports;
    }
}
