package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.testing.FreePorts;
import io.millau.docker.testing.Engine;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Millau itself is replaced: another one is started, and as soon as it is up the old one is told to stop. A balancer in
 * front looks at the telemetry port, as the {@code DRAIN} of the old one gives it time to.
 */
@RequiresImages
@Tag("load")
@ExtendWith(Stage.OfThreeNodes.class)
class ProxyReplacedIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    @Test
    void nothingIsLost(Stage stage) throws Exception {
        String text = Stage.read("stacks/rolling-update.yml") + "\nnetworks:\n  default:\n    attachable: true\n";
        try (Stack stack = stage.deployText(text, "replaced");
                Balancer balancer = new Balancer()) {
            stack.front().awaitInstances("localhost", "/", 3);
            String old = startProxy(stack, balancer);
            try (Crowd crowd = Crowd.at(balancer.front(), "localhost")) {
                for (int round = 0; round < Rounds.NUMBER; round++) {
                    String next = startProxy(stack, balancer);
                    assertThat(end(stack.engine(), old)).isEqualTo("0");
                    old = next;
                    crowd.awaitRequests(500);
                }
                // What goes through the old proxy ends with it, and nothing else does.
                assertThat(crowd.sockets().ended()).hasSizeLessThanOrEqualTo(20 * Rounds.NUMBER);
                crowd.endsWell("Millau replaced, start-first", List.of());
            } finally {
                end(stack.engine(), old);
            }
        }
    }

    /** Starts one more, and returns its container when the balancer gives it connections. */
    private static String startProxy(Stack stack, Balancer balancer) {
        Engine engine = stack.engine();
        Front front = new Front(engine.address(), FreePorts.next());
        Front telemetry = new Front(engine.address(), FreePorts.next());
        String id = engine.docker(
                "run",
                "--detach",
                "--network=" + stack.name() + "_default",
                "--publish=" + front.port() + ":80",
                "--publish=" + telemetry.port() + ":9100",
                "--volume=" + Stage.socket(engine) + ":/var/run/docker.sock:ro",
                "--env=DRAIN=3",
                "millau:latest");
        long others = balancer.up();
        balancer.add(front, telemetry);
        await("the new proxy").atMost(PATIENCE).until(() -> balancer.up() > others);
        return id;
    }

    /** Tells a proxy to stop, and returns its exit status. */
    private static String end(Engine engine, String proxy) {
        engine.docker("stop", "--time=60", proxy);
        String status = engine.docker("inspect", "--format={{.State.ExitCode}}", proxy);
        engine.docker("rm", proxy);
        return status;
    }
}
