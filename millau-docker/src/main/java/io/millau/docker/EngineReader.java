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

/** Looks at an engine: at everything, or at the tasks of what moves. For one connection and one thread. */
final class EngineReader {

    /** A list of all tasks costs less than a query that names more services than this. */
    private static final int MOST_SERVICES_IN_A_QUERY = 50;

    private static final String PORT = ServiceLabels.PREFIX + "port";
    private static final String ENABLED = ServiceLabels.PREFIX + "enabled";

    private final DockerApi api;
    private final Map<String, Set<Integer>> exposedPorts = new HashMap<>();
    private EngineView.Role role = EngineView.Role.ALONE;

    EngineReader(DockerApi api) {
        this.api = api;
    }

    boolean isManager() {
        return role == EngineView.Role.MANAGER;
    }

    /** Asks again what the engine is to a Swarm; the looks that follow rely on it. */
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
        } catch (DockerApi.Refused e) {
            // A proxy of the socket that allows only what it must: then the services themselves tell.
            role = roleByServices();
        }
    }

    private EngineView.Role roleByServices() throws IOException, InterruptedException {
        try {
            api.list("/services", SwarmService::of);
            return EngineView.Role.MANAGER;
        } catch (DockerApi.Refused e) {
            return isForbidden(e) ? EngineView.Role.FORBIDDEN : EngineView.Role.ALONE;
        }
    }

    /** The response comes from something between, not from the engine. */
    private static boolean isForbidden(DockerApi.Refused refused) {
        return refused.status() == 401 || refused.status() == 403;
    }

    /** Looks at everything. */
    EngineView everything() throws IOException, InterruptedException {
        List<SwarmService> services = List.of();
        List<SwarmTask> tasks = List.of();
        Map<String, InetAddress> nodes = Map.of();
        if (role == EngineView.Role.MANAGER) {
            try {
                services = services();
                tasks = tasks(services.stream().map(SwarmService::id).toList());
                nodes = nodes(tasks, Map.of());
            } catch (DockerApi.Refused e) {
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

    /** Looks again at the tasks of some services. */
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
        if (serviceIds.size() <= MOST_SERVICES_IN_A_QUERY) {
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
        for (Container container : api.list("/containers/json?all=true", Container::of)) {
            containers.add(needsPorts(container) ? container.withPorts(exposedPorts(container.id())) : container);
        }
        exposedPorts.keySet().retainAll(containers.stream().map(Container::id).toList());
        return containers;
    }

    /** The list names exposed ports only while a container runs, and on no host's network. */
    private static boolean needsPorts(Container container) {
        return container.ports().isEmpty()
                && !container.isTask()
                && Boolean.parseBoolean(container.labels().get(ENABLED))
                && !container.labels().containsKey(PORT);
    }

    private Set<Integer> exposedPorts(String id) throws IOException, InterruptedException {
        Set<Integer> known = exposedPorts.get(id);
        if (known != null) {
            return known;
        }
        Set<Integer> ports = new TreeSet<>();
        try {
            JsonNode exposed =
                    api.get("/containers/" + id + "/json").path("Config").path("ExposedPorts");
            exposed.fieldNames().forEachRemaining(port -> {
                if (port.endsWith("/tcp")) {
                    ports.add(Integer.valueOf(port.substring(0, port.indexOf('/'))));
                }
            });
        } catch (DockerApi.Refused e) {
            // Gone since, or not to be looked at: as if it exposed none.
        }
        exposedPorts.put(id, ports);
        return ports;
    }

    private List<Network> networks() throws IOException, InterruptedException {
        try {
            return api.list("/networks", Network::of);
        } catch (DockerApi.Refused e) {
            // They give names to messages and find the host; all else works without.
            return List.of();
        }
    }
}
