package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.server.testing.Message;
import io.millau.server.testing.ScriptedEndpoint;
import io.millau.server.testing.StandaloneServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged server with a heap of 24 MB, and more requests at once than it has memory for. */
class SmallHeapIT extends ProxyTest {

    private static final int CLIENTS = 1500;

    @TempDir
    Path folder;

    /** Their responses took all memory outside the heap, and for a minute nobody was served, not even at the telemetry port. */
    @Test
    void clientsThatDoNotReadTakeABoundedShare() throws Exception {
        ScriptedEndpoint large = endpoint(connection -> {
            connection.wire().readHead();
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
            byte[] part = new byte[64 * 1024];
            while (true) {
                connection.wire().out().write(part);
            }
        });
        Path services = Files.writeString(
                folder.resolve("services.properties"),
                "large.endpoints = " + large.endpoint() + "\nlarge.path = /large\nsmall.endpoints = "
                        + endpointThatSays("ok").endpoint() + "\n");
        StandaloneServer server = closing(StandaloneServer.withHeap(
                24, folder.resolve("output"), Map.of("SERVICES", services.toString(), "HTTPS", "off")));
        server.awaitLine("Added service=small");
        server.awaitLine("Listens on");
        List<RawClient> clients = new ArrayList<>();
        int served = 0;
        for (int i = 0; i < CLIENTS; i++) {
            RawClient client = closing(new RawClient(server.httpPort()));
            clients.add(client);
            Message head =
                    client.send("GET /large HTTP/1.1\r\nHost: app\r\n\r\n").readHead();
            served += head.status() == 200 ? 1 : 0;
            if (head.status() != 200) {
                assertThat(head.status()).isEqualTo(503);
                assertThat(head.field("Retry-After")).isEqualTo("1");
            }
        }
        assertThat(served).isBetween(500, CLIENTS - 1);
        server.awaitLine("Overloaded inProgress=");
        try (RawClient telemetry = new RawClient(server.telemetryPort())) {
            assertThat(telemetry.get("/ready").status()).isEqualTo(200);
            assertThat(telemetry.get("/metrics").body()).contains("reason=\"overloaded\"");
        }
        for (RawClient client : clients) {
            client.close();
        }
        await().atMost(Duration.ofSeconds(90)).until(() -> {
            try (RawClient afterwards = new RawClient(server.httpPort())) {
                return afterwards.get("/").body().equals("ok");
            }
        });
        assertThat(server.output()).doesNotContain("OutOfMemory");
    }
}
