package io.millau.docker;

import io.millau.core.internal.ServiceLabels;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How far an engine is with a service: which instances run as it was deployed last. Immutable.
 *
 * <pre>{@code
 * try {
 *     boolean isDone =
 *             DockerSource.local().deployment("shop").filter(Deployment::isDone).isPresent();
 *     System.out.println(isDone ? "shop runs as deployed" : "shop is not there yet");
 * } catch (IOException e) {
 *     System.err.println("Without Docker: " + e.getMessage());
 * }
 * }</pre>
 *
 * @param wanted how many instances there are to be; 0 if that depends on the nodes
 * @param instances the ids of those that run as deployed, and are healthy where they have a health check; the same as those of endpoints
 * @param others how many instances are of a version before, or don't run yet
 * @param updating whether an update is in progress
 * @param failure why the engine gave it up; null if it did not
 */
public record Deployment(
        int wanted,
        Set<String> instances,
        int others,
        boolean updating,
        @Nullable String failure) {

    private static final Fields SERVICE = Fields.of(
            "ID",
            "Spec/Name",
            "Spec/Mode/Replicated/Replicas",
            "Spec/TaskTemplate",
            "PreviousSpec/Name",
            "UpdateStatus/State",
            "UpdateStatus/Message");

    private static final Fields TASK = Fields.of("ID", "Status/State", "DesiredState", "Spec");

    /** What a new version may differ in. */
    private static final List<String> SPECIFIED =
            List.of("ContainerSpec", "Resources", "RestartPolicy", "LogDriver", "Networks");

    private static final Set<String> UPDATING = Set.of("updating", "rollback_started");

    /** States of updates that ended without success. */
    private static final Set<String> GIVEN_UP = Set.of("paused", "rollback_paused");

    /** Whether all instances run as deployed, and no others. */
    public boolean isDone() {
        boolean all = wanted == 0 ? !instances.isEmpty() : instances.size() == wanted;
        return failure == null && !updating && others == 0 && all;
    }

    static Optional<Deployment> read(DockerApi api, String name) throws IOException, InterruptedException {
        EngineReader reader = new EngineReader(api);
        reader.findRole();
        if (reader.isManager()) {
            boolean isId = name.startsWith(SnapshotBuilder.SWARM);
            String key = isId ? name.substring(SnapshotBuilder.SWARM.length()) : name;
            Optional<Json> service = api
                    .list(
                            DockerApi.filtered("/services", Map.of(isId ? "id" : "name", List.of(key))),
                            SERVICE,
                            json -> json)
                    .stream()
                    .filter(json -> (isId ? json.path("ID") : json.path("Spec").path("Name"))
                            .asText()
                            .equals(key))
                    .findFirst();
            if (service.isPresent()) {
                return Optional.of(ofSwarm(api, service.get()));
            }
        }
        return ofContainers(api, name);
    }

    private static Deployment ofSwarm(DockerApi api, Json service) throws IOException, InterruptedException {
        Map<String, List<String>> running =
                Map.of("service", List.of(service.text("ID")), "desired-state", List.of("running"));
        Json deployed = service.path("Spec").path("TaskTemplate");
        Set<String> instances = new TreeSet<>();
        int others = 0;
        for (Json task : api.list(DockerApi.filtered("/tasks", running), TASK, json -> json)) {
            if (task.path("Status").path("State").asText().equals("running") && isOf(deployed, task.path("Spec"))) {
                instances.add(task.text("ID"));
            } else {
                others++;
            }
        }
        String state = service.path("UpdateStatus").path("State").asText();
        return new Deployment(
                service.path("Spec")
                        .path("Mode")
                        .path("Replicated")
                        .path("Replicas")
                        .asInt(0),
                instances,
                others,
                UPDATING.contains(state),
                isGivenUp(service, state)
                        ? "the update ended as " + state + ": "
                                + service.path("UpdateStatus").path("Message").asText()
                                + TaskFailures.last(api, service.text("ID"))
                                        .map(failure -> ": " + failure)
                                        .orElse("")
                        : null);
    }

    /** After a rollback of its own the engine knows no version before; after one that somebody wanted it does. */
    private static boolean isGivenUp(Json service, String state) {
        boolean isByEngine = service.path("PreviousSpec").path("Name").asText().isEmpty();
        return GIVEN_UP.contains(state) || state.equals("rollback_completed") && isByEngine;
    }

    /** A task has a copy of what its service was when it was made. */
    private static boolean isOf(Json deployed, Json task) {
        return SPECIFIED.stream().allMatch(part -> deployed.path(part).equals(task.path(part)))
                && deployed.path("ForceUpdate").asLong()
                        == task.path("ForceUpdate").asLong();
    }

    private static Optional<Deployment> ofContainers(DockerApi api, String name)
            throws IOException, InterruptedException {
        Map<String, List<Container>> services = api.list("/containers/json", Container.FIELDS, Container::of).stream()
                .filter(container -> container.serviceName().equals(name)
                        || container.serviceId().equals(name))
                .filter(container -> !container.isTask() && !container.isOneOff())
                .filter(container -> ServiceLabels.mayEnable(container.labels()))
                .collect(Collectors.groupingBy(Container::serviceId));
        if (services.size() != 1) {
            return Optional.empty();
        }
        List<Container> replicas = services.values().iterator().next();
        Set<String> ready = replicas.stream()
                .filter(Container::isReady)
                .map(Container::id)
                .collect(Collectors.toCollection(TreeSet::new));
        return Optional.of(new Deployment(replicas.size(), ready, replicas.size() - ready.size(), false, null));
    }
}
