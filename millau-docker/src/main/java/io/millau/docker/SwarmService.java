package io.millau.docker;

import io.millau.core.internal.ServiceLabels;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * A Swarm service, with its own labels, or those of its containers if it has none of ours. Immutable.
 *
 * @param version grows with every change
 * @param replicas how many tasks it should have; {@link #UNKNOWN} if that depends on the nodes
 * @param updating whether an update or rollback is in progress
 * @param ignored names of our labels of its containers, which don't count beside those of the service
 * @param ports published TCP ports, as numbered inside the containers
 */
record SwarmService(
        String id,
        String name,
        long version,
        Map<String, String> labels,
        Set<String> ignored,
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
        Map<String, String> own = spec.path("Labels").strings();
        Map<String, String> ofContainers =
                spec.path("TaskTemplate").path("ContainerSpec").path("Labels").strings();
        boolean ownCount =
                ServiceLabels.concern(own) || !ServiceLabels.concern(ofContainers) && ServiceLabels.mayConcern(own);
        String update = json.path("UpdateStatus").path("State").asText();
        return new SwarmService(
                json.text("ID"),
                spec.text("Name"),
                json.path("Version").path("Index").asLong(),
                ownCount ? own : ofContainers,
                ownCount ? ours(ofContainers, own) : Set.of(),
                spec.path("Mode").path("Replicated").path("Replicas").asInt(UNKNOWN),
                update.equals("updating") || update.equals("rollback_started"),
                ports(json));
    }

    /** Our labels, but for those that the service has, too. */
    private static Set<String> ours(Map<String, String> labels, Map<String, String> own) {
        Set<String> ours = new TreeSet<>();
        labels.forEach((name, value) -> {
            if (ServiceLabels.isOurs(name) && !value.equals(own.get(name))) {
                ours.add(name);
            }
        });
        return ours;
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
