package io.millau.examples.docker;

import static org.awaitility.Awaitility.await;

import io.millau.docker.testing.Engine;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;

/**
 * A stack that was deployed, with a proxy in it.
 *
 * @param front where its proxy answers
 * @param securePort where it answers over HTTPS, if it does
 */
record Stack(Engine engine, String name, Front front, int securePort) implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    /** Each look is a process of its own, or several: more of them would be a load themselves. */
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(500);

    /** The id of its proxy's container. */
    String proxy() {
        return engine.docker(
                "ps", "--quiet", "--latest", "--filter", "label=com.docker.swarm.service.name=" + name + "_millau");
    }

    /** What its proxy has logged so far. */
    String log() {
        return engine.docker("logs", proxy());
    }

    /** The host names of a service's instances that run and are to run. */
    List<String> instances(String service) {
        List<String> tasks = tasks(service);
        if (tasks.isEmpty()) {
            return List.of();
        }
        List<String> inspect = new ArrayList<>(List.of(
                "inspect",
                "--type=task",
                "--format={{if eq .Status.State \"running\"}}{{.Status.ContainerStatus.ContainerID}}{{end}}"));
        inspect.addAll(tasks);
        return engine.docker(inspect.toArray(new String[0]))
                .lines()
                .filter(container -> !container.isEmpty())
                .map(container -> container.substring(0, 12))
                .toList();
    }

    /** The host names of a service's instances that run on a node. */
    List<String> instancesOn(Engine node, String service) {
        return node.docker("ps", "--quiet", "--filter=label=com.docker.swarm.service.name=" + name + "_" + service)
                .lines()
                .toList();
    }

    /** Waits until so many instances of a service run and are to run, others than these, and returns them. */
    List<String> awaitInstances(String service, int number, Collection<String> others) {
        return await(number + " instances of " + service)
                .atMost(PATIENCE)
                .pollInterval(BETWEEN_LOOKS)
                .until(() -> instances(service), now -> now.size() == number && Collections.disjoint(now, others));
    }

    /** Waits until no instance of a service runs any more that is not to. */
    void awaitEnded(String service) {
        await("the end of instances of " + service)
                .atMost(PATIENCE)
                .pollInterval(BETWEEN_LOOKS)
                .until(() -> engine.docker(
                                "service",
                                "ps",
                                "--filter=desired-state=shutdown",
                                "--format={{.CurrentState}}",
                                name + "_" + service)
                        .lines()
                        .noneMatch(state -> state.startsWith("Running")));
    }

    /** The ids of a service's tasks that are to run. */
    List<String> tasks(String service) {
        return engine.docker(
                        "service",
                        "ps",
                        "--quiet",
                        "--no-trunc",
                        "--filter=desired-state=running",
                        name + "_" + service)
                .lines()
                .toList();
    }

    /** Since when a task is in the state that it is in. */
    Instant since(String task) {
        return Instant.parse(engine.docker("inspect", "--type=task", "--format={{json .Status.Timestamp}}", task)
                .replace("\"", ""));
    }

    /**
     * Removes it; doesn't wait for its containers' end. The engine keeps a network while it still knows a task that uses it,
     * and then fails: what is left is removed later.
     */
    @Override
    public void close() {
        await("the removal of stack " + name)
                .atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .pollInterval(BETWEEN_LOOKS)
                .untilAsserted(() -> engine.docker("stack", "rm", name));
    }
}
