package io.millau.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code check} finds no problems in the files that we ship. */
class ShippedFilesTest extends CommandTest {

    private static final Path EXAMPLES = Path.of("..", "millau-examples");

    static List<Path> files() throws IOException {
        try (Stream<Path> stacks = Files.list(EXAMPLES.resolve("stacks"))) {
            return Stream.concat(
                            Stream.of(
                                    EXAMPLES.resolve("compose.yml"),
                                    EXAMPLES.resolve("compose-access.yml"),
                                    EXAMPLES.resolve("compose-grpc.yml"),
                                    EXAMPLES.resolve("compose-hardened.yml"),
                                    EXAMPLES.resolve("compose-ipv6.yml"),
                                    EXAMPLES.resolve("compose-moving.yml"),
                                    EXAMPLES.resolve("compose-socket-proxy.yml"),
                                    EXAMPLES.resolve("compose-two-proxies.yml"),
                                    EXAMPLES.resolve("compose-minio.yml"),
                                    EXAMPLES.resolve("compose-gitlab.yml"),
                                    Path.of("src", "main", "image", "services.properties")),
                            stacks.filter(file -> file.toString().endsWith(".yml")))
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void aShippedFileHasNoProblems(Path file) {
        run("check", file.toString());

        assertThat(err).isEmpty();
        assertThat(out).matches("[0-9]+ services?, no problems\n");
        assertThat(status).isZero();
    }
}
