package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.testing.FreePorts;
import io.millau.docker.testing.Engine;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The image in a container with 64 MB of memory, and 5,000 clients at once. */
@RequiresImages
@ExtendWith(Stage.Provider.class)
class SmallContainerIT {

    private static final int CLIENTS = 5000;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final byte[] REQUEST =
            "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private final List<Socket> clients = new ArrayList<>();

    @AfterEach
    void close() throws IOException {
        for (Socket client : clients) {
            client.close();
        }
    }

    /** It was killed for want of memory, and so were the requests in progress. */
    @Test
    void everybodyGetsAResponse(Stage stage) throws Exception {
        Engine engine = stage.engine();
        String address = engine.address();
        int port = FreePorts.next();
        int telemetry = FreePorts.next();
        String network = engine.docker("network", "create", "small-container");
        String app = engine.docker(
                "run",
                "--detach",
                "--network=" + network,
                "--label=millau.enabled=true",
                "--label=millau.port=80",
                "millau-echo:latest");
        String millau = engine.docker(
                "run",
                "--detach",
                "--network=" + network,
                "--publish=" + port + ":80",
                "--publish=" + telemetry + ":9100",
                "--memory=64m",
                "--memory-swap=64m",
                "--env=ACME=off",
                "--env=TRUSTED=private", // the engine's network shows all clients with one address
                "--volume=" + Stage.socket(engine) + ":/var/run/docker.sock:ro",
                "millau:latest");
        try {
            await().atMost(PATIENCE).until(() -> status(address, port) == 200);

            for (int i = 0; i < CLIENTS; i++) {
                connect(address, port).getOutputStream().write(REQUEST);
            }
            assertThat(status(address, telemetry)).isEqualTo(200);
            Map<Integer, Integer> responses = new TreeMap<>();
            for (Socket client : clients) {
                responses.merge(statusOf(client), 1, Integer::sum);
            }

            assertThat(engine.docker(
                            "inspect", "--format={{.State.Running}} {{.State.OOMKilled}} {{.RestartCount}}", millau))
                    .as("running, out of memory, started again; responses were %s", responses)
                    .isEqualTo("true false 0");
            assertThat(responses.keySet()).isSubsetOf(200, 503);
            assertThat(responses.get(200)).isGreaterThan(CLIENTS / 10);
            close();
            await().atMost(PATIENCE).until(() -> status(address, port) == 200);
        } finally {
            engine.docker("rm", "--force", app, millau);
            engine.docker("network", "rm", network);
        }
    }

    private Socket connect(String address, int port) throws IOException {
        Socket client = new Socket();
        clients.add(client);
        client.setSoTimeout((int) PATIENCE.toMillis());
        client.connect(new InetSocketAddress(address, port), (int) PATIENCE.toMillis());
        return client;
    }

    /** Asks on a connection of its own; 0 if there is no response. */
    private static int status(String address, int port) {
        try (Socket client = new Socket(address, port)) {
            client.setSoTimeout((int) PATIENCE.toMillis());
            client.getOutputStream().write(REQUEST);
            return statusOf(client);
        } catch (IOException e) {
            return 0;
        }
    }

    /** The status of the response; 0 if there is none. */
    private static int statusOf(Socket client) {
        try {
            byte[] start = client.getInputStream().readNBytes("HTTP/1.1 200".length());
            String line = new String(start, StandardCharsets.US_ASCII);
            return line.startsWith("HTTP/1.1 ") ? Integer.parseInt(line.substring("HTTP/1.1 ".length())) : 0;
        } catch (IOException e) {
            return 0;
        }
    }
}
