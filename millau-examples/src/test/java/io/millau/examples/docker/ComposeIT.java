package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.testing.FreePorts;
import io.millau.docker.testing.Engine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** {@code compose.yml}, run by {@code docker-compose}. */
@RequiresImages
@RequiresCompose
@ExtendWith(Stage.Provider.class)
class ComposeIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    @TempDir
    private Path folder;

    private Engine engine;
    private Compose compose;
    private Front front;
    private int telemetryPort;

    @BeforeEach
    void up(Stage stage) throws Exception {
        engine = stage.engine();
        front = new Front(engine.address(), FreePorts.next());
        telemetryPort = FreePorts.next();
        Files.writeString(
                folder.resolve("compose.yml"),
                Stage.read("compose.yml")
                        .replace(
                                "      - \"80:80\"\n",
                                "      - \"" + front.port() + ":80\"\n      - \"" + telemetryPort + ":9100\"\n")
                        .replace("- /var/run/docker.sock:", "- " + Stage.socket(engine) + ":"));
        compose = new Compose(engine, "shop", folder, Map.of());
        compose.run("up", "--detach");
        front.awaitInstances("localhost", "/", 2);
    }

    @AfterEach
    void down() throws Exception {
        compose.run("down", "--timeout=3");
    }

    @Test
    void containersAreServicesAndOneThatStopsIsNotMissed() throws Exception {
        assertThat(new Front(engine.address(), telemetryPort)
                        .get("localhost", "/metrics")
                        .body())
                .contains("service=\"blue\"", "service=\"green\"");

        try (Load load = Load.ofGets(front, "localhost", 4)) {
            await().atMost(PATIENCE).until(() -> load.requests() > 50);
            assertThat(load.instances()).hasSize(2);

            compose.run("stop", "blue");
            assertThat(front.get("localhost", "/", 6))
                    .allSatisfy(answer -> assertThat(answer.name()).isEqualTo("green"));
            compose.run("start", "blue");
            front.await("localhost", "/", answer -> answer.name().equals("blue"));

            // Without a warning this time.
            compose.run("kill", "green");
            assertThat(front.get("localhost", "/", 6))
                    .allSatisfy(answer -> assertThat(answer.name()).isEqualTo("blue"));
            assertThat(load.failures()).isEmpty();
        }
    }
}
