package io.millau.docker;

import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The state of an engine at one time. Immutable.
 *
 * @param services those with our labels
 * @param tasks of these services, those whose desired state is running
 * @param nodes addresses of nodes by id; may be incomplete if no task needs them
 * @param containers all of this engine, running or not
 */
record EngineView(
        Role role,
        List<SwarmService> services,
        List<SwarmTask> tasks,
        Map<String, InetAddress> nodes,
        List<Container> containers,
        List<Network> networks) {

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

    /** The same state, with the tasks of some services replaced. */
    EngineView withTasks(Collection<String> serviceIds, List<SwarmTask> theirs, Map<String, InetAddress> nodes) {
        List<SwarmTask> merged = Stream.concat(
                        tasks.stream().filter(task -> !serviceIds.contains(task.serviceId())),
                        theirs.stream().filter(task -> serviceIds.contains(task.serviceId())))
                .toList();
        return new EngineView(role, services, merged, nodes, containers, networks);
    }
}
