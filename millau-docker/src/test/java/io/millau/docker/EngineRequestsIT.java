package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.docker.testing.Engine;
import io.millau.docker.testing.RecordingProxy;
import io.millau.docker.testing.RecordingProxy.Request;
import io.millau.docker.testing.RequiresOwnDocker;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a real engine is asked: whoever gives the socket to the proxy wants to know that it only reads. */
@RequiresOwnDocker
class EngineRequestsIT {

    private static final String IMAGE = "millau-test:latest";

    /** What a socket proxy has to pass on, as SECURITY.md says. */
    private static final Set<String> READ =
            Set.of("info", "events", "services", "tasks", "nodes", "networks", "containers");

    private static Engine engine;

    private RecordingProxy proxy;

    @BeforeAll
    static void startSwarm() {
        engine = Engine.start();
        engine.hostImage(IMAGE);
        engine.initSwarm();
        engine.docker("network", "create", "--driver", "overlay", "--attachable", "--subnet", "10.11.0.0/24", "app");
    }

    @AfterAll
    static void endSwarm() {
        if (engine != null) {
            engine.close();
        }
    }

    @BeforeEach
    void open() {
        proxy = new RecordingProxy(engine);
    }

    @AfterEach
    void close() throws Exception {
        proxy.close();
    }

    @Test
    void discoveryOnlyReads() {
        try (Received received =
                new Received(DockerSource.at(proxy.host()).seenFrom(() -> Interfaces.of("10.11.0.200/24")))) {
            engine.docker(
                    "run",
                    "--detach",
                    "--name=one",
                    "--network=app",
                    "--label=millau.enabled=true",
                    "--label=millau.port=80",
                    IMAGE);
            received.awaitEndpoints("one", 1);
            engine.docker("stop", "--time", "1", "one");
            received.awaitEndpoints("one", 0);
            engine.docker("rm", "one");

            engine.docker(
                    "service",
                    "create",
                    "--quiet",
                    "--detach",
                    "--no-resolve-image",
                    "--name=web",
                    "--network=app",
                    "--replicas=2",
                    "--label=millau.enabled=true",
                    "--label=millau.port=80",
                    IMAGE);
            received.awaitEndpoints("web", 2);
            engine.docker("service", "update", "--detach", "--label-add=millau.hosts=one.com", "web");
            received.awaitService("web", service -> service.hosts().contains("one.com"));
            engine.docker("service", "rm", "web");
            received.awaitGone("web");
        }

        assertThat(proxy.requests()).contains(new Request("GET", "/events"), new Request("GET", "/services"));
        assertThat(proxy.methods()).containsExactly("GET");
        assertThat(proxy.requests())
                .extracting(Request::path)
                .allMatch(path -> READ.contains(path.split("/")[1]), "is in the list of SECURITY.md");
    }

    /** The one exception, which has to be asked for: STORE=swarm. */
    @Test
    void onlyTheSharedStoreWrites() throws Exception {
        byte[] key = "0123456789abcdef0123456789ABCDEF".getBytes(StandardCharsets.UTF_8);
        SwarmStore store = SwarmStore.at(proxy.host(), key);
        store.put("issuer/account", key);
        store.put("issuer/account", key);
        assertThat(store.get("issuer/account")).contains(key);
        store.tryLock("issuer/lock", Duration.ofSeconds(10)).orElseThrow().close();

        assertThat(proxy.requests())
                .filteredOn(request -> !request.method().equals("GET"))
                .isNotEmpty()
                .allSatisfy(request -> {
                    assertThat(request.method()).isIn("POST", "DELETE");
                    assertThat(request.path()).startsWith("/configs/");
                });
    }
}
