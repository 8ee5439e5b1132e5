package io.millau.server.cli;

import static io.millau.server.FakeDocker.container;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Certificate;
import io.millau.core.internal.Pem;
import io.millau.core.testing.Authority;
import io.millau.core.testing.StandaloneServer;
import io.millau.server.FakeDocker;
import io.millau.server.ProxyTest;
import io.millau.server.RawClient;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged server prints no secret that it was given, wherever it was given: log, pages and commands are read in full. */
class SecretsIT extends ProxyTest {

    private static final Authority ROOT = Authority.root("root");
    private static final Certificate CERTIFICATE = ROOT.issue("shop.example");
    private static final String KEY = Pem.text(CERTIFICATE.key());

    /** The secret part of the key: what is before it is the same in every key. */
    private static final List<String> SECRETS_OF_KEY = secretsOf(KEY);

    private static final String KEY_LABEL = base64(KEY);
    private static final String CHAIN_LABEL = base64(Pem.text(CERTIFICATE.chain()));

    private static final String HMAC = "hmac-that-nobody-may-read-0123456789";
    private static final String STORE_KEY = "store-key-that-nobody-may-read-0123456789";
    private static final String HASH = "OQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
    private static final String USERS = "alice:$2y$05$abcdefghijklmnopqrstuu" + HASH;
    private static final String TOKEN = "token-that-nobody-may-read";

    @TempDir
    Path folder;

    private final Map<String, String> environment = new HashMap<>();

    private static List<String> secretsOf(String key) {
        List<String> lines = key.lines().toList();
        return List.of(lines.get(1).substring(48), lines.get(2).substring(0, 20));
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    @BeforeEach
    void giveSecrets() throws IOException {
        Path certificates = Files.createDirectory(folder.resolve("certs"));
        Files.writeString(certificates.resolve("other.crt"), Pem.text(CERTIFICATE.chain()));
        Files.writeString(certificates.resolve("other.key"), KEY);
        ScriptedEndpoint app = endpointThatSays("ok");
        FakeDocker docker = closing(new FakeDocker("[" + container("good", labels("millau.key", KEY_LABEL)) + ","
                + container("mistyped", labels("millau.kye", KEY_LABEL)) + ","
                + container("swapped", labels("millau.cert", KEY_LABEL)) + ","
                + container("other", labels("millau.port", KEY_LABEL)) + ","
                + container("plain", labels("millau.key", KEY.replaceAll("\\R", "\\\\n"))) + ","
                + container("closed", labels("millau.users", USERS)) + ","
                + container("cheap", labels("millau.users", USERS.replace("$05", "$03"))) + ","
                + container("asks", labels("millau.auth", "http://login/verify?token=" + TOKEN)) + ","
                + container("asking", labels("millau.auht", "http://login/verify?token=" + TOKEN)) + ","
                + container("asked", labels("millau.auth", "login/verify?token=" + TOKEN)) + ","
                + container("eaten", labels("millau.users", USERS.replace("$", ""))) + ","
                + container("renamed", labels("millau.logins", base64(USERS))) + ","
                + container("cut", labels("millau.key", KEY_LABEL.substring(0, KEY_LABEL.length() - 9) + "!")) + "]"));
        environment.putAll(Map.ofEntries(
                Map.entry("LOGGING", "DEBUG"),
                Map.entry("ACCESS_LOG", "json"),
                Map.entry("DATA", folder.resolve("data").toString()),
                Map.entry("CERTS", certificates.toString()),
                Map.entry("DOCKER_HOST", docker.host()),
                Map.entry("SERVICES", services(app).toString()),
                Map.entry("ACME", "https://127.0.0.1:1/directory"),
                Map.entry("ACME_EAB_KID", "kid"),
                Map.entry("ACME_EAB_HMAC", HMAC),
                Map.entry("STORE", "swarm"),
                Map.entry("STORE_KEY_FILE", write("store-key", STORE_KEY).toString())));
    }

    private static String labels(String name, String value) {
        return "\"millau.enabled\":\"true\",\"millau.port\":\"80\",\"millau.hosts\":\"shop.example\",\"" + name
                + "\":\"" + value + "\"";
    }

    private Path services(ScriptedEndpoint app) throws IOException {
        return write(
                "services.properties",
                "app.endpoints = " + app.endpoint() + "\n"
                        + "app.hosts = shop.example\n"
                        + "app.cert = " + CHAIN_LABEL + "\n"
                        + "app.key = " + KEY_LABEL + "\n"
                        + "b.endpoints = " + app.endpoint() + "\n"
                        + "b.hosts = b.example\n"
                        + "b.kye = " + KEY_LABEL + "\n"
                        + "c.endpoints = " + app.endpoint() + "\n"
                        + "c.hosts = c.example\n"
                        + "c.cert = " + KEY_LABEL + "\n"
                        + "d.endpoints = " + app.endpoint() + "\n"
                        + "d.hosts = d.example\n"
                        + "d.users = " + base64(USERS) + "\n"
                        + "d.logins = " + USERS + "\n");
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private static void assertNoSecrets(String of, String printed) {
        assertThat(printed.lines().filter(SecretsIT::hasSecret)).as(of).isEmpty();
    }

    /** A text in Base64 in which the secret is encoded once more begins at any of three places. */
    private static boolean hasSecret(String line) {
        List<String> secrets = new ArrayList<>(SECRETS_OF_KEY);
        secrets.addAll(List.of(HMAC, STORE_KEY, HASH, TOKEN));
        for (String secret : List.copyOf(secrets)) {
            for (int i = 0; i < 3; i++) {
                String whole = base64("x".repeat(i) + secret);
                secrets.add(whole.substring(4, whole.length() - 4));
            }
        }
        return secrets.stream().anyMatch(line::contains);
    }

    @Test
    void theTestFindsThemInWhatWasGiven() throws IOException {
        assertThat(hasSecret(KEY.replace("\n", ""))).isTrue();
        assertThat(hasSecret(KEY_LABEL)).isTrue();
        assertThat(hasSecret(USERS)).isTrue();
        assertThat(hasSecret(base64(USERS))).isTrue();
        assertThat(hasSecret(CHAIN_LABEL)).isFalse();
        assertThat(hasSecret(Files.readString(folder.resolve("store-key")))).isTrue();
    }

    @Test
    void neitherLogNorPagesHaveASecret() throws Exception {
        StandaloneServer server = server(environment);
        server.awaitLine("Listens on");
        try (RawClient client = new RawClient(server.httpPort())) {
            assertThat(client.send("GET / HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Bearer " + TOKEN
                                    + "\r\nCookie: session=" + TOKEN + "\r\n\r\n")
                            .read()
                            .status())
                    .isBetween(200, 503);
            client.send("GET / HTTP/1.1\r\nHost: a b\r\nAuthorization: " + TOKEN + "\r\n\r\n")
                    .read();
        }
        for (String path : List.of(
                "/", "/ready", "/live", "/metrics", "/status", "/status.json", "/explain?url=http://shop.example/")) {
            try (RawClient telemetry = new RawClient(server.telemetryPort())) {
                assertNoSecrets(path, telemetry.get(path).toString());
            }
        }
        await().atMost(Duration.ofSeconds(60)).until(() -> server.output().contains("kye"));
        server.terminate();
        server.exit();
        assertNoSecrets("log", server.output());
    }

    @Test
    void noCommandPrintsASecret() throws Exception {
        Path compose = write(
                "compose.yml",
                "services:\n  shop:\n    environment:\n      KEY: " + KEY_LABEL
                        + "\n    labels:\n      - millau.enabled=true\n" + "      - millau.port=80\n      - millau.kye="
                        + KEY_LABEL + "\n      - millau.users=" + USERS + "\n      - millau.cert=${FROM_ENV}\n");
        environment.put("FROM_ENV", KEY_LABEL);
        for (String[] command : new String[][] {
            {"check"},
            {"check", "--docker"},
            {"check", folder.resolve("services.properties").toString()},
            {"check", compose.toString()},
            {"explain", "http://shop.example/"},
            {"--help"},
            {"--version"},
        }) {
            StandaloneServer printed = server(environment, command);
            printed.exit();
            assertThat(printed.output()).isNotEmpty();
            assertNoSecrets(String.join(" ", command), printed.output());
        }
    }

    /** A name server's key that was given in another way than in its file. */
    @Test
    void aSecretInAUrlIsNotPrinted() throws Exception {
        environment.put("ACME_DNS", "rfc2136://ns.example?key=k&secret=" + STORE_KEY);
        StandaloneServer server = server(environment);
        server.exit();
        assertThat(server.output()).contains("FATAL ACME_DNS=…: expected rfc2136://SERVER");
        assertNoSecrets("log", server.output());
    }

    /** The secret itself where its file was expected. */
    @Test
    void aSecretInPlaceOfAFileIsNotPrinted() throws Exception {
        environment.put("STORE_KEY_FILE", STORE_KEY);
        StandaloneServer server = server(environment);

        assertThat(server.exit()).isEqualTo(1);
        assertThat(server.output()).isEqualTo("FATAL STORE_KEY_FILE=…: expected the path of a file that can be read\n");
        assertNoSecrets("log", server.output());
    }

    private StandaloneServer server(Map<String, String> environment, String... arguments) throws IOException {
        Path output = Files.createTempFile(folder, "output", ".txt");
        return closing(new StandaloneServer(output, environment, arguments));
    }
}
