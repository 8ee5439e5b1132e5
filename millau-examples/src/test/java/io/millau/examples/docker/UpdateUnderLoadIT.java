package io.millau.examples.docker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code docker service update --force}, of an application that takes two seconds to start and of one that ignores
 * SIGTERM, on three nodes.
 */
@RequiresImages
@Tag("load")
@ExtendWith(Stage.OfThreeNodes.class)
class UpdateUnderLoadIT {

    private static final List<String> APPS = List.of("slow", "stubborn");

    @ParameterizedTest
    @ValueSource(strings = {"with a health check", "without a health check"})
    void nothingIsLost(String check, Stage stage) throws Exception {
        try (Stack stack = stage.deployText(text(check), check.replace(' ', '-'))) {
            for (String app : APPS) {
                stack.awaitInstances(app, 3, List.of());
                stack.front().await(app + ".local", "/", answer -> answer.status() == 200);
            }
            for (String order : List.of("start-first", "stop-first")) {
                try (Crowd crowd = Crowd.at(stack.front(), "slow.local", "stubborn.local")) {
                    for (int round = 0; round < Rounds.NUMBER; round++) {
                        update(stack, order);
                        crowd.awaitRequests(500);
                    }
                    crowd.endsWell(order + ", " + check, instances(stack));
                }
            }
        }
    }

    private static void update(Stack stack, String order) {
        List<String> before = instances(stack);
        for (String app : APPS) {
            stack.engine()
                    .docker(
                            "service",
                            "update",
                            "--detach",
                            "--force",
                            "--update-order=" + order,
                            stack.name() + "_" + app);
        }
        for (String app : APPS) {
            stack.awaitInstances(app, 3, before);
            stack.awaitEnded(app);
        }
    }

    private static List<String> instances(Stack stack) {
        return APPS.stream().flatMap(app -> stack.instances(app).stream()).toList();
    }

    private static String text(String check) throws IOException {
        String healthcheck = check.startsWith("without")
                ? "{disable: true}"
                : "{test: [\"CMD\", \"/probe\", \"80\", \"/health\"], interval: 1s}";
        return Files.readString(Path.of("src/test/resources/updates.yml")).replace("HEALTHCHECK", healthcheck);
    }
}
