package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Problem;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an operator learns of tasks that don't run. The tasks are as an engine (20.10) gave them. */
class TaskFailuresTest {

    private static final Map<String, String> LABELS = Map.of("millau.enabled", "true", "millau.port", "80");

    private final FakeEngine engine = new FakeEngine().manager();

    @AfterEach
    void close() {
        engine.close();
    }

    private void service(int replicas) {
        engine.on("/services", "[" + EngineJson.service("web", 1, replicas, LABELS) + "]");
    }

    /** @param tasks as "slot, state, desired state, error", in the order of their creation */
    private void tasks(String... tasks) {
        int[] second = {9};
        engine.on(
                "/tasks",
                Arrays.stream(tasks)
                        .map(task -> task.split(", "))
                        .map(task -> """
                                {"ID":"t%d","ServiceID":"web","Slot":%s,"CreatedAt":"2026-11-29T23:06:%d.5Z",
                                 "Status":{"State":"%s","Err":"%s"},"DesiredState":"%s",
                                 "NetworksAttachments":[{"Network":{"Spec":{"Name":"app"}},"Addresses":["10.0.1.3/24"]}]}""".formatted(
                                ++second[0], task[0], second[0], task[1], task.length > 3 ? task[3] : "", task[2]))
                        .collect(Collectors.joining(",", "[", "]")));
    }

    private List<String> problems() throws IOException {
        return engine.source().look().problems().stream().map(Problem::message).toList();
    }

    private long taskQueries() {
        return engine.requests().stream()
                .filter(request -> request.startsWith("GET /tasks"))
                .count();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "failed, shutdown, task: non-zero exit (1) | task: non-zero exit (1)",
                "rejected, shutdown, No such image: shop:1 | No such image: shop:1",
                "complete, shutdown | exited with code 0",
                "failed, shutdown | failed",
                "pending, running, no suitable node | no suitable node",
                "preparing, running |",
                "shutdown, shutdown |"
            })
    void theLastFailureOfAPlaceIsSaidUntilATaskRunsThere(String last, String failure) throws Exception {
        service(1);
        tasks("1, " + last, "1, ready, ready");
        assertThat(problems())
                .isEqualTo(
                        failure == null
                                ? List.of()
                                : List.of("a task does not run: " + failure
                                        + " (more: docker service ps --no-trunc web)"));

        tasks("1, failed, shutdown, task: non-zero exit (1)", "1, running, running");
        assertThat(problems()).isEmpty();
    }

    @Test
    void aFailureBeforeAnUpdateIsNotThatOfTheUpdate() throws Exception {
        service(1);
        tasks("1, failed, shutdown, out of memory", "1, running, shutdown", "1, preparing, running");
        assertThat(problems()).isEmpty();
    }

    @Test
    void twoPlacesWithOneFailureAreOneProblemAndOthersAreAdded() throws Exception {
        service(4);
        tasks(
                "1, running, running",
                "2, failed, shutdown, task: non-zero exit (1)",
                "3, rejected, shutdown, No such image: shop:1",
                "4, failed, shutdown, task: non-zero exit (1)");
        assertThat(problems())
                .containsExactly("a task does not run: No such image: shop:1; task: non-zero exit (1)"
                        + " (more: docker service ps --no-trunc web)");
    }

    @Test
    void moreThanThreeAreCountedAndIdsLeftOutSinceTheyChange() throws Exception {
        service(5);
        tasks(
                "1, failed, shutdown, a",
                "2, failed, shutdown, b",
                "3, failed, shutdown, c",
                "4, failed, shutdown, d",
                "5, failed, shutdown, aa endpoint web.5 (0123456789abcdef0123) \\n is taken");
        assertThat(problems())
                .containsExactly("a task does not run: a; aa endpoint web.5 (…)   is taken; b; and 2 more"
                        + " (more: docker service ps --no-trunc web)");
    }

    /** One service that is removed in between must not make the failures of all others go and come. */
    @Test
    void whatCannotBeReadStaysAsItWas() throws Exception {
        service(1);
        SwarmService web = SwarmService.of(EngineJson.json(EngineJson.service("web", 1, 1, LABELS)));
        engine.refusing("/tasks", 404);
        try (DockerApi api = new DockerApi(URI.create(engine.host()), null, Duration.ofSeconds(60))) {
            assertThat(TaskFailures.read(api, List.of(web), List.of(), Map.of("web", "no image", "gone", "x")))
                    .containsExactly(Map.entry("web", "no image"));
        }
    }

    @Test
    void aLongErrorIsCut() throws Exception {
        service(1);
        tasks("1, failed, shutdown, " + "x".repeat(5000));
        assertThat(problems()).singleElement().asString().hasSizeLessThan(400).contains("xxx…");
    }

    @Test
    void onlyServicesWithoutAllTheirTasksAreAskedFor() throws Exception {
        service(1);
        tasks("1, running, running");
        assertThat(problems()).isEmpty();
        assertThat(taskQueries()).isEqualTo(1);

        service(0);
        tasks();
        assertThat(problems()).isEmpty();
        assertThat(taskQueries()).isEqualTo(2);
    }
}
