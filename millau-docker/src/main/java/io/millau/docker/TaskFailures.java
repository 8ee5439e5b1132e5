package io.millau.docker;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads why tasks of Swarm services don't run. The engine replaces a task that failed, and says why it failed only in
 * those that it replaced.
 */
final class TaskFailures {

    private static final Fields FIELDS =
            Fields.of("ServiceID", "Slot", "NodeID", "CreatedAt", "DesiredState", "Status/State", "Status/Err");

    /** Of more services than that, the others' failures aren't read. */
    private static final int MAX_SERVICES = 4 * EngineReader.MAX_SERVICES_IN_QUERY;

    private static final int MAX_LENGTH = 300;
    private static final int MAX_TEXTS = 3;

    /** Ids of containers and tasks, which are others after each attempt. */
    private static final Pattern IDS = Pattern.compile("\\b(?:[0-9a-f]{12,64}|[0-9a-z]{25})\\b");

    private static final Set<String> FAILED = Set.of("failed", "rejected");

    private TaskFailures() {}

    /**
     * Reads the failures of those services that don't have all their tasks.
     *
     * @param tasks of these services, those whose desired state is running
     * @param last the failures that were read before; those that can't be read now are the same
     * @return the failures in the engine's words, by service id
     */
    static Map<String, String> read(
            DockerApi api, Collection<SwarmService> services, Collection<SwarmTask> tasks, Map<String, String> last)
            throws IOException, InterruptedException {
        Map<String, List<SwarmTask>> byService = tasks.stream().collect(Collectors.groupingBy(SwarmTask::serviceId));
        List<String> incomplete = services.stream()
                .filter(service -> isIncomplete(service, byService.getOrDefault(service.id(), List.of())))
                .map(SwarmService::id)
                .sorted()
                .toList();
        Map<String, String> failures = new HashMap<>(last);
        failures.keySet().retainAll(incomplete);
        for (List<String> some :
                EngineReader.queries(incomplete.subList(0, Math.min(incomplete.size(), MAX_SERVICES)))) {
            try {
                Map<String, String> read = read(api, some);
                failures.keySet().removeAll(some);
                failures.putAll(read);
            } catch (DockerApi.ErrorResponse e) {
                // One of them was removed meanwhile, or they may not be read. Failures are needed only for messages.
            }
        }
        return failures;
    }

    private static Map<String, String> read(DockerApi api, List<String> services)
            throws IOException, InterruptedException {
        Map<String, List<Task>> all =
                api.list(DockerApi.filtered("/tasks", Map.of("service", services)), FIELDS, Task::of).stream()
                        .collect(Collectors.groupingBy(Task::serviceId));
        Map<String, String> failures = new HashMap<>();
        all.forEach((service, theirs) -> {
            Set<String> texts = failures(theirs);
            if (!texts.isEmpty()) {
                failures.put(service, text(texts));
            }
        });
        return failures;
    }

    /** The last failure among the tasks of a service, also of one that has been replaced since; empty if it can't be read. */
    static Optional<String> last(DockerApi api, String service) throws IOException, InterruptedException {
        try {
            return api
                    .list(DockerApi.filtered("/tasks", Map.of("service", List.of(service))), FIELDS, Task::of)
                    .stream()
                    .filter(task -> task.failure != null)
                    .max(Comparator.comparing(Task::created))
                    .map(Task::failure);
        } catch (DockerApi.ErrorResponse e) {
            return Optional.empty();
        }
    }

    private static String text(Set<String> failures) {
        String first = failures.stream().limit(MAX_TEXTS).collect(Collectors.joining("; "));
        int more = failures.size() - MAX_TEXTS;
        return more > 0 ? first + "; and " + more + " more" : first;
    }

    private static boolean isIncomplete(SwarmService service, List<SwarmTask> tasks) {
        long running = tasks.stream().filter(SwarmTask::running).count();
        return service.replicas() == SwarmService.UNKNOWN
                ? running == 0 || running < tasks.size()
                : running < service.replicas();
    }

    /** The failures of a service: one for each of its places, if no task runs there. */
    private static Set<String> failures(List<Task> tasks) {
        Map<String, List<Task>> places =
                tasks.stream().collect(Collectors.groupingBy(Task::place, TreeMap::new, Collectors.toList()));
        Set<String> failures = new TreeSet<>();
        for (List<Task> place : places.values()) {
            String failure = failure(place);
            if (failure != null) {
                failures.add(failure);
            }
        }
        return failures;
    }

    private static @Nullable String failure(List<Task> place) {
        List<Task> newestFirst = new ArrayList<>(place);
        newestFirst.sort(Comparator.comparing(Task::created).reversed());
        for (Task task : newestFirst) {
            if (task.failure != null) {
                return task.failure;
            }
            if (task.running || task.unwanted) {
                return null; // a failure before was mended
            }
        }
        return null;
    }

    /**
     * A task, old or new.
     *
     * @param place the number of the replica, or the node of a global service
     * @param created sorts by time
     * @param unwanted whether it is to stop, or has stopped, such as for an update
     */
    private record Task(
            String serviceId,
            String place,
            String created,
            boolean running,
            boolean unwanted,
            @Nullable String failure) {

        static Task of(Json json) {
            String slot = json.path("Slot").asText();
            String state = json.path("Status").path("State").asText();
            String desired = json.path("DesiredState").asText();
            boolean running = state.equals("running") && desired.equals("running");
            return new Task(
                    json.path("ServiceID").asText(),
                    slot.isEmpty() ? json.path("NodeID").asText() : slot,
                    // Without the Z, a time sorts before those with more digits.
                    json.path("CreatedAt").asText().replace("Z", ""),
                    running,
                    !desired.equals("running") && !desired.equals("ready"),
                    running
                            ? null
                            : failure(state, json.path("Status").path("Err").asText()));
        }

        private static @Nullable String failure(String state, String error) {
            if (!error.isEmpty()) {
                String line = error.length() <= MAX_LENGTH ? error : error.substring(0, MAX_LENGTH) + "…";
                return IDS.matcher(line.replaceAll("\\p{Cntrl}+", " ")).replaceAll("…");
            }
            if (state.equals("complete")) {
                return "exited with code 0";
            }
            return FAILED.contains(state) ? state : null;
        }
    }
}
