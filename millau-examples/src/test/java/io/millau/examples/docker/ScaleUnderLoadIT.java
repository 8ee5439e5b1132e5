package io.millau.examples.docker;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code docker service scale} on three nodes; a service for {@code *} answers while nothing better runs. */
@RequiresImages
@Tag("load")
@ExtendWith(Stage.OfThreeNodes.class)
class ScaleUnderLoadIT {

    @Test
    void nothingIsLostUpAndDownAndTheMaintenancePageStandsInAtZero(Stage stage) throws Exception {
        String text = Files.readString(Path.of("src/test/resources/scaled.yml"));
        try (Stack stack = stage.deployText(text, "scaled")) {
            stack.front().await("company.com", "/", answer -> answer.name().equals("site"));
            stack.front().await("other.com", "/", answer -> answer.name().equals("maintenance"));
            try (Crowd crowd = Crowd.at(stack.front(), "company.com")) {
                for (int round = 0; round < Rounds.NUMBER; round++) {
                    for (int replicas : new int[] {5, 2, 0, 1}) {
                        stack.engine().docker("service", "scale", "--detach", "scaled_site=" + replicas);
                        stack.awaitInstances("site", replicas, List.of());
                        stack.awaitEnded("site");
                        String expected = replicas > 0 ? "site" : "maintenance";
                        stack.front()
                                .await(
                                        "company.com",
                                        "/",
                                        answer -> answer.name().equals(expected));
                        crowd.awaitAnswersOf(stack.instances(expected));
                    }
                }
                crowd.endsWell(
                        "scaled 1, 5, 2, 0, 1",
                        Stream.of("site", "maintenance")
                                .flatMap(service -> stack.instances(service).stream())
                                .toList());
            }
        }
    }
}
