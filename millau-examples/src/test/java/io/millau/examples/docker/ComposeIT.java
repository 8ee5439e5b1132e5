package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.testing.FreePorts;
import io.millau.docker.testing.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** {@code compose.yml}, run by {@code docker-compose}. */
@RequiresImages
@ExtendWith(Stage.Provider.class)
class ComposeIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    @TempDir
    private Path folder;

    private Engine engine;
    private Front front;
    private int telemetryPort;

    @BeforeAll
    static void requireCompose() {
        boolean installed = List.of(System.getenv("PATH").split(":")).stream()
                .anyMatch(path -> Files.isExecutable(Path.of(path, "docker-compose")));
        if ("required".equals(System.getProperty("millau.docker"))) {
            assertThat(installed).as("docker-compose is installed").isTrue();
        }
        Assumptions.assumeTrue(installed, "docker-compose isn't installed");
    }

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
        compose("up", "--detach");
        front.awaitInstances("localhost", "/", 2);
    }

    @AfterEach
    void down() throws Exception {
        compose("down", "--timeout=3");
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

            compose("stop", "blue");
            assertThat(front.get("localhost", "/", 6))
                    .allSatisfy(answer -> assertThat(answer.name()).isEqualTo("green"));
            compose("start", "blue");
            front.await("localhost", "/", answer -> answer.name().equals("blue"));

            // Without a warning this time.
            compose("kill", "green");
            assertThat(front.get("localhost", "/", 6))
                    .allSatisfy(answer -> assertThat(answer.name()).isEqualTo("blue"));
            assertThat(load.failures()).isEmpty();
        }
    }

    private void compose(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("docker-compose", "--project-name", "shop"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("output").toFile());
        builder.environment().put("DOCKER_HOST", engine.host());
        Process process = builder.start();
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        if (process.waitFor() != 0) {
            throw new AssertionError(String.join(" ", command) + "\n" + Files.readString(folder.resolve("output")));
        }
    }
}
