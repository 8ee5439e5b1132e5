package io.millau.examples.docker;

import static org.awaitility.Awaitility.await;

import io.millau.docker.testing.Engine;
import java.time.Duration;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Of three nodes one is drained, one fails, and on one a container fails; {@code stacks/rolling-update.yml}. */
@RequiresImages
@Tag("load")
@ExtendWith(Stage.OfThreeOwnNodes.class)
class NodesUnderLoadIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private static Stage stage;
    private static Stack stack;

    @BeforeAll
    static void deploy(Stage threeNodes) {
        stage = threeNodes;
        stack = stage.deploy("rolling-update.yml", "nodes");
    }

    @BeforeEach
    void awaitThreeInstances() {
        stack.awaitInstances("app", 3, List.of());
        stack.awaitEnded("app");
        stack.front().awaitInstances("localhost", "/", 3);
    }

    @Test
    void nothingIsLostWhenANodeIsDrained() throws Exception {
        try (Crowd crowd = Crowd.at(stack.front(), "localhost")) {
            for (int round = 0; round < Rounds.NUMBER; round++) {
                Engine node = busyWorker();
                List<String> there = stack.instancesOn(node, "app");
                availability(node, "drain");
                List<String> now = stack.awaitInstances("app", 3, there);
                stack.awaitEnded("app");
                availability(node, "active");
                crowd.awaitAnswersOf(now);
            }
            crowd.endsWell("a node drained", stack.instances("app"));
        }
    }

    /** The one with the most instances; the manager isn't the only one to have any. */
    private static Engine busyWorker() {
        return Collections.max(
                stage.workers(),
                Comparator.comparingInt(node -> stack.instancesOn(node, "app").size()));
    }

    private static void availability(Engine node, String availability) {
        stack.engine().docker("node", "update", "--availability=" + availability, Stage.nodeName(node));
    }

    @Test
    void onlyWhatItWasAnsweringIsLostWhenANodeFails() throws Exception {
        try (Crowd crowd = Crowd.at(stack.front(), "localhost")) {
            Accidents accidents = new Accidents();
            for (int round = 0; round < Rounds.NUMBER; round++) {
                Engine node = busyWorker();
                String name = Stage.nodeName(node);
                List<String> there = stack.instancesOn(node, "app");
                accidents.happen(node::crash);
                try {
                    crowd.awaitAnswersOf(stack.awaitInstances("app", 3, there));
                } finally {
                    node.startAgain();
                }
                await("the node is back")
                        .atMost(PATIENCE)
                        .until(() -> stack.engine()
                                .docker("node", "inspect", "--format={{.Status.State}}", name)
                                .equals("ready"));
            }
            crowd.endsWell("a node failed", stack.instances("app"), accidents::explain);
        }
    }

    @Test
    void onlyWhatItWasAnsweringIsLostWhenAContainerFails() throws Exception {
        try (Crowd crowd = Crowd.at(stack.front(), "localhost")) {
            Accidents accidents = new Accidents();
            for (int round = 0; round < Rounds.NUMBER; round++) {
                Engine node = busyWorker();
                List<String> victims = stack.instancesOn(node, "app");
                accidents.happen(() -> node.docker("kill", "--signal=KILL", victims.get(0)));
                crowd.awaitAnswersOf(stack.awaitInstances("app", 3, victims.subList(0, 1)));
            }
            crowd.endsWell("a container failed", stack.instances("app"), accidents::explain);
        }
    }
}
