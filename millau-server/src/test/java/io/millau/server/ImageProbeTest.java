package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millau.testing.ScriptedEndpoint;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The health check inside the image. It takes this machine's first process for the container's, which is old. */
class ImageProbeTest {

    private static final Path SOURCE = Path.of("src/main/image/probe.c");

    /** The engine ends a check without a timeout of its own after 30 s. */
    private static final Duration WELL_BELOW_THE_DEFAULT = Duration.ofSeconds(26);

    @TempDir
    Path folder;

    private ScriptedEndpoint endpoint;

    private record Check(int status, String output, Duration took) {}

    @BeforeEach
    void compile() throws Exception {
        boolean found = Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(path -> Files.isExecutable(Path.of(path, "cc")));
        assumeTrue(found, "a C compiler, cc");
        Process cc = new ProcessBuilder(
                        "cc", "-Os", "-o", folder.resolve("probe").toString(), SOURCE.toString())
                .inheritIO()
                .start();
        assertThat(cc.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(cc.exitValue()).isZero();
    }

    @AfterEach
    void close() throws IOException {
        if (endpoint != null) {
            endpoint.close();
        }
    }

    /** It stayed for 30 s, so the engine killed it, and after three times the container. */
    @Test
    void aHealthyContainerIsReportedInTime() throws Exception {
        endpoint = ScriptedEndpoint.thatSays("fine");
        Check check = probe(endpoint.endpoint().port()).get(60, TimeUnit.SECONDS);

        assertThat(check.status).isZero();
        assertThat(check.output).isEqualTo("HTTP/1.1 200 OK\n");
        assertThat(check.took).isLessThan(WELL_BELOW_THE_DEFAULT);
    }

    /** Each byte came in time, so it read on for minutes. */
    @Test
    void anAnswerInSmallPartsIsAFailureInTime() throws Exception {
        endpoint = ScriptedEndpoint.that(connection -> {
            connection.readRequest();
            connection.sendSlowly("H".repeat(400), 200);
        });
        Check check = probe(endpoint.endpoint().port()).get(60, TimeUnit.SECONDS);

        assertThat(check.status).isEqualTo(1);
        assertThat(check.took).isLessThan(WELL_BELOW_THE_DEFAULT);
    }

    @Test
    void nothingThatListensIsAFailureAtOnce() throws Exception {
        endpoint = ScriptedEndpoint.thatRefuses();
        int port = endpoint.endpoint().port();

        assertThat(probe(port).get(60, TimeUnit.SECONDS))
                .extracting(Check::status, Check::output)
                .containsExactly(1, "nothing listens on " + port + "\n");
    }

    private CompletableFuture<Check> probe(int port) throws IOException {
        long begun = System.nanoTime();
        Process probe = new ProcessBuilder(folder.resolve("probe").toString(), String.valueOf(port), "/health").start();
        return probe.onExit()
                .thenApply(ended ->
                        new Check(ended.exitValue(), output(ended), Duration.ofNanos(System.nanoTime() - begun)));
    }

    private static String output(Process ended) {
        try {
            return new String(ended.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
