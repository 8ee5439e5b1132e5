package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A crash loop is one problem: it neither ends nor begins again while what crashes happens to run. */
class CrashLoopsTest {

    private static final Map<String, String> LABELS = Map.of("millau.enabled", "true", "millau.port", "80");
    private static final String FAILURE = "task: non-zero exit (1)";

    private final CrashLoops loops = new CrashLoops();
    private long now;

    private EngineView apply(EngineView view) {
        return loops.applyTo(view, now);
    }

    private static EngineView service(Map<String, String> failures) {
        SwarmService web = SwarmService.of(EngineJson.json(EngineJson.service("web", 1, 1, LABELS)));
        return new EngineView(
                EngineView.Role.MANAGER, List.of(web), List.of(), Map.of(), failures, List.of(), List.of());
    }

    private static EngineView container(String id, String state, String status) {
        Container container = Container.of(EngineJson.json(EngineJson.container(id, LABELS, state, status, "")));
        return EngineView.NOTHING.withContainers(List.of(container), List.of());
    }

    private String failureOf(EngineView containers) {
        return apply(containers).containers().get(0).failure();
    }

    @Test
    void theFailureOfAServiceLastsUntilItsTasksHaveRunForAWhile() {
        EngineView failed = service(Map.of("web", FAILURE));
        EngineView runs = service(Map.of());
        assertThat(apply(runs)).isEqualTo(runs);
        for (int crash = 0; crash < 5; crash++) {
            assertThat(apply(failed).failures()).containsEntry("web", FAILURE);
            now += CrashLoops.TRIAL - 1;
            assertThat(apply(runs).failures()).containsEntry("web", FAILURE);
        }
        assertThat(loops.pause(now)).isEqualTo(1);

        now += loops.pause(now);
        assertThat(apply(runs)).isEqualTo(runs);
        assertThat(loops.pause(now)).isEqualTo(CrashLoops.NEVER);
    }

    @Test
    void theFailureOfAContainerThatIsRestartedLasts() {
        String failure = "exits with code 1 and is restarted";
        assertThat(failureOf(container("a", "running", "Up 3 seconds"))).isNull();
        assertThat(failureOf(container("a", "restarting", "Restarting (1) 1 second ago")))
                .isEqualTo(failure);
        now += CrashLoops.TRIAL - 1;
        assertThat(failureOf(container("a", "running", "Up 3 seconds"))).isEqualTo(failure);
        assertThat(failureOf(container("a", "running", "Up 3 seconds (health: starting)")))
                .isEqualTo(failure);
        assertThat(failureOf(container("a", "running", "Up 3 seconds (unhealthy)")))
                .isEqualTo("is unhealthy");
        apply(container("a", "restarting", "Restarting (1) 1 second ago"));
        assertThat(failureOf(container("b", "running", "Up 3 seconds"))).isNull();

        apply(container("a", "restarting", "Restarting (1) 1 second ago"));
        assertThat(failureOf(container("a", "exited", "Exited (0) 1 second ago")))
                .as("stopped")
                .isNull();

        apply(container("a", "restarting", "Restarting (1) 1 second ago"));
        now += CrashLoops.TRIAL;
        assertThat(failureOf(container("a", "running", "Up 33 seconds"))).isNull();
    }

    @Test
    void otherFailuresEndAtOnce() {
        assertThat(failureOf(container("a", "running", "Up 3 seconds (unhealthy)")))
                .isEqualTo("is unhealthy");
        assertThat(failureOf(container("a", "running", "Up 4 seconds (healthy)")))
                .isNull();
        assertThat(failureOf(container("a", "exited", "Exited (1) 3 seconds ago")))
                .isEqualTo("has exited with code 1");
        assertThat(failureOf(container("a", "running", "Up 1 second"))).isNull();
    }
}
