package io.millau.docker;

import com.fasterxml.jackson.databind.JsonNode;
import io.millau.core.internal.ServiceLabels;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Reads the state of an engine: all of it, or only the tasks of some services. For one connection and one thread. */
final class EngineReader {

    /** For more services than this, listing all tasks is cheaper than a query by service. */
    private static final int MAX_SERVICES_IN_QUERY = 50;

    private static final String PORT = ServiceLabels.PREFIX + "port";
    private static final String ENABLED = ServiceLabels.PREFIX + "enabled";

    private final DockerApi api;
    private final Map<String, Inspected> inspected = new HashMap<>();
    private EngineView.Role role = EngineView.Role.ALONE;

    EngineReader(DockerApi api) {
        this.api = api;
    }

    boolean isManager() {
        return role == EngineView.Role.MANAGER;
    }

    /**
     * Reads the engine's role in a Swarm. Call it before {@link #everything}, and again when the role may have changed.
     */
    void findRole() throws IOException, InterruptedException {
        try {
            JsonNode swarm = api.get("/info").path("Swarm");
            if (swarm.path("ControlAvailable").asBoolean()) {
                role = EngineView.Role.MANAGER;
            } else if (swarm.path("LocalNodeState").asText().equals("active")) {
                role = EngineView.Role.WORKER;
            } else {
                role = EngineView.Role.ALONE;
            }
        } catch (DockerApi.ErrorResponse e) {
            // A proxy of the socket may not allow /info. Then /services tells the role.
            role = roleByServices();
        }
    }

    private EngineView.Role roleByServices() throws IOException, InterruptedException {
        try {
            api.list("/services", SwarmService::of);
            return EngineView.Role.MANAGER;
        } catch (DockerApi.ErrorResponse e) {
            return isForbidden(e) ? EngineView.Role.FORBIDDEN : EngineView.Role.ALONE;
        }
    }

    /** Whether the response comes from a proxy of the socket, not from the engine. */
    private static boolean isForbidden(DockerApi.ErrorResponse response) {
        return response.status() == 401 || response.status() == 403;
    }

    /** Reads services, tasks, containers and networks. */
    EngineView everything() throws IOException, InterruptedException {
        List<SwarmService> services = List.of();
        List<SwarmTask> tasks = List.of();
        Map<String, InetAddress> nodes = Map.of();
        if (role == EngineView.Role.MANAGER) {
            try {
                services = services();
                tasks = tasks(services.stream().map(SwarmService::id).toList());
                nodes = nodes(tasks, Map.of());
            } catch (DockerApi.ErrorResponse e) {
                if (!isForbidden(e)) {
                    throw e;
                }
                role = EngineView.Role.FORBIDDEN;
                services = List.of();
                tasks = List.of();
            }
        }
        return new EngineView(role, services, tasks, nodes, containers(), networks());
    }

    /** Reads the tasks of some services again. */
    EngineView tasksOf(Collection<String> serviceIds, EngineView last) throws IOException, InterruptedException {
        List<SwarmTask> tasks = tasks(serviceIds);
        return last.withTasks(serviceIds, tasks, nodes(tasks, last.nodes()));
    }

    private List<SwarmService> services() throws IOException, InterruptedException {
        return api.list("/services", SwarmService::of).stream()
                .filter(service -> ServiceLabels.concern(service.labels()))
                .toList();
    }

    private List<SwarmTask> tasks(Collection<String> serviceIds) throws IOException, InterruptedException {
        if (serviceIds.isEmpty()) {
            return List.of();
        }
        Map<String, Collection<String>> filters = new HashMap<>();
        filters.put("desired-state", List.of("running"));
        if (serviceIds.size() <= MAX_SERVICES_IN_QUERY) {
            filters.put("service", serviceIds);
        }
        return api.list(DockerApi.filtered("/tasks", filters), SwarmTask::of).stream()
                .filter(task -> serviceIds.contains(task.serviceId()))
                .toList();
    }

    private Map<String, InetAddress> nodes(List<SwarmTask> tasks, Map<String, InetAddress> known)
            throws IOException, InterruptedException {
        if (tasks.stream()
                .allMatch(task -> !task.onHost() || task.nodeId().isEmpty() || known.containsKey(task.nodeId()))) {
            return known;
        }
        Map<String, InetAddress> nodes = new HashMap<>();
        for (JsonNode node : api.list("/nodes", node -> node)) {
            String address = node.path("Status").path("Addr").asText();
            if (address.isEmpty() || Subnet.literal(address).isAnyLocalAddress()) {
                address = withoutPort(node.path("ManagerStatus").path("Addr").asText());
            }
            if (!address.isEmpty()) {
                nodes.put(Json.text(node, "ID"), Subnet.literal(address));
            }
        }
        return nodes;
    }

    private static String withoutPort(String address) {
        return address.replaceFirst(":[0-9]+$", "").replaceAll("[\\[\\]]", "");
    }

    private List<Container> containers() throws IOException, InterruptedException {
        List<Container> containers = new ArrayList<>();
        for (Container listed : api.list("/containers/json?all=true", Container::of)) {
            Container container = listed;
            if (isEnabled(listed) && needsPorts(listed)) {
                container = container.withPorts(inspect(listed.id()).ports);
            }
            if (isEnabled(listed) && needsNetworkMode(listed)) {
                container = container.withNetworkMode(inspect(listed.id()).networkMode);
            }
            containers.add(container);
        }
        inspected.keySet().retainAll(containers.stream().map(Container::id).toList());
        return containers;
    }

    private static boolean isEnabled(Container container) {
        return !container.isTask() && Boolean.parseBoolean(container.labels().get(ENABLED));
    }

    /**
     * Whether the exposed ports have to be read. The list has them only for running containers that don't use the
     * host's network.
     */
    private static boolean needsPorts(Container container) {
        return container.ports().isEmpty() && !container.labels().containsKey(PORT);
    }

    /** Whether the network mode has to be read. Docker's list has it, Podman's (4.3) doesn't. */
    private static boolean needsNetworkMode(Container container) {
        return container.ready()
                && container.networkMode().isEmpty()
                && container.attachments().isEmpty();
    }

    private Inspected inspect(String id) throws IOException, InterruptedException {
        Inspected known = inspected.get(id);
        if (known != null) {
            return known;
        }
        Inspected read = Inspected.NOTHING;
        try {
            read = Inspected.of(api.get("/containers/" + id + "/json"));
        } catch (DockerApi.ErrorResponse e) {
            // Removed meanwhile, or not allowed: treated as if it exposed no ports.
        }
        inspected.put(id, read);
        return read;
    }

    /** What only an inspection of a container tells. It does not change. */
    private record Inspected(Set<Integer> ports, String networkMode) {

        static final Inspected NOTHING = new Inspected(Set.of(), "");

        static Inspected of(JsonNode json) {
            Set<Integer> ports = new TreeSet<>();
            json.path("Config").path("ExposedPorts").fieldNames().forEachRemaining(port -> {
                if (port.endsWith("/tcp")) {
                    ports.add(Integer.valueOf(port.substring(0, port.indexOf('/'))));
                }
            });
            return new Inspected(
                    ports, json.path("HostConfig").path("NetworkMode").asText());
        }
    }

    private List<Network> networks() throws IOException, InterruptedException {
        try {
            return api.list("/networks", Network::of);
        } catch (DockerApi.ErrorResponse e) {
            // Networks are needed only for messages and for the host's address.
            return List.of();
        }
    }
}
