package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millau.core.Certificate;
import io.millau.core.internal.Pem;
import io.millau.core.testing.Authority;
import io.millau.core.testing.FreePorts;
import io.millau.docker.testing.Engine;
import io.millau.docker.testing.Shell;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** {@code compose.yml}, {@code compose-two-proxies.yml} and {@code compose-mtls.yml}, run by {@code docker-compose}. */
@RequiresImages
@RequiresCompose
@ExtendWith(Stage.Provider.class)
class ComposeIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    /** What curl says of an alert, or of the end of the connection if it was sending its request just then. */
    private static final String REFUSED = "(?s).*ended with (35|55|56)\ncurl.*";

    @TempDir
    private Path folder;

    private Engine engine;
    private Compose compose;
    private Front front;

    /** What the second port of a file leads to. */
    private Front other;

    @BeforeEach
    void findPorts(Stage stage) {
        engine = stage.engine();
        front = new Front(engine.address(), FreePorts.next());
        other = new Front(engine.address(), FreePorts.next());
    }

    /** Starts the services of a file's text, in which port 80 becomes that of {@link #front}. */
    private void up(String text, Map<String, String> variables) throws Exception {
        Files.writeString(
                folder.resolve("compose.yml"),
                text.replace("\"80:80\"", "\"" + front.port() + ":80\"")
                        .replace("- /var/run/docker.sock:", "- " + Stage.socket(engine) + ":"));
        compose = new Compose(engine, "shop", folder, variables);
        compose.run("up", "--detach");
    }

    @AfterEach
    void down() throws Exception {
        if (compose != null) {
            compose.run("down", "--volumes", "--timeout=3");
        }
    }

    @Test
    void containersAreServicesAndOneThatStopsIsNotMissed() throws Exception {
        up(
                Stage.read("compose.yml").replace("\"80:80\"", "\"80:80\"\n      - \"" + other.port() + ":9100\""),
                Map.of());
        front.awaitInstances("localhost", "/", 2);
        assertThat(other.get("localhost", "/metrics").body()).contains("service=\"blue\"", "service=\"green\"");

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

    @Test
    void eachOfTwoProxiesHasServicesOfItsOwn() throws Exception {
        up(
                Stage.read("compose-two-proxies.yml")
                        .replace("      - \"443:443\"\n", "")
                        .replace("127.0.0.1:8080:80", other.port() + ":80"),
                Map.of());
        front.await("localhost", "/", answer -> answer.name().equals("shop"));
        other.await("localhost", "/", answer -> answer.name().equals("admin"));

        assertThat(front.get("localhost", "/", 6))
                .allSatisfy(answer -> assertThat(answer.name()).isEqualTo("shop"));
        assertThat(other.get("localhost", "/", 6))
                .allSatisfy(answer -> assertThat(answer.name()).isEqualTo("admin"));
    }

    @Test
    void clientsNeedACertificateOfTheLabelsCa() throws Exception {
        Authority partners = Authority.root("Partners");
        Path alice = certificate(partners.issue("alice"));
        Path mallory = certificate(Authority.root("others").issue("mallory"));
        up(
                Stage.read("compose-mtls.yml").replace("443:443", other.port() + ":443"),
                Map.of("CLIENT_CA", base64(Pem.text(List.of(partners.certificate())))));
        front.await("partners.example", "/", answer -> answer.status() == 308);

        assertThat(curl("--cert", alice.toString())).contains("name: partners\n", "header Client-Cert: :");
        assertThatThrownBy(() -> curl("--cert", mallory.toString())).hasMessageMatching(REFUSED);
        assertThatThrownBy(this::curl).hasMessageMatching(REFUSED);
    }

    private Path certificate(Certificate certificate) throws IOException {
        return Files.writeString(
                Files.createTempFile(folder, "client", ".pem"),
                Pem.text(certificate.chain()) + Pem.text(certificate.key()));
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
    }

    private String curl(String... options) {
        List<String> command = new ArrayList<>(List.of(
                "curl",
                "--silent",
                "--show-error",
                "--insecure",
                "--max-time",
                "60",
                "--connect-to",
                "partners.example:443:" + other.host() + ":" + other.port()));
        command.addAll(List.of(options));
        command.add("https://partners.example/");
        return Shell.run(command.toArray(new String[0]));
    }
}
