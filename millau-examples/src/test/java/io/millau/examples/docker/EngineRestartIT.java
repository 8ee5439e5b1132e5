package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.testing.FreePorts;
import io.millau.docker.testing.Engine;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * An engine that is restarted while requests come in.
 *
 * <p>With {@code live-restore}, containers outlive their engine, the proxy's among them; a Swarm's engine takes its tasks
 * down with it. What is shown here is therefore the former. The proxy gets the folder of the engine's socket rather than the socket:
 * {@code dockerd}, as it is started here, makes a new socket, and a mounted file would stay the old one. (Where systemd
 * keeps the socket, as Debian's and Docker's packages have it, it stays the same.)
 */
@RequiresImages
@Tag("load")
class EngineRestartIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private Engine engine;

    @AfterEach
    void endEngine() {
        if (engine != null) {
            engine.close();
        }
    }

    private void run(String name) {
        engine.docker(
                "run",
                "--detach",
                "--name=" + name,
                "--env=NAME=" + name,
                "--label=millau.enabled=true",
                "--label=millau.port=80",
                "--label=millau.hosts=company.com " + name + ".local",
                "millau-echo:latest");
    }

    private String log() {
        return engine.docker("logs", "proxy");
    }

    @Test
    void routesWorkWhileTheEngineIsAwayAndChangesAreSeenWhenItIsBack() throws Exception {
        engine = Stage.withImages("--live-restore");
        Path socket = Path.of(Stage.socket(engine));
        Front front = new Front(engine.address(), FreePorts.next());
        engine.docker(
                "run",
                "--detach",
                "--name=proxy",
                "--publish=" + front.port() + ":80",
                "--volume=" + socket.getParent() + ":/engine:ro",
                "--env=DOCKER_HOST=unix:///engine/" + socket.getFileName(),
                "--env=ACME=off",
                "millau:latest");
        run("blue");
        run("green");
        front.awaitInstances("company.com", "/", 2);

        Load load = Load.ofGetsAndPosts(front, "company.com", 4);
        try (load) {
            engine.stop();
            int atStop = load.requests();
            await("requests without an engine").atMost(PATIENCE).until(() -> load.requests() > atStop + 200);
            assertThat(front.get("blue.local", "/").name()).isEqualTo("blue");
            assertThat(front.get("green.local", "/").name()).isEqualTo("green");

            engine.startAgain();
            long back = System.nanoTime();
            run("red");
            front.await("red.local", "/", answer -> answer.name().equals("red"));
            System.out.println("From the engine's return to the first request on a new container, ms: "
                    + (System.nanoTime() - back) / 1_000_000);
        }
        System.out.println(
                "During a restart of the engine: " + load.requests() + " requests, failed: " + load.failures());
        assertThat(load.failures()).isEmpty();
        engine.docker("rm", "--force", "green");
        front.await("green.local", "/", answer -> answer.status() == 502);
        assertThat(log().lines().filter(line -> line.contains("can't be reached")))
                .hasSize(1);
        assertThat(log().lines().filter(line -> line.contains("Back source="))).hasSize(1);
    }
}
