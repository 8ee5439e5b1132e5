package io.millau.examples.docker;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code stacks/quickstart.yml}. */
@RequiresImages
@ExtendWith(Stage.Provider.class)
class QuickstartIT {

    @Test
    void threeReplicasShareTheRequests(Stage stage) throws Exception {
        try (Stack stack = stage.deploy("quickstart.yml", "quickstart")) {
            stack.front().awaitInstances("localhost", "/", 3);

            Map<String, Long> answers = stack.front().get("localhost", "/", 30).stream()
                    .peek(answer -> assertThat(answer.status()).isEqualTo(200))
                    .collect(groupingBy(Answer::instance, counting()));

            assertThat(answers.keySet()).containsExactlyInAnyOrderElementsOf(stack.instances("app"));
            assertThat(answers.values()).containsOnly(10L);
        }
    }
}
