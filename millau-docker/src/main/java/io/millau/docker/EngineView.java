package io.millau.docker;

import java.net.InetAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The state of an engine at one time. Immutable.
 *
 * @param services those with our labels
 * @param tasks of these services, those whose desired state is running
 * @param nodes addresses of nodes by id; may be incomplete if no task needs them
 * @param failures why tasks don't run, by service id, of services that don't have all their tasks
 * @param containers all of this engine, running or not
 */
record EngineView(
        Role role,
        List<SwarmService> services,
        List<SwarmTask> tasks,
        Map<String, InetAddress> nodes,
        Map<String, String> failures,
        List<Container> containers,
        List<Network> networks) {

    static final EngineView NOTHING =
            new EngineView(Role.ALONE, List.of(), List.of(), Map.of(), Map.of(), List.of(), List.of());

    /** An engine's role in a Swarm. */
    enum Role {
        /** Not in a Swarm. */
        ALONE,
        /** In a Swarm, but services can't be read here. */
        WORKER,
        MANAGER,
        /** A manager behind a proxy that doesn't allow services to be read. */
        FORBIDDEN
    }

    /** The same state, with some services replaced: those that are not among {@code theirs} are gone. */
    EngineView withServices(Collection<String> serviceIds, List<SwarmService> theirs) {
        List<SwarmService> merged = Stream.concat(
                        services.stream().filter(service -> !serviceIds.contains(service.id())),
                        theirs.stream().filter(service -> serviceIds.contains(service.id())))
                .toList();
        return new EngineView(role, merged, tasks, nodes, failures, containers, networks);
    }

    /** The same state, with the tasks of some services replaced, and why others of these services don't run. */
    EngineView withTasks(
            Collection<String> serviceIds,
            List<SwarmTask> theirs,
            Map<String, InetAddress> nodes,
            Map<String, String> theirFailures) {
        Map<String, String> failures = new HashMap<>(this.failures);
        failures.keySet().removeAll(serviceIds);
        failures.putAll(theirFailures);
        List<SwarmTask> replaced = tasks.stream()
                .filter(task -> serviceIds.contains(task.serviceId()))
                .toList();
        if (nodes.equals(this.nodes)
                && failures.equals(this.failures)
                && new HashSet<>(replaced).equals(new HashSet<>(theirs))) {
            return this;
        }
        List<SwarmTask> merged = Stream.concat(
                        tasks.stream().filter(task -> !serviceIds.contains(task.serviceId())),
                        theirs.stream().filter(task -> serviceIds.contains(task.serviceId())))
                .toList();
        return new EngineView(role, services, merged, nodes, failures, containers, networks);
    }

    /** The same state, with other failures, of services and of containers. */
    EngineView withFailures(Map<String, String> failures, List<Container> containers) {
        return new EngineView(role, services, tasks, nodes, failures, containers, networks);
    }

    /** The same state, with other containers and networks. */
    EngineView withContainers(List<Container> containers, List<Network> networks) {
        return new EngineView(role, services, tasks, nodes, failures, containers, networks);
    }
}
