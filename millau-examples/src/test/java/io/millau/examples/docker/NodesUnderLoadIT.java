package io.millau.examples.docker;

import static org.awaitility.Awaitility.await;

import io.millau.docker.testing.Engine;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Of three nodes one is drained, one fails, and on one a container fails; {@code stacks/rolling-update.yml}. */
@RequiresImages
@ExtendWith(Stage.OfThreeNodes.class)
class NodesUnderLoadIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private static Stage stage;
    private static Stack stack;

    @BeforeAll
    static void deploy(Stage threeNodes) {
        stage = threeNodes;
        stack = stage.deploy("rolling-update.yml", "nodes");
    }

    @AfterAll
    static void remove() {
        if (stack != null) {
            stack.close();
        }
    }

    /** Swarm doesn't move what runs when a node is back, so one is to be asked to. */
    @BeforeEach
    void spread() {
        if (stack.instances("app").size() == 3 && stack.nodes("app").size() < 3) {
            stack.engine().docker("service", "update", "--detach", "--force", "nodes_app");
        }
        await("an instance on each node")
                .atMost(PATIENCE)
                .until(() -> stack.nodes("app").size() == 3);
        stack.front().awaitInstances("localhost", "/", 3);
    }

    @Test
    void nothingIsLostWhenANodeIsDrained() throws Exception {
        try (Crowd crowd = Crowd.at(stack.front(), "localhost")) {
            for (int round = 0; round < Rounds.NUMBER; round++) {
                for (Engine node : stage.workers()) {
                    String name = Stage.nodeName(node);
                    stack.engine().docker("node", "update", "--availability=drain", name);
                    await("three instances on the others")
                            .atMost(PATIENCE)
                            .until(() -> stack.instances("app").size() == 3
                                    && !stack.nodes("app").contains(name)
                                    && !stack.isEnding("app"));
                    stack.engine().docker("node", "update", "--availability=active", name);
                    crowd.awaitAnswersOf(stack.instances("app"));
                }
            }
            crowd.endsWell("a node drained, then the other", stack.instances("app"));
        }
    }

    @Test
    void onlyWhatItWasAnsweringIsLostWhenANodeFails() throws Exception {
        try (Crowd crowd = Crowd.at(stack.front(), "localhost")) {
            Accidents accidents = new Accidents();
            for (int round = 0; round < Rounds.NUMBER; round++) {
                Engine node = stage.workers().get(round % 2);
                String name = Stage.nodeName(node);
                accidents.happen(node::crash);
                try {
                    await("three instances on the others")
                            .atMost(PATIENCE)
                            .until(() -> stack.instances("app").size() == 3
                                    && !stack.nodes("app").contains(name));
                    crowd.awaitAnswersOf(stack.instances("app"));
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
                Engine node = stage.workers().get(round % 2);
                String victim = node.docker(
                        "ps", "--quiet", "--latest", "--filter=label=com.docker.swarm.service.name=nodes_app");
                accidents.happen(() -> node.docker("kill", "--signal=KILL", victim));
                await("another in its place").atMost(PATIENCE).until(() -> {
                    List<String> now = stack.instances("app");
                    return now.size() == 3 && !now.contains(victim);
                });
                crowd.awaitAnswersOf(stack.instances("app"));
            }
            crowd.endsWell("a container failed", stack.instances("app"), accidents::explain);
        }
    }
}
