package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Endpoint;
import io.millau.core.testing.CapturedLog;
import io.millau.docker.testing.Engine;
import io.millau.docker.testing.RequiresOwnDocker;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A real engine that is stopped, is killed, or hangs. */
@RequiresOwnDocker
class EngineTroubleIT {

    private static final String IMAGE = "millau-test:latest";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static Engine engine;

    private final CapturedLog log = new CapturedLog();
    private Received received;

    @BeforeAll
    static void startEngine() {
        engine = Engine.start("--live-restore");
        engine.hostImage(IMAGE);
    }

    @AfterAll
    static void endEngine() {
        if (engine != null) {
            engine.close();
        }
    }

    @BeforeEach
    void subscribe() {
        received = new Received(DockerSource.at(engine.host())
                .seenFrom(() -> Interfaces.of("172.17.0.1/16"))
                .withTimeout(Duration.ofSeconds(2)));
        run("before");
        received.awaitEndpoints("before", 1);
    }

    @AfterEach
    void removeContainers() {
        received.close();
        log.close();
        engine.docker("ps", "--all", "--quiet").lines().forEach(id -> engine.docker("rm", "--force", id));
    }

    private static void run(String name) {
        engine.docker(
                "run", "--detach", "--name", name, "--label=millau.enabled=true", "--label=millau.port=80", IMAGE);
    }

    @Test
    void afterAKillRoutesStayInForceAndChangesAreSeenSoonAfterTheRestart() {
        List<Endpoint> before = received.endpoints("before");
        engine.kill();
        await().atMost(PATIENCE).until(() -> log.about("can't be reached").size() == 1);
        assertThat(received.endpoints("before")).isEqualTo(before);

        engine.startAgain();
        long back = System.nanoTime();
        run("after");
        received.awaitEndpoints("after", 1);
        System.out.println("After a restart, from answering to a new container seen, ms: "
                + (System.nanoTime() - back) / 1_000_000);
        assertThat(received.endpoints("before")).isEqualTo(before);
        assertThat(log.about("can't be reached")).hasSize(1);
        await().atMost(PATIENCE).until(() -> log.about("Back source=").size() == 1);
    }

    @Test
    void servicesOfAStoppedEngineStayInForce() {
        List<Endpoint> before = received.endpoints("before");
        int snapshots = received.all().size();
        engine.stop();
        await().atMost(PATIENCE).until(() -> log.about("can't be reached").size() == 1);
        assertThat(received.all()).hasSize(snapshots);

        engine.startAgain();
        await().atMost(PATIENCE).until(() -> log.about("Back source=").size() == 1);
        assertThat(received.endpoints("before")).isEqualTo(before);
    }

    @Test
    void aHangingEngineIsDetectedAndSoIsItsRecovery() {
        engine.freeze();
        received.lookNow();
        await().atMost(PATIENCE).until(() -> log.about("hangs").size() == 1);
        assertThat(received.endpoints("before")).hasSize(1);

        engine.thaw();
        run("after");
        received.awaitEndpoints("after", 1);
        await().atMost(PATIENCE).until(() -> log.about("Back source=").size() == 1);
    }
}
