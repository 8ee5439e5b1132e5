package io.millau.docker;

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
import java.util.stream.Collectors;

/** Reads the state of an engine: all of it, or only what may have changed. For one connection and one thread. */
final class EngineReader {

    static final int MAX_SERVICES_IN_QUERY = 50;

    /** For a larger part of all services than this, listing all tasks is cheaper than queries by service. */
    private static final int QUERIED_PART = 4;

    private static final Fields NODE = Fields.of("ID", "Status/Addr", "ManagerStatus/Addr");

    private static final String PORT = ServiceLabels.PREFIX + "port";

    private final DockerApi api;
    private final Map<String, Inspected> inspected = new HashMap<>();

    /** Tasks are kept as they were first read, so that reading the same again leaves nothing in memory. */
    private final Map<String, SwarmTask> known = new HashMap<>();

    /** How many services the Swarm has, ours and others. */
    private int allServices;

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
            Json swarm = api.get("/info").path("Swarm");
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
            api.list("/services", SwarmService.FIELDS, SwarmService::of);
            return EngineView.Role.MANAGER;
        } catch (DockerApi.ErrorResponse e) {
            return isForbidden(e) ? EngineView.Role.FORBIDDEN : EngineView.Role.ALONE;
        }
    }

    /** Whether the response comes from a proxy of the socket, not from the engine. */
    private static boolean isForbidden(DockerApi.ErrorResponse response) {
        return response.status() == 401 || response.status() == 403;
    }

    /**
     * Reads services, tasks, containers and networks.
     *
     * @param last what was read before; its failures hold on where they can't be read now
     */
    EngineView everything(EngineView last) throws IOException, InterruptedException {
        List<SwarmService> services = List.of();
        List<SwarmTask> tasks = List.of();
        Map<String, InetAddress> nodes = Map.of();
        Map<String, String> failures = Map.of();
        if (role == EngineView.Role.MANAGER) {
            try {
                services = services();
                tasks = tasks(ids(services));
                known.keySet().retainAll(tasks.stream().map(SwarmTask::id).collect(Collectors.toSet()));
                nodes = nodes(tasks, Map.of());
                failures = TaskFailures.read(api, services, tasks, last.failures());
            } catch (DockerApi.ErrorResponse e) {
                if (!isForbidden(e)) {
                    throw e;
                }
                role = EngineView.Role.FORBIDDEN;
                services = List.of();
                tasks = List.of();
            }
        }
        return new EngineView(role, services, tasks, nodes, failures, containers(), networks());
    }

    /** Reads some services again, with their tasks. */
    EngineView servicesAgain(Collection<String> serviceIds, EngineView last) throws IOException, InterruptedException {
        List<SwarmService> services = new ArrayList<>();
        for (List<String> some : queries(serviceIds)) {
            services.addAll(ours(api.list(
                    DockerApi.filtered("/services", Map.of("id", some)), SwarmService.FIELDS, SwarmService::of)));
        }
        return tasksAgain(serviceIds, last.withServices(serviceIds, services));
    }

    /** Reads the tasks of some services again. */
    EngineView tasksAgain(Collection<String> serviceIds, EngineView last) throws IOException, InterruptedException {
        Set<String> there = new TreeSet<>(ids(last.services()));
        there.retainAll(serviceIds);
        List<SwarmTask> tasks = tasks(there);
        List<SwarmService> services = last.services().stream()
                .filter(service -> there.contains(service.id()))
                .toList();
        return last.withTasks(
                serviceIds,
                tasks,
                nodes(tasks, last.nodes()),
                TaskFailures.read(api, services, tasks, last.failures()));
    }

    /** Reads containers and networks again. */
    EngineView containersAgain(EngineView last) throws IOException, InterruptedException {
        return last.withContainers(containers(), networks());
    }

    private static Set<String> ids(Collection<SwarmService> services) {
        return services.stream().map(SwarmService::id).collect(Collectors.toSet());
    }

    private List<SwarmService> services() throws IOException, InterruptedException {
        List<SwarmService> all = api.list("/services", SwarmService.FIELDS, SwarmService::of);
        allServices = all.size();
        return ours(all);
    }

    private static List<SwarmService> ours(List<SwarmService> services) {
        return services.stream()
                .filter(service -> ServiceLabels.mayConcern(service.labels()))
                .toList();
    }

    private List<SwarmTask> tasks(Set<String> serviceIds) throws IOException, InterruptedException {
        if (serviceIds.size() > Math.max(MAX_SERVICES_IN_QUERY, allServices / QUERIED_PART)) {
            return tasks(serviceIds, Map.of());
        }
        List<SwarmTask> tasks = new ArrayList<>();
        try {
            for (List<String> some : queries(serviceIds)) {
                tasks.addAll(tasks(serviceIds, Map.of("service", some)));
            }
        } catch (DockerApi.ErrorResponse e) {
            if (e.status() != 404) {
                throw e;
            }
            // One of the services was removed meanwhile.
            return tasks(serviceIds, Map.of());
        }
        return tasks;
    }

    private List<SwarmTask> tasks(Set<String> serviceIds, Map<String, List<String>> filter)
            throws IOException, InterruptedException {
        Map<String, List<String>> filters = new HashMap<>(filter);
        filters.put("desired-state", List.of("running"));
        return api.list(DockerApi.filtered("/tasks", filters), SwarmTask.FIELDS, this::task).stream()
                .filter(task -> serviceIds.contains(task.serviceId()))
                .toList();
    }

    private SwarmTask task(Json json) {
        SwarmTask read = SwarmTask.of(json);
        SwarmTask before = known.get(read.id());
        if (before != null && before.equals(read)) {
            return before;
        }
        known.put(read.id(), read);
        return read;
    }

    /** As many services as one query may name. */
    static List<List<String>> queries(Collection<String> serviceIds) {
        List<String> ids = List.copyOf(serviceIds);
        List<List<String>> queries = new ArrayList<>();
        for (int i = 0; i < ids.size(); i += MAX_SERVICES_IN_QUERY) {
            queries.add(ids.subList(i, Math.min(ids.size(), i + MAX_SERVICES_IN_QUERY)));
        }
        return queries;
    }

    private Map<String, InetAddress> nodes(List<SwarmTask> tasks, Map<String, InetAddress> known)
            throws IOException, InterruptedException {
        if (tasks.stream()
                .allMatch(task -> !task.onHost() || task.nodeId().isEmpty() || known.containsKey(task.nodeId()))) {
            return known;
        }
        Map<String, InetAddress> nodes = new HashMap<>();
        for (Json node : api.list("/nodes", NODE, node -> node)) {
            String address = node.path("Status").path("Addr").asText();
            if (address.isEmpty() || Subnet.literal(address).isAnyLocalAddress()) {
                address = withoutPort(node.path("ManagerStatus").path("Addr").asText());
            }
            if (!address.isEmpty()) {
                nodes.put(node.text("ID"), Subnet.literal(address));
            }
        }
        return nodes;
    }

    private static String withoutPort(String address) {
        return address.replaceFirst(":[0-9]+$", "").replaceAll("[\\[\\]]", "");
    }

    private List<Container> containers() throws IOException, InterruptedException {
        List<Container> containers = new ArrayList<>();
        for (Container listed : api.list("/containers/json?all=true", Container.FIELDS, Container::of)) {
            Container container = listed;
            if (mayBeEnabled(listed) && needsPorts(listed)) {
                container = container.withPorts(inspect(listed.id()).ports);
            }
            if (mayBeEnabled(listed) && needsNetworkMode(listed)) {
                container = container.withNetworkMode(inspect(listed.id()).networkMode);
            }
            containers.add(container);
        }
        inspected.keySet().retainAll(containers.stream().map(Container::id).toList());
        return containers;
    }

    private static boolean mayBeEnabled(Container container) {
        return !container.isTask() && ServiceLabels.mayEnable(container.labels());
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
        return container.isReady()
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

        static Inspected of(Json json) {
            Set<Integer> ports = new TreeSet<>();
            json.path("Config").path("ExposedPorts").fields().keySet().forEach(port -> {
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
            return api.list("/networks", Network.FIELDS, Network::of);
        } catch (DockerApi.ErrorResponse e) {
            // Networks are needed only for messages and for the host's address.
            return List.of();
        }
    }
}
