package io.millau.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.StandaloneServer;
import io.millau.server.ProxyTest;
import io.millau.server.RawClient;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The packaged server as a user runs it: {@code java -jar millau-server.jar}, in a process of its own. */
class StandaloneIT extends ProxyTest {

    @TempDir
    Path folder;

    @Test
    void helpAndVersion() throws Exception {
        StandaloneServer help = server(Map.of(), "--help");
        assertThat(help.exit()).isZero();
        assertThat(help.output()).startsWith("Millau").contains("millau.enabled", "SERVICES", "demo");

        StandaloneServer version = server(Map.of(), "--version");
        assertThat(version.exit()).isZero();
        assertThat(version.output()).matches("Millau \\d+\\.\\d+\\.\\d+\\S*\\R");
    }

    @Test
    void theVersionIsTheSameEverywhere() throws Exception {
        StandaloneServer asked = server(Map.of(), "--version");
        assertThat(asked.exit()).isZero();
        String version = asked.output().strip().substring("Millau ".length());
        StandaloneServer server =
                server(Map.of("DOCKER_HOST", StandaloneServer.NO_ENGINE, "SERVICES", folder.toString()));
        server.awaitLine("Listens on");

        assertThat(Path.of("target", "millau-server-" + version + ".jar")).exists();
        assertThat(server.output()).contains("Millau " + version + ", services from ");
        try (RawClient telemetry = new RawClient(server.telemetryPort())) {
            assertThat(telemetry.get("/status.json").body()).startsWith("{\"version\":\"" + version + "\",");
            assertThat(telemetry.get("/status").body()).contains("id=\"first\">{\"version\":\"" + version + "\",");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "HTTP | abc | FATAL HTTP=abc: expected 8080, :8080, 127.0.0.1:8080 or [::1]:8080",
                "HTTP | 70000 | FATAL HTTP=70000: expected 8080",
                "HTTPS | abc | FATAL HTTPS=abc: expected 8080",
                "REDIRECT | true | FATAL REDIRECT=true: expected https",
                "CERTS | /no/such/folder | FATAL CERTS=/no/such/folder: expected a folder that can be read",
                "ACME | http://ca | FATAL ACME=http://ca: expected URLs of ACME directories",
                "ACME_EMAIL | me | FATAL ACME_EMAIL=me: expected an address like",
                "ACME_EAB_KID | kid | FATAL ACME_EAB_HMAC=: expected beside ACME_EAB_KID",
                "ACME_EAB_HMAC | se/cret | FATAL ACME_EAB_HMAC=…: expected the key in base64url",
                "ACME_DNS | rfc2136://ns | FATAL ACME_DNS=…: expected rfc2136://SERVER?key=NAME&algorithm=hmac-sha256",
                "ACME_CA | /no/such/file | FATAL ACME_CA=/no/such/file: expected a file that can be read",
                "STORE | redis | FATAL STORE=redis: expected file or swarm",
                "STORE | swarm | FATAL STORE_KEY_FILE=: expected a file with a secret of at least 32 characters",
                "TELEMETRY | x:y | FATAL TELEMETRY=x:y: expected 8080",
                "LOGGING | LOUD | FATAL LOGGING=LOUD: expected FATAL, ERROR, WARN, INFO or DEBUG",
                "DRAIN | soon | FATAL DRAIN=soon: expected seconds, 0 to 9999",
                "SERVICES | /no/such/file | FATAL SERVICES=/no/such/file: expected a properties file, or a folder of them, that can be read",
                "DOCKER_LABEL | =x | FATAL DOCKER_LABEL==x: expected a label, such as proxy=public",
                "HTTPS_PORT | 70000 | FATAL HTTPS_PORT=70000: expected a port from 1 to 65535",
                "HTTPS_PORT | 0 | FATAL HTTPS_PORT=0: expected a port from 1 to 65535",
                "DOCKER_HOST | carrier://pigeon | FATAL DOCKER_HOST=carrier://pigeon: ",
            })
    void anInvalidSettingIsReportedInOneLine(String variable, String value, String line) throws Exception {
        StandaloneServer server = server(Map.of(variable, value));

        assertThat(server.exit()).isEqualTo(1);
        assertThat(server.output().lines()).singleElement().asString().startsWith(line);
    }

    @Test
    void anUnknownArgumentIsNamed() throws Exception {
        StandaloneServer server = server(Map.of(), "dmeo");

        assertThat(server.exit()).isEqualTo(1);
        assertThat(server.output())
                .isEqualTo(
                        "FATAL dmeo: expected no argument, demo, proxy, explain, check, wait, --help or --version; did you mean demo?\n");
    }

    @Test
    void proxyServesOneServiceWithoutAFile() throws Exception {
        int port = endpointThatSays("ok").endpoint().port();
        StandaloneServer server = server(
                Map.of("DOCKER_HOST", "carrier://nobody"),
                "proxy",
                "--from",
                "127.0.0.1:0",
                "--to",
                "127.0.0.1:" + port);
        server.awaitLine("Listens on");
        try (RawClient client = new RawClient(server.httpPort())) {
            assertThat(client.get("/anything").body()).isEqualTo("ok");
        }
        assertThat(server.output()).doesNotContain("WARN", "ERROR").contains("1 service: proxy");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "proxy | FATAL proxy: expected --to URL, once or more, and perhaps --from ADDRESS",
                "proxy --to | FATAL proxy: expected --to URL",
                "proxy --to ftp://x | FATAL proxy --to ftp://x: expected HOST:PORT, http://HOST:PORT",
                "proxy --to x:99999 | FATAL proxy --to x:99999: ",
                "proxy --to a_b$:80 | FATAL proxy --to a_b$:80: host a_b$: expected a host name",
                "proxy --to x --from y | FATAL proxy --from y: expected 8080"
            })
    void wrongArgumentsOfProxyAreNamed(String command, String line) throws Exception {
        StandaloneServer server = server(Map.of(), command.split(" "));
        assertThat(server.exit()).isEqualTo(1);
        assertThat(server.output().lines()).singleElement().asString().startsWith(line);
    }

    @Test
    void checkReportsProblems() throws Exception {
        Path file = folder.resolve("compose.yml");
        Files.writeString(
                file, "services:\n  shop:\n    labels:\n      - millau.enabled=true\n      - millau.prot=80\n");
        StandaloneServer check = server(Map.of(), "check", file.toString());
        assertThat(check.exit()).isEqualTo(1);
        assertThat(check.output()).contains(file + ":5: shop: millau.prot=80: unknown, did you mean millau.port?\n");

        StandaloneServer engine = server(Map.of(), "check", "--docker");
        assertThat(engine.exit()).isEqualTo(2);
        assertThat(engine.output().lines()).singleElement().asString().startsWith("Docker Engine unix://");
    }

    @Test
    void explainAsksTheRunningProxy() throws Exception {
        Path file = folder.resolve("services.properties");
        Files.writeString(
                file, "app.endpoints = " + endpointThatSays("ok").endpoint() + "\napp.hosts = shop.example\n");
        StandaloneServer server = server(Map.of("SERVICES", file.toString()));
        server.awaitLine("Listens on");
        Map<String, String> environment = Map.of("TELEMETRY", ":" + server.telemetryPort());

        StandaloneServer served = server(environment, "explain", "http://shop.example/x");
        assertThat(served.exit()).isZero();
        assertThat(served.output())
                .startsWith("http://shop.example/x goes to app\napp: matches by host shop.example and path /\n")
                .contains(" in rotation (up)\n");
        StandaloneServer not = server(environment, "explain", "else.example");
        assertThat(not.exit()).isEqualTo(1);
        assertThat(not.output()).startsWith("""
                http://else.example goes nowhere: 502 No matching services found
                app: its host shop.example does not fit
                Clients are known by the addresses of their connections: no proxy in front is trusted (TRUSTED, PROXY_PROTOCOL; in code: trusted, proxyProtocol)
                Problem: Docker unix:///var/run/no-such-engine.sock: can't be reached""");
    }

    @Test
    void aPortInUseIsNamed() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String address = "127.0.0.1:" + taken.getLocalPort();
            StandaloneServer server = server(Map.of("HTTP", address));

            assertThat(server.exit()).isEqualTo(1);
            assertThat(server.output().lines().filter(line -> line.startsWith("FATAL")))
                    .singleElement()
                    .asString()
                    .startsWith("FATAL HTTP=" + address + ": expected an address that is free");
        }
    }

    @Test
    void withoutDockerAndServicesItRunsAndLogsWhatItWaitsFor() throws Exception {
        StandaloneServer server = server(Map.of());
        server.awaitLine("No services yet");

        assertThat(server.output())
                .contains(StandaloneServer.NO_ENGINE)
                .contains("Millau ")
                .contains("Listens on");
        try (RawClient client = new RawClient(server.httpPort());
                RawClient telemetry = new RawClient(server.telemetryPort())) {
            Message response = client.get("/");
            assertThat(response.status()).isEqualTo(502);
            assertThat(response.body()).startsWith("No matching services found");
            assertThat(telemetry.get("/").status()).isEqualTo(503);
        }
        server.terminate();
        assertThat(server.exit()).isZero();
    }

    @Test
    void theServicesFileIsReloadedWhenItChanges() throws Exception {
        ScriptedEndpoint one = endpointThatSays("one");
        ScriptedEndpoint two = endpointThatSays("two");
        Path file = folder.resolve("services.properties");
        Files.writeString(file, "app.endpoints = " + one.endpoint() + "\n");
        StandaloneServer server = server(Map.of("SERVICES", file.toString()));
        server.awaitLine("Listens on");
        try (RawClient client = new RawClient(server.httpPort())) {
            assertThat(client.get("/").body()).isEqualTo("one");
            Files.writeString(file, "app.endpoints = " + two.endpoint() + "\napp.timeuot = 80\n");
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> client.get("/").body().equals("two"));
        }
        server.awaitLine("app: app.timeuot=80: unknown, did you mean app.timeout?");
        try (RawClient telemetry = new RawClient(server.telemetryPort())) {
            assertThat(telemetry.get("/").body()).isEqualTo("up");
            assertThat(telemetry.get("/metrics").body())
                    .contains("millau_lb_successful_requests_total{code=\"200\",method=\"GET\",service=\"app\"}")
                    .contains("millau_lb_status{service=\"app\"} 1\n");
        }
    }

    @Test
    void servicesOfAFolderComeAndGoWithItsFiles() throws Exception {
        Path services = Files.createDirectory(folder.resolve("services"));
        Files.writeString(
                services.resolve("one.properties"),
                "one.endpoints = " + endpointThatSays("one").endpoint() + "\none.path = /one\n");
        StandaloneServer server = server(Map.of("SERVICES", services.toString()));
        server.awaitLine(" and folder " + services);
        server.awaitLine("Listens on");
        try (RawClient client = new RawClient(server.httpPort())) {
            assertThat(client.get("/one").body()).isEqualTo("one");
            Files.writeString(
                    services.resolve("two.properties"),
                    "two.endpoints = " + endpointThatSays("two").endpoint() + "\ntwo.path = /two\ntwo.prot = 1\n");
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> client.get("/two").body().equals("two"));
            Files.delete(services.resolve("one.properties"));
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> client.get("/one").status() == 502);
        }
        server.awaitLine("two: two.properties: two.prot=1: unknown");
    }

    @Test
    void atDebugTheResponseNamesTheServiceAndTheEndpoint() throws Exception {
        Path file = folder.resolve("services.properties");
        Files.writeString(file, "app.endpoints = " + endpointThatSays("ok").endpoint() + "\n");
        StandaloneServer server = server(Map.of("SERVICES", file.toString(), "LOGGING", "debug"));
        server.awaitLine("Listens on");
        try (RawClient client = new RawClient(server.httpPort())) {
            Message response = client.get("/");
            assertThat(response.field("Via")).isEqualTo("1.1 millau");
            assertThat(response.field("X-Backend-Server")).isEqualTo("app");
            assertThat(response.field("X-Served-By")).isNotBlank();
        }
    }

    @Test
    void duringTheDrainItReportsDownAndServes() throws Exception {
        Path file = folder.resolve("services.properties");
        Files.writeString(file, "app.endpoints = " + endpointThatSays("ok").endpoint() + "\n");
        StandaloneServer server = server(Map.of("SERVICES", file.toString(), "DRAIN", "600"));
        server.awaitLine("Listens on");
        server.terminate();
        server.awaitLine("Down listens=600s");
        try (RawClient client = new RawClient(server.httpPort());
                RawClient telemetry = new RawClient(server.telemetryPort())) {
            assertThat(telemetry.get("/").body()).isEqualTo("down");
            Message response = client.get("/");
            assertThat(response.body()).isEqualTo("ok");
            assertThat(response.field("Connection")).isEqualTo("close");
        }
    }

    @Test
    void terminationFinishesRunningRequests() throws Exception {
        ScriptedEndpoint slow = endpoint(connection -> {
            connection.wire().readHead();
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
            connection.hang(); // until the client disconnects
        });
        Path file = folder.resolve("services.properties");
        Files.writeString(file, "app.endpoints = " + slow.endpoint() + "\n");
        StandaloneServer server = server(Map.of("SERVICES", file.toString()));
        server.awaitLine("Listens on");
        int telemetryPort = server.telemetryPort();
        try (RawClient client = new RawClient(server.httpPort());
                RawClient telemetry = new RawClient(telemetryPort)) {
            client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
            client.readHead();
            assertThat(client.wire().readExactly(4)).isEqualTo("half");
            server.terminate();
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> telemetry.get("/").body().equals("down"));
            assertThat(server.isRunning()).isTrue();
        }
        assertThat(server.exit()).isZero();
    }

    @Test
    void theDemoBehavesAsItsOutputSays() throws Exception {
        StandaloneServer server = server(Map.of(), "demo");
        server.awaitLine("Ctrl-C ends the demo");
        int port = server.port("Millau listens on http://localhost:(\\d+)/");
        try (RawClient client = new RawClient(port)) {
            assertThat(fourBodies(client)).containsExactly("blue\n", "green\n", "blue\n", "green\n");
            kill(server.port("blue is http://127.0.0.1:(\\d+)/"));
            assertThat(fourBodies(client)).containsOnly("green\n");
            kill(server.port("green is http://127.0.0.1:(\\d+)/"));
            assertThat(fourBodies(client))
                    .allSatisfy(response -> assertThat(response).startsWith("maintenance page"));
        }
        server.terminate();
        assertThat(server.exit()).isZero();
    }

    private static List<String> fourBodies(RawClient client) throws IOException {
        List<String> responses = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            responses.add(client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    .read()
                    .body());
        }
        return responses;
    }

    private static void kill(int port) throws IOException {
        try (RawClient instance = new RawClient(port)) {
            assertThat(instance.send("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n")
                            .read()
                            .body())
                    .endsWith("is dead\n");
        }
    }

    /** 5 GB in each direction through a process with 48 MB of heap and 32 MB of buffers. */
    @Test
    void fiveGigabytesInEachDirectionNeedConstantMemory() throws Exception {
        long size = 5_000_000_000L;
        byte[] block = new byte[1 << 20];
        ScriptedEndpoint endpoint = endpoint(connection -> {
            Message upload = connection.wire().readHead();
            drain(connection.wire().in(), Long.parseLong(upload.field("Content-Length")));
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + size + "\r\n\r\n");
            pour(connection.wire().out(), block, size);
        });
        Path file = folder.resolve("services.properties");
        Files.writeString(file, "app.endpoints = " + endpoint.endpoint() + "\n");
        StandaloneServer server = server(Map.of("SERVICES", file.toString()));
        server.awaitLine("Listens on");
        try (RawClient client = new RawClient(server.httpPort())) {
            client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " + size + "\r\n\r\n");
            pour(client.wire().out(), block, size);
            assertThat(client.readHead().field("Content-Length")).isEqualTo(String.valueOf(size));
            drain(client.wire().in(), size);
        }
        assertThat(server.isRunning()).isTrue();
        assertThat(server.output()).doesNotContain("OutOfMemory").doesNotContain("failed");
    }

    private static void pour(OutputStream out, byte[] block, long size) throws IOException {
        for (long left = size; left > 0; left -= block.length) {
            out.write(block, 0, (int) Math.min(block.length, left));
        }
        out.flush();
    }

    private static void drain(InputStream in, long size) throws IOException {
        byte[] block = new byte[1 << 20];
        long left = size;
        while (left > 0) {
            int count = in.read(block, 0, (int) Math.min(block.length, left));
            if (count < 0) {
                throw new IOException(left + " bytes are missing");
            }
            left -= count;
        }
    }

    private StandaloneServer server(Map<String, String> environment, String... arguments) throws IOException {
        return closing(new StandaloneServer(folder.resolve("output-" + System.nanoTime()), environment, arguments));
    }
}
