package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code stacks/rolling-update.yml}, under load all the time. */
@RequiresImages
@Tag("load")
@ExtendWith(Stage.Provider.class)
class RollingUpdateIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final int CONNECTIONS = 6;

    private static Stack stack;

    @BeforeAll
    static void deploy(Stage stage) {
        stack = stage.deploy("rolling-update.yml", "rolling");
    }

    @AfterAll
    static void remove() {
        if (stack != null) {
            stack.close();
        }
    }

    @BeforeEach
    void awaitThreeInstances() {
        stack.front().awaitInstances("localhost", "/", 3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"start-first", "stop-first"})
    void aForcedUpdateLosesNoRequest(String order) throws Exception {
        Set<String> before = Set.copyOf(stack.instances("app"));
        Load load = Load.ofGetsAndPosts(stack.front(), "localhost", CONNECTIONS);
        try (load) {
            await().atMost(PATIENCE).until(() -> load.instances().equals(before));
            stack.engine()
                    .docker(
                            "service",
                            "update",
                            "--detach",
                            "--force",
                            "--update-order=" + order,
                            "--update-monitor=0s",
                            "rolling_app");
            stack.awaitInstances("app", 3, before);
            await("every new instance has answered")
                    .atMost(PATIENCE)
                    .until(() -> load.instances().containsAll(stack.instances("app")));
        }
        System.out.println(order + ": " + load.requests() + " requests, failed: " + load.failures());
        assertThat(load.failures()).isEmpty();
    }

    /** As a script does after {@code docker service update}, which returns at once. */
    @Test
    void waitEndsWhenTheNewVersionIsInRotation() {
        Set<String> before = Set.copyOf(stack.instances("app"));
        stack.engine().docker("service", "update", "--detach", "--force", "--update-monitor=0s", "rolling_app");

        assertThat(stack.engine()
                        .docker(
                                "exec",
                                stack.proxy(),
                                "millau",
                                "wait",
                                "rolling_app",
                                "--replicas",
                                "3",
                                "--timeout",
                                String.valueOf(PATIENCE.toSeconds())))
                .contains("rolling_app: 3 instances are in rotation, and each answers");
        assertThat(stack.instances("app")).hasSize(3).doesNotContainAnyElementsOf(before);
    }

    @Test
    void aNewReplicaGetsRequestsSoonAfterItRuns() throws Exception {
        List<Long> fromScale = new ArrayList<>();
        List<Long> fromRunning = new ArrayList<>();
        Load load = Load.ofGetsAndPosts(stack.front(), "localhost", CONNECTIONS);
        try (load) {
            for (int round = 0; round < 5; round++) {
                Set<String> before = Set.copyOf(stack.instances("app"));
                Set<String> tasks = Set.copyOf(stack.tasks("app"));
                Instant start = Instant.now();
                stack.engine().docker("service", "scale", "--detach", "rolling_app=4");
                stack.front().await("localhost", "/", answer -> !before.contains(answer.instance()));
                Instant first = Instant.now();
                String added = stack.tasks("app").stream()
                        .filter(task -> !tasks.contains(task))
                        .findFirst()
                        .orElseThrow();
                fromScale.add(Duration.between(start, first).toMillis());
                fromRunning.add(Duration.between(stack.since(added), first).toMillis());
                stack.engine().docker("service", "scale", "--detach", "rolling_app=3");
                await().atMost(PATIENCE).until(() -> stack.instances("app").size() == 3);
            }
        }
        System.out.println("From docker service scale to the first answer, ms: " + show(fromScale)
                + "; from the task's running: " + show(fromRunning));
        assertThat(load.failures()).isEmpty();
    }

    private static String show(List<Long> times) {
        return times + ", median " + times.stream().sorted().toList().get(times.size() / 2);
    }
}
