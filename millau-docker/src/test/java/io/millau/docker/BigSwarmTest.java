package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Service;
import io.millau.core.Snapshot;
import io.millau.docker.testing.BigSwarm;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** 2,000 services with 20,000 tasks, of which an engine says 49 MB. */
class BigSwarmTest {

    private static final int SERVICES = 2_000;
    private static final int TASKS = 10;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private BigSwarm swarm;

    @BeforeEach
    void start() throws IOException {
        swarm = new BigSwarm(SERVICES, TASKS, "10.0.1.3/16");
    }

    @AfterEach
    void close() {
        swarm.close();
    }

    /** It needed 440 MB. */
    @Test
    void itIsReadOnASmallHeap() throws Exception {
        Process look = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx40m",
                        "-XX:+ExitOnOutOfMemoryError",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Look.class.getName(),
                        swarm.host())
                .redirectErrorStream(true)
                .start();
        try (InputStream output = look.getInputStream()) {
            assertThat(new String(output.readAllBytes(), StandardCharsets.UTF_8))
                    .contains("2000 services, 20000 endpoints");
        }
    }

    /** A program that reads an engine three times. */
    static final class Look {
        public static void main(String[] arguments) throws IOException {
            DockerSource source = DockerSource.at(arguments[0]).seenFrom(() -> Interfaces.of("10.0.1.250/16"));
            Snapshot snapshot = source.look();
            for (int again = 0; again < 2; again++) {
                if (!source.look().equals(snapshot)) {
                    throw new IllegalStateException("it is not the same");
                }
            }
            long endpoints = snapshot.services().stream()
                    .mapToInt(service -> service.endpoints().size())
                    .sum();
            System.out.println(snapshot.services().size() + " services, " + endpoints + " endpoints");
        }
    }

    /** Each change of one service was another 49 MB. */
    @Test
    void ofAChangeOfOneServiceThatServiceAloneIsRead() {
        try (Received received =
                new Received(DockerSource.at(swarm.host()).seenFrom(() -> Interfaces.of("10.0.1.250/16")))) {
            await().atMost(PATIENCE).until(() -> received.last().services().size() == SERVICES);
            swarm.takeSent();

            swarm.change(7);
            Service changed =
                    received.awaitService("s7", service -> service.hosts().equals(List.of("s7-2.example")));

            assertThat(changed.endpoints())
                    .hasSize(TASKS)
                    .allMatch(endpoint ->
                            endpoint.id().startsWith("task") && endpoint.id().contains("7v2"));
            Map<String, Long> sent = swarm.takeSent();
            assertThat(sent.get("/services of some services")).isLessThan(10_000);
            assertThat(sent).doesNotContainKey("/services");
            assertThat(received.last().services()).hasSize(SERVICES);
        }
    }
}
