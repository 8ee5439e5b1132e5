package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.testing.StandaloneServer;
import io.millau.testing.ScriptedEndpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged server where a process may have 256 files and sockets open: 96 for clients, 96 for endpoints, and a reserve. */
class FileLimitIT extends ProxyTest {

    private static final String GET = "GET / HTTP/1.1\r\nHost: app\r\n\r\n";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private StandaloneServer serverFor(ScriptedEndpoint app) throws Exception {
        Path services = folder.resolve("services.properties");
        Files.writeString(services, "app.endpoints = " + app.endpoint() + "\n");
        StandaloneServer server = closing(StandaloneServer.withFiles(
                256, folder.resolve("output"), Map.of("SERVICES", services.toString(), "HTTPS", "off")));
        server.awaitLine("Listens on");
        server.awaitLine("Added service=app");
        return server;
    }

    private static String telemetry(StandaloneServer server, String path) throws Exception {
        try (RawClient client = new RawClient(server.telemetryPort())) {
            return client.get(path).toString();
        }
    }

    /** They took all descriptors: nobody could ask for health, and the endpoint that could not be connected to was ejected. */
    @Test
    void clientsThatHoldConnectionsLeaveRoomForHealthAndEndpoints() throws Exception {
        CountDownLatch arrived = new CountDownLatch(96);
        StandaloneServer server = serverFor(endpointThatHangs(arrived));
        List<RawClient> held = new ArrayList<>();
        for (int i = 0; i < 96; i++) {
            held.add(from(i, server).send(GET));
        }
        await().atMost(PATIENCE).until(() -> arrived.getCount() == 0);
        RawClient waiting = from(200, server).send("CONNECT app:1 HTTP/1.1\r\nHost: app:1\r\n\r\n");
        server.awaitLine("Accepts no more connections");

        assertThat(telemetry(server, "/ready")).contains("200");
        assertThat(telemetry(server, "/metrics"))
                .contains("millau_ingress_client_connections{port=\":" + server.httpPort() + "\",protocol=\"http\"} 96")
                .contains("millau_ingress_max_client_connections{port=\":" + server.httpPort()
                        + "\",protocol=\"http\"} 96");
        assertThat(server.output()).contains("open=96 ").doesNotContain("Too many open files", "Ejected");

        held.get(0).close();
        assertThat(waiting.readHead().status()).isEqualTo(501);
        assertThat(telemetry(server, "/explain?url=http://app/")).contains("in rotation");
    }

    /** For three minutes nobody else was served. */
    @Test
    void idleClientsMakeRoomForOthers() throws Exception {
        StandaloneServer server = serverFor(endpointThatSays("ok"));
        for (int i = 0; i < 300; i++) {
            from(i, server).send(GET);
        }
        assertThat(from(400, server).get("/").body()).isEqualTo("ok");
    }

    /** One client could take all places. */
    @Test
    void oneClientGetsAQuarterWhilePlacesAreScarce() throws Exception {
        StandaloneServer server = serverFor(endpointThatSays("ok"));
        List<RawClient> ofOne = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            ofOne.add(closing(RawClient.from("127.0.0.1", server.httpPort())));
        }
        server.awaitLine("Refused connection client=127.0.0.1");
        String refused =
                "millau_ingress_refused_connections_total{port=\":" + server.httpPort() + "\",protocol=\"http\"} 12";
        await().atMost(PATIENCE).until(() -> telemetry(server, "/metrics").contains(refused));

        assertThat(ofOne.get(0).get("/").body()).isEqualTo("ok");
        assertThat(RawClient.from("127.0.0.2", server.httpPort()).get("/").body())
                .isEqualTo("ok");
    }

    /** A client whose address few others have. */
    private RawClient from(int number, StandaloneServer server) throws Exception {
        return closing(RawClient.from("127.0.0." + (number / 10 + 1), server.httpPort()));
    }

    /** Requests that can have no connection of this process are no fault of the endpoint. */
    @Test
    void requestsThatHoldConnectionsToEndpointsEjectNone() throws Exception {
        CountDownLatch all = new CountDownLatch(96);
        StandaloneServer server = serverFor(endpointThatHangs(all));
        RawHttp2Client client = closing(new RawHttp2Client(server.httpPort()));
        for (int request = 0; request < 200; request++) {
            client.headers(
                    2 * request + 1, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "app");
            long missing = Math.max(0, 95 - request);
            await().atMost(PATIENCE).until(() -> all.getCount() == missing); // its backlog is short
        }
        server.awaitLine("status=503 reason=\"Too many open files");

        assertThat(telemetry(server, "/ready")).contains("200");
        assertThat(telemetry(server, "/explain?url=http://app/")).contains("in rotation");
        assertThat(telemetry(server, "/metrics")).contains("reason=\"overloaded\"");
        assertThat(server.output()).doesNotContain("Ejected");
    }
}
