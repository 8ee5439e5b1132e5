package io.millau.docker;

import java.util.ArrayList;
import java.util.List;

/**
 * A task of a Swarm service. Immutable.
 *
 * @param running whether both its state and its desired state are running
 * @param attachments its addresses, except those on Docker's internal networks
 * @param onHost whether it uses its node's host network
 */
record SwarmTask(
        String id, String serviceId, String nodeId, boolean running, List<Attachment> attachments, boolean onHost) {

    static final Fields FIELDS = Fields.of(
            "ID",
            "ServiceID",
            "NodeID",
            "Status/State",
            "DesiredState",
            "NetworksAttachments/Network/Spec/Name",
            "NetworksAttachments/Network/Spec/Ingress",
            "NetworksAttachments/Network/DriverState/Name",
            "NetworksAttachments/Addresses");

    private static final String RUNNING = "running";

    static SwarmTask of(Json json) {
        List<Attachment> attachments = new ArrayList<>();
        boolean onHost = false;
        for (Json attachment : json.path("NetworksAttachments")) {
            Json network = attachment.path("Network");
            String name = network.path("Spec").path("Name").asText().intern();
            onHost |= network.path("DriverState").path("Name").asText().equals("host");
            if (network.path("Spec").path("Ingress").asBoolean() || Network.isDockerInternal(name)) {
                continue;
            }
            for (Json address : attachment.path("Addresses")) {
                attachments.add(new Attachment(name, Subnet.of(address.asText())));
            }
        }
        return new SwarmTask(
                json.text("ID"),
                // Thousands of tasks have the same.
                json.path("ServiceID").asText().intern(),
                json.path("NodeID").asText().intern(),
                json.path("Status").path("State").asText().equals(RUNNING)
                        && json.path("DesiredState").asText().equals(RUNNING),
                attachments,
                onHost);
    }
}
