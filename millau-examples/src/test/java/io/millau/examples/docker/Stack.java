package io.millau.examples.docker;

import static java.util.stream.Collectors.toSet;

import io.millau.docker.testing.Engine;
import java.time.Instant;
import java.util.List;
import java.util.Set;

/**
 * A stack that was deployed, with a proxy in it.
 *
 * @param front where its proxy answers
 */
record Stack(Engine engine, String name, Front front) implements AutoCloseable {

    /** What its proxy has logged so far. */
    String log() {
        String proxy = engine.docker(
                "ps", "--quiet", "--latest", "--filter", "label=com.docker.swarm.service.name=" + name + "_millau");
        return engine.docker("logs", proxy);
    }

    /** The host names of a service's instances that run and are to run. */
    List<String> instances(String service) {
        return tasks(service).stream()
                .map(id -> engine.docker(
                        "inspect",
                        "--type=task",
                        "--format={{if eq .Status.State \"running\"}}{{.Status.ContainerStatus.ContainerID}}{{end}}",
                        id))
                .filter(container -> !container.isEmpty())
                .map(container -> container.substring(0, 12))
                .toList();
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

    /** The names of the nodes on which a service's instances run. */
    Set<String> nodes(String service) {
        return engine.docker(
                        "service",
                        "ps",
                        "--filter=desired-state=running",
                        "--format={{.Node}} {{.CurrentState}}",
                        name + "_" + service)
                .lines()
                .filter(line -> line.contains(" Running "))
                .map(line -> line.substring(0, line.indexOf(' ')))
                .collect(toSet());
    }

    /** Whether an instance of a service still runs that is not to. */
    boolean isEnding(String service) {
        return engine.docker(
                        "service",
                        "ps",
                        "--filter=desired-state=shutdown",
                        "--format={{.CurrentState}}",
                        name + "_" + service)
                .lines()
                .anyMatch(state -> state.startsWith("Running"));
    }

    /** Since when a task is in the state that it is in. */
    Instant since(String task) {
        return Instant.parse(engine.docker("inspect", "--type=task", "--format={{json .Status.Timestamp}}", task)
                .replace("\"", ""));
    }

    /** Removes it; doesn't wait for its containers' end. */
    @Override
    public void close() {
        engine.docker("stack", "rm", name);
    }
}
