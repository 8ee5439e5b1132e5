package io.millau.examples.docker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code docker service update --force}, of an application that takes two seconds to start and of one that ignores
 * SIGTERM, on three nodes.
 */
@RequiresImages
@ExtendWith(Stage.OfThreeNodes.class)
class UpdateUnderLoadIT {

    private static final List<String> APPS = List.of("slow", "stubborn");

    @ParameterizedTest
    @CsvSource({
        "start-first, a health check",
        "stop-first, a health check",
        "start-first, no health check",
        "stop-first, no health check"
    })
    void nothingIsLost(String order, String check, Stage stage) throws Exception {
        String name = (order + "-with-" + check).replace(' ', '-');
        try (Stack stack = stage.deployText(text(order, check), name)) {
            stack.front().awaitInstances("slow.local", "/", 3);
            stack.front().awaitInstances("stubborn.local", "/", 3);
            try (Crowd crowd = Crowd.at(stack.front(), "slow.local", "stubborn.local")) {
                for (int round = 0; round < Rounds.NUMBER; round++) {
                    List<String> before = instances(stack);
                    for (String app : APPS) {
                        stack.engine().docker("service", "update", "--detach", "--force", name + "_" + app);
                    }
                    for (String app : APPS) {
                        stack.awaitInstances(app, 3, before);
                        stack.awaitEnded(app);
                    }
                    crowd.awaitRequests(500);
                }
                crowd.endsWell(order + ", " + check, instances(stack));
            }
        }
    }

    private static List<String> instances(Stack stack) {
        return APPS.stream().flatMap(app -> stack.instances(app).stream()).toList();
    }

    private static String text(String order, String check) throws IOException {
        String healthcheck = check.startsWith("no")
                ? "{disable: true}"
                : "{test: [\"CMD\", \"/probe\", \"80\", \"/health\"], interval: 1s}";
        return Files.readString(Path.of("src/test/resources/updates.yml"))
                .replace("ORDER", order)
                .replace("HEALTHCHECK", healthcheck);
    }
}
