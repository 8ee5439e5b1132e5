package io.millau.examples.docker;

import static org.awaitility.Awaitility.await;

import io.millau.docker.testing.Engine;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The only manager of three nodes is restarted, or hangs, and the proxy knows nothing new meanwhile; {@code
 * stacks/rolling-update.yml}. An engine in a Swarm takes its containers down with it, so the proxy is on another node and
 * reads the manager's from there.
 */
@RequiresImages
@Tag("load")
@ExtendWith(Stage.OfThreeOwnNodes.class)
class ManagerUnderLoadIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private static Engine manager;
    private static Stack stack;

    @BeforeAll
    static void deploy(Stage stage) {
        manager = stage.engine();
        // A manager that hangs for three times this takes all nodes for dead, and replaces every task there is.
        manager.docker("swarm", "update", "--dispatcher-heartbeat=30s");
        stack = stage.deployWithProxyOn(stage.workers().get(0), "rolling-update.yml", "manager");
        // Engines may tell each other late how to reach a new instance, which would then be out for a minute.
        manager.docker("service", "update", "--detach", "--label-add=millau.retry=2", "manager_app");
    }

    @BeforeEach
    void awaitThreeInstances() {
        stack.front().awaitInstances("localhost", "/", 3);
    }

    @AfterEach
    void thaw() {
        manager.thaw();
    }

    @Test
    void nothingIsLostWhenTheManagersEngineIsRestarted() throws Exception {
        try (Crowd crowd = Crowd.at(stack.front(), "localhost")) {
            for (int round = 0; round < Rounds.NUMBER; round++) {
                manager.stop();
                crowd.awaitRequests(2_000);
                manager.startAgain();
                change(crowd);
            }
            crowd.endsWell("the manager's engine restarted", stack.instances("app"));
        }
    }

    @Test
    void nothingIsLostWhileTheManagersEngineHangs() throws Exception {
        try (Crowd crowd = Crowd.at(stack.front(), "localhost")) {
            for (int round = 0; round < Rounds.NUMBER; round++) {
                manager.freeze();
                crowd.awaitRequests(12_000);
                manager.thaw();
                change(crowd);
            }
            crowd.endsWell("the manager's engine hung for 30 s", stack.instances("app"));
        }
    }

    /** To five instances and back to three; each of them has to be found. */
    private static void change(Crowd crowd) {
        for (int replicas : new int[] {5, 3}) {
            await("the manager")
                    .atMost(PATIENCE)
                    .ignoreExceptionsInstanceOf(AssertionError.class)
                    .untilAsserted(() -> manager.docker("service", "scale", "--detach", "manager_app=" + replicas));
            List<String> instances = stack.awaitInstances("app", replicas, List.of());
            stack.awaitEnded("app");
            crowd.awaitAnswersOf(instances);
        }
    }
}
