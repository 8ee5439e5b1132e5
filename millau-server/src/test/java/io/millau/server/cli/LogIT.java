package io.millau.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.millau.core.Certificate;
import io.millau.core.internal.Pem;
import io.millau.core.testing.StandaloneServer;
import io.millau.server.ProxyTest;
import io.millau.server.RawClient;
import io.millau.server.StrictJson;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged server's log has what an operator needs, and no secrets. */
class LogIT extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final String LINE = "\\d{4}-\\d\\d-\\d\\dT\\S+ [A-Z]+ \\S+ - .*";

    @TempDir
    private Path folder;

    private StandaloneServer server(String services, String logging, String accessLog) throws Exception {
        Path file = Files.writeString(folder.resolve("services.properties"), services);
        StandaloneServer server = closing(new StandaloneServer(
                folder.resolve("output"),
                Map.of("SERVICES", file.toString(), "LOGGING", logging, "ACCESS_LOG", accessLog, "ACME", "off")));
        server.awaitLine("Listens on");
        return server;
    }

    /** Reading ACME_DNS loads a class with a logger: the log went to standard error then, without times and at another level. */
    @Test
    void theLogIsTheSameWithChallengesByDns() throws Exception {
        Path secret = Files.writeString(folder.resolve("tsig"), "bWlsbGF1IG1pbGxhdSBtaWxsYXUgbWlsbGF1IG1pbGxhdQ==");
        StandaloneServer server = closing(new StandaloneServer(
                folder.resolve("output"),
                Map.of(
                        "ACME_DNS",
                        "rfc2136://127.0.0.1?key=millau&algorithm=hmac-sha256&secret-file=" + secret,
                        "DATA",
                        folder.resolve("data").toString())));
        server.awaitLine("Listens on");

        assertThat(server.output().lines()).allMatch(line -> line.matches(LINE));
    }

    /** The events that the log has for a request. */
    private static List<String> steps(StandaloneServer server, String id) throws Exception {
        return server.output()
                .lines()
                .filter(line -> line.contains(" request=" + id + " "))
                .map(line -> line.replaceFirst(".*? - ", "").replaceFirst(" request=" + id, ""))
                .toList();
    }

    @Test
    void atDebugEveryStepOfARequestIsLogged() throws Exception {
        ScriptedEndpoint breaking = endpoint(ScriptedEndpoint.Connection::readRequest);
        ScriptedEndpoint good = endpointThatSays("good");
        StandaloneServer server = server(
                "blue.endpoints = " + breaking.endpoint() + "\ngreen.endpoints = " + good.endpoint() + "\n",
                "debug",
                "off");
        String id = "";
        try (RawClient client = new RawClient(server.httpPort())) {
            for (int i = 0; breaking.requests.isEmpty(); i++) {
                id = "step-" + i;
                Message response = client.send(
                                "GET /a%20b?token=secret HTTP/1.1\r\nHost: shop.example\r\nX-Request-Id: " + id
                                        + "\r\n\r\n")
                        .read();
                assertThat(response.field("X-Request-Id")).isEqualTo(id);
                assertThat(response.field("X-Backend-Server")).isEqualTo("green");
            }
        }
        String followed = id;
        await().atMost(PATIENCE)
                .until(() -> steps(server, followed).stream().anyMatch(step -> step.startsWith("Ended")));
        List<String> steps = steps(server, followed);

        assertThat(steps).hasSize(6);
        assertThat(steps.get(0)).isEqualTo("Began client=127.0.0.1 method=GET host=shop.example path=/a%20b route=*/");
        assertThat(steps.get(1))
                .isEqualTo("Attempt number=1 service=blue endpoint=" + breaking.endpoint() + " connection=new");
        assertThat(steps.get(2))
                .startsWith("Attempt failed service=blue endpoint=" + breaking.endpoint() + " outcome=BROKEN reason=")
                .endsWith(" retried=true");
        assertThat(steps.get(3))
                .startsWith("Attempt number=2 service=green endpoint=" + good.endpoint() + " connection=");
        assertThat(steps.get(4)).matches("Response status=200 endpoint=" + good.endpoint() + " millis=\\d+");
        assertThat(steps.get(5)).matches("Ended status=200 delivered=true attempts=2 millis=\\d+");
        assertThat(server.output()).doesNotContain("secret");
    }

    @Test
    void atDebugALocalReplyIsLogged() throws Exception {
        StandaloneServer server = server("", "debug", "off");
        try (RawClient client = new RawClient(server.httpPort())) {
            client.send("GET /x?token=secret HTTP/1.1\r\nHost: shop.example\r\nX-Request-Id: turned\r\n\r\n")
                    .read();
        }
        await().atMost(PATIENCE).until(() -> !steps(server, "turned").isEmpty());

        assertThat(steps(server, "turned"))
                .containsExactly(
                        "Local reply status=502 host=shop.example path=/x" + " reason=\"No matching services found\"");
    }

    /** No keys, cookies, tokens or credentials in the log at any level, in the access log or on the telemetry port. */
    @Test
    void noSecretIsWrittenOrShown() throws Exception {
        Certificate certificate = Certificate.selfSigned("shop.example");
        String chain = base64(Pem.text(certificate.chain()));
        String key = base64(Pem.text(certificate.key()));
        ScriptedEndpoint endpoint = endpointThatResponds("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                + "Set-Cookie: session=cookie-secret\r\nX-Secret: answer-secret\r\n\r\nok");
        StandaloneServer server = server(
                "shop.endpoints = " + endpoint.endpoint() + "\nshop.hosts = shop.example\nshop.cert = " + chain
                        + "\nshop.key = " + key + "\nshop.sticky = true\n"
                        + "typo.endpoints = http://127.0.0.1:1\ntypo.kye = " + key + "\ntypo.tls-secret = " + key
                        + "\nsecure.endpoints = " + endpoint.endpoint()
                        + "\nsecure.hosts = secure.example\nsecure.redirect = https\n"
                        + "broken.endpoints = http://127.0.0.1:1\nbroken.hosts = broken.example\n"
                        + "bad.endpoints = http://127.0.0.1:1\nbad.key = " + key.substring(9) + "\nbad.cert = x\n",
                "debug",
                "json");
        String secrets = "?token=query-secret HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer header-secret\r\n"
                + "Cookie: session=cookie-secret\r\nX-Api-Key: key-secret\r\nContent-Length: 11\r\n\r\nbody-secret";
        String cookie = "";
        try (RawClient client = new RawClient(server.httpPort())) {
            for (String host : new String[] {"shop.example", "broken.example", "secure.example", "else.example"}) {
                Message response =
                        client.send("PUT /p" + String.format(secrets, host)).read();
                if (host.equals("shop.example")) {
                    cookie = response.all("Set-Cookie").get(1).replaceFirst("[^=]*=([^;]*).*", "$1");
                }
            }
        }
        assertThat(cookie).hasSizeGreaterThan(10);
        await().atMost(PATIENCE)
                .until(() -> server.output()
                                .lines()
                                .filter(line -> line.startsWith("{"))
                                .count()
                        >= 4);
        StringBuilder all = new StringBuilder(server.output());
        try (RawClient telemetry = new RawClient(server.telemetryPort())) {
            for (String path : new String[] {"/", "/status", "/status.json", "/metrics"}) {
                Message response = telemetry.get(path);
                assertThat(response.status()).isEqualTo(200);
                all.append(response);
            }
            JsonNode status = StrictJson.read(new String(
                    telemetry.get("/status.json").body().getBytes(StandardCharsets.ISO_8859_1),
                    StandardCharsets.UTF_8));
            assertThat(status.path("certificates").toString()).contains("shop.example");
            assertThat(status.path("problems").toString()).contains("kye", "tls-secret", "bad");
        }

        assertThat(all.toString())
                .contains("Began request=", "\"host\":\"shop.example\"")
                .doesNotContain(
                        "query-secret",
                        "header-secret",
                        "cookie-secret",
                        "key-secret",
                        "body-secret",
                        "answer-secret",
                        cookie);
        for (String pem : new String[] {chain, key, Pem.text(certificate.key())}) {
            for (int from = 0; from + 24 <= pem.length(); from += 8) {
                assertThat(all.toString()).doesNotContain(pem.substring(from, from + 24));
            }
        }
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void linesOfAccessLogAndLogDoNotMix() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        StandaloneServer server =
                server("shop.endpoints = " + endpoint.endpoint() + "\nshop.hosts = shop.example\n", "info", "json");
        try (RawClient client = new RawClient(server.httpPort())) {
            for (int i = 0; i < 500; i++) {
                client.send("GET /" + i + " HTTP/1.1\r\nHost: shop.example\r\n\r\n")
                        .read();
            }
        }
        server.terminate();
        assertThat(server.exit()).isZero();
        List<String> lines = server.output().lines().toList();

        assertThat(lines.stream().filter(line -> line.startsWith("{"))).hasSize(500);
        for (String line : lines) {
            if (line.startsWith("{")) {
                assertThat(StrictJson.read(line).path("status").intValue()).isEqualTo(200);
            } else {
                assertThat(line).matches(LINE);
            }
        }
    }
}
