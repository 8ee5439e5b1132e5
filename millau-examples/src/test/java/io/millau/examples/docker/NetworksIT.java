package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A service that the proxy has no way to. */
@RequiresImages
@ExtendWith(Stage.Provider.class)
class NetworksIT {

    @Test
    void aServiceOnAnotherNetworkIsExplainedAndHealedByJoiningIt(Stage stage) throws Exception {
        String text = Stage.read("stacks/quickstart.yml") + """

                  hidden:
                    image: millau-echo:latest
                    environment:
                      NAME: hidden
                    networks:
                      - backend
                    deploy:
                      labels:
                        - millau.enabled=true
                        - millau.port=80
                        - millau.hosts=hidden.example

                networks:
                  backend:
                    driver: overlay
                """;
        try (Stack stack = stage.deployText(text, "networks")) {
            stack.front().awaitInstances("localhost", "/", 3);
            String line = await("the reason in the log")
                    .atMost(Duration.ofSeconds(120))
                    .until(() -> lineAbout(stack), said -> !said.isEmpty());
            System.out.println(line);
            assertThat(line).contains(" WARN ", "networks_backend (10.", "the proxy on networks_default (10.");
            Answer answer = stack.front().get("hidden.example", "/");
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.name()).isNotEqualTo("hidden");

            stack.engine().docker("service", "update", "--detach", "--network-add=networks_default", "networks_hidden");
            stack.front().await("hidden.example", "/", healed -> healed.name().equals("hidden"));
        }
    }

    private static String lineAbout(Stack stack) {
        return stack.log()
                .lines()
                .filter(line -> line.contains("networks_hidden:") && line.contains("shares no network"))
                .findFirst()
                .orElse("");
    }
}
