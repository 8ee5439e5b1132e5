package io.millau.docker;

import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What one look at an engine showed. Immutable.
 *
 * @param services those with labels of ours
 * @param tasks of these services, those that should run
 * @param nodes addresses of nodes by id, as far as a task needs one
 * @param containers all of this engine, running or not
 */
record EngineView(
        Role role,
        List<SwarmService> services,
        List<SwarmTask> tasks,
        Map<String, InetAddress> nodes,
        List<Container> containers,
        List<Network> networks) {

    /** What an engine is to a Swarm. */
    enum Role {
        /** In no Swarm. */
        ALONE,
        /** In one, but not told of services. */
        WORKER,
        MANAGER,
        /** A manager behind something that doesn't let us read services. */
        FORBIDDEN
    }

    /** The same with other tasks of some services. */
    EngineView withTasks(Collection<String> serviceIds, List<SwarmTask> theirs, Map<String, InetAddress> nodes) {
        List<SwarmTask> merged = Stream.concat(
                        tasks.stream().filter(task -> !serviceIds.contains(task.serviceId())),
                        theirs.stream().filter(task -> serviceIds.contains(task.serviceId())))
                .toList();
        return new EngineView(role, services, merged, nodes, containers, networks);
    }
}
