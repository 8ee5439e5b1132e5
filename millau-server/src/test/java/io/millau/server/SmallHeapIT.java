package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.testing.StandaloneServer;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
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

    /** Heads and bodies that waited took the whole heap: the process hung, or a thread was lost that nobody can do without. */
    @Test
    void whatClientsSendTakesABoundedShare() throws Exception {
        ScriptedEndpoint hanging = endpoint(connection -> {
            connection.wire().readHead();
            connection.hang();
        });
        Path services = Files.writeString(
                folder.resolve("services.properties"),
                "hanging.endpoints = " + hanging.endpoint() + "\nhanging.path = /hanging\nsmall.endpoints = "
                        + endpointThatSays("ok").endpoint() + "\n");
        StandaloneServer server = closing(StandaloneServer.withHeap(
                24, folder.resolve("output"), Map.of("SERVICES", services.toString(), "HTTPS", "off")));
        server.awaitLine("Listens on");
        String large = "a".repeat(31_000);
        String http2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, "");
        Map<String, String> sent = Map.of(
                "a head without an end", "GET / HTTP/1.1\r\nX: " + large,
                "a large head", "GET /hanging HTTP/1.1\r\nHost: a\r\nX: " + large.substring(0, 7_000) + "\r\n\r\n",
                "trailers without an end",
                        "POST /hanging HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + large,
                "a body that is kept",
                        "PUT /hanging HTTP/1.1\r\nHost: a\r\nContent-Length: 60001\r\n\r\n" + "a".repeat(60_000),
                "a part of a frame",
                        http2 + frame(1, 4, 1, large.substring(0, 16_000)).substring(0, 15_000),
                "a header block without an end",
                        http2 + frame(1, 0, 1, "") + frame(9, 0, 1, large.substring(0, 16_000)));
        for (Map.Entry<String, String> one : sent.entrySet()) {
            List<RawClient> clients = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                clients.add(closing(RawClient.from("127.0.0." + (i % 100 + 1), server.httpPort()))
                        .send(one.getValue()));
            }
            try (RawClient telemetry = new RawClient(server.telemetryPort())) {
                assertThat(telemetry.get("/ready").status()).as(one.getKey()).isEqualTo(200);
            }
            for (RawClient client : clients) {
                client.close();
            }
            await(one.getKey()).atMost(Duration.ofSeconds(90)).until(() -> {
                try (RawClient afterwards = new RawClient(server.httpPort())) {
                    return afterwards.get("/").body().equals("ok");
                }
            });
        }
        assertThat(server.output()).doesNotContain("OutOfMemory", "Out of memory", "Internal error");
    }

    private static String frame(int type, int flags, int stream, String payload) {
        int length = payload.length();
        char[] head = {
            (char) (length >> 16),
            (char) (length >> 8 & 255),
            (char) (length & 255),
            (char) type,
            (char) flags,
            0,
            0,
            0,
            (char) stream
        };
        return new String(head) + payload;
    }
}
