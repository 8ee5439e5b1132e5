package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millau.core.testing.FreePorts;
import io.millau.docker.testing.Engine;
import io.millau.docker.testing.RecordingProxy;
import io.millau.docker.testing.RecordingProxy.Request;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** {@code compose-hardened.yml}, and what is in the image. */
@RequiresImages
@RequiresCompose
@ExtendWith(Stage.Provider.class)
class HardenedIT {

    private static final int USER = 10001;

    /** Of the socket; a number that no other test and no image has. */
    private static final int GROUP = 14242;

    @TempDir
    private Path folder;

    @Test
    void itServesWithoutRootWritableFilesAndCapabilitiesAndOnlyReadsFromTheEngine(Stage stage) throws Exception {
        Engine engine = stage.engine();
        Front front = new Front(engine.address(), FreePorts.next());
        try (RecordingProxy socket = new RecordingProxy(engine)) {
            Files.setAttribute(socket.socket(), "unix:gid", GROUP);
            Files.setPosixFilePermissions(socket.socket(), PosixFilePermissions.fromString("rw-rw----"));
            Files.writeString(
                    folder.resolve("compose.yml"),
                    Stage.read("compose-hardened.yml")
                            .replace("- \"80:80\"", "- \"" + front.port() + ":80\"")
                            .replace("- /var/run/docker.sock:", "- " + socket.socket() + ":"));
            Compose compose = new Compose(engine, "hardened", folder, Map.of("DOCKER_GROUP", String.valueOf(GROUP)));
            try {
                compose.run("up", "--detach");
                front.awaitInstances("localhost", "/", 1);
                compose.run("stop", "app");
                compose.run("start", "app");
                front.awaitInstances("localhost", "/", 1);

                String container = engine.docker("ps", "--quiet", "--filter=label=com.docker.compose.service=millau");
                await().atMost(Duration.ofSeconds(60))
                        .until(() -> inspect(engine, container, "{{.State.Health.Status}}")
                                .equals("healthy"));
                assertThat(inspect(engine, container, "{{.HostConfig.ReadonlyRootfs}}"))
                        .isEqualTo("true");
                assertThat(Files.readAllLines(Path.of("/proc", inspect(engine, container, "{{.State.Pid}}"), "status")))
                        .contains(
                                "Uid:\t10001\t10001\t10001\t10001",
                                "CapPrm:\t0000000000000000",
                                "CapEff:\t0000000000000000",
                                "CapBnd:\t0000000000000000",
                                "NoNewPrivs:\t1");
                Path data = Path.of(inspect(engine, container, dataFolder()));
                assertThat(Files.getAttribute(data, "unix:uid")).isEqualTo(USER);
                assertThat(socket.requests()).contains(new Request("GET", "/events"));
                assertThat(socket.methods()).isSubsetOf("GET", "HEAD");
            } finally {
                compose.run("down", "--volumes", "--timeout=3");
            }
        }
    }

    @Test
    void theVersionOfTheImageIsThatOfTheProgram(Stage stage) {
        Engine engine = stage.engine();
        assertThat(engine.docker("run", "--rm", "millau:latest", "--version").strip())
                .isEqualTo("Millau "
                        + engine.docker(
                                        "image",
                                        "inspect",
                                        "--format",
                                        "{{index .Config.Labels \"org.opencontainers.image.version\"}}",
                                        "millau:latest")
                                .strip());
    }

    private static String inspect(Engine engine, String container, String format) {
        return engine.docker("inspect", "--format=" + format, container);
    }

    private static String dataFolder() {
        return "{{range .Mounts}}{{if eq .Destination \"/data\"}}{{.Source}}{{end}}{{end}}";
    }

    @Test
    void theImageHasItsBillOfMaterials(Stage stage) throws IOException {
        assumeFalse(
                "offline=true".equals(System.getProperty("millau.maven")), "Maven makes no bill of materials offline");
        Engine engine = stage.engine();
        String container = engine.docker("create", "millau:latest");
        try {
            engine.docker("cp", container + ":/app", folder.toString());
        } finally {
            engine.docker("rm", container);
        }

        JsonNode bill = new ObjectMapper()
                .readTree(folder.resolve("app/millau-server.cdx.json").toFile());
        List<String> named = bill.path("components").findValues("purl").stream()
                .map(purl -> purl.asText().replaceAll(".*/([^/]+)@([^?]+).*", "$1-$2.jar"))
                .toList();
        try (Stream<Path> jars = Files.list(folder.resolve("app/lib"))) {
            assertThat(jars.map(jar -> jar.getFileName().toString())).containsExactlyInAnyOrderElementsOf(named);
        }
    }
}
