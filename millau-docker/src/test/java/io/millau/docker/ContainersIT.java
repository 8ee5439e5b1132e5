package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.docker.testing.Engine;
import io.millau.docker.testing.RequiresDocker;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Containers of the environment's engine, which may have other containers; the test removes its own. */
@RequiresDocker
class ContainersIT {

    private static final String IMAGE = "millau-docker-it:latest";
    private static final Engine ENGINE = Engine.ofEnvironment();

    /** Marks the containers of this run. */
    private final String run = "it" + UUID.randomUUID().toString().substring(0, 8);

    private Received received;

    @BeforeAll
    static void makeImage() {
        ENGINE.hostImage(IMAGE, "EXPOSE 8080/tcp");
    }

    @BeforeEach
    void subscribe() {
        String bridge =
                ENGINE.docker("network", "inspect", "--format", "{{range .IPAM.Config}}{{.Subnet}} {{end}}", "bridge");
        String[] subnets = bridge.strip().split(" ");
        received = new Received(DockerSource.at(ENGINE.host()).seenFrom(() -> Interfaces.of(subnets)));
    }

    @AfterEach
    void removeContainers() {
        received.close();
        ENGINE.docker("ps", "--all", "--quiet", "--filter", "label=" + run)
                .lines()
                .forEach(id -> ENGINE.docker("rm", "--force", id));
    }

    private String container(String name, String... options) {
        List<String> command = new ArrayList<>(
                List.of("run", "--detach", "--name", run + name, "--label", run, "--label", "millau.enabled=true"));
        command.addAll(List.of(options));
        command.add(IMAGE);
        return ENGINE.docker(command.toArray(new String[0]));
    }

    private String replica(String name, String... options) {
        List<String> all = new ArrayList<>(
                List.of("--label=com.docker.compose.project=" + run, "--label=com.docker.compose.service=" + run));
        all.addAll(List.of(options));
        return container(name, all.toArray(new String[0]));
    }

    @Test
    void aComposeServiceStaysWhileItsReplicasComeAndGo() {
        String first = replica("-1");
        String second = replica("-2");
        Service both = received.awaitEndpoints(run, 2);
        assertThat(both.id()).isEqualTo("compose:" + run + "/" + run);
        assertThat(both.endpoints()).extracting(Endpoint::id).containsExactlyInAnyOrder(first, second);
        assertThat(both.endpoints()).extracting(Endpoint::port).containsOnly(8080);

        ENGINE.docker("stop", "--time", "1", first);
        received.awaitEndpoints(run, 1);
        ENGINE.docker("kill", second);
        received.awaitEndpoints(run, 0);
        ENGINE.docker("start", first);
        received.awaitEndpoints(run, 1);
        ENGINE.docker("rm", "--force", first, second);
        received.awaitGone(run);
    }

    @Test
    void aStoppedContainerKeepsItsExposedPortAndIsNoProblem() {
        String id = container("");
        received.awaitEndpoints(run, 1);
        ENGINE.docker("stop", "--time", "1", id);
        received.awaitEndpoints(run, 0);
        assertThat(received.last().problems())
                .noneMatch(problem -> problem.service().equals(run));
    }

    @Test
    void withAHealthCheckOnlyHealthyContainersCount() {
        String id = replica("", "--health-cmd=test -e /tmp/healthy", "--health-interval=200ms", "--health-retries=1");
        received.awaitEndpoints(run, 0);
        ENGINE.docker("exec", id, "touch", "/tmp/healthy");
        received.awaitEndpoints(run, 1);
        ENGINE.docker("exec", id, "rm", "/tmp/healthy");
        received.awaitEndpoints(run, 0);
    }

    @Test
    void aPausedContainerIsNotAnEndpoint() {
        String id = container("");
        received.awaitEndpoints(run, 1);
        ENGINE.docker("pause", id);
        received.awaitEndpoints(run, 0);
        ENGINE.docker("unpause", id);
        received.awaitEndpoints(run, 1);
    }

    @Test
    void aOneOffContainerIsNotAReplica() {
        replica("-run", "--label=com.docker.compose.oneoff=True");
        String id = replica("-1", "--label=com.docker.compose.oneoff=False");
        assertThat(received.awaitEndpoints(run, 1).endpoints())
                .extracting(Endpoint::id)
                .containsExactly(id);
    }

    @Test
    void aRenamedContainerRenamesItsService() {
        String id = container("");
        received.awaitEndpoints(run, 1);
        ENGINE.docker("rename", id, run + "-new");
        received.awaitEndpoints(run + "-new", 1);
        received.awaitGone(run);
    }

    @Test
    void aContainerOnTheHostsNetworkIsReachedThroughTheHost() {
        container("", "--network=host");
        Endpoint endpoint = received.awaitEndpoints(run, 1).endpoints().get(0);
        assertThat(endpoint.port()).as("from the image").isEqualTo(8080);
    }

    @Test
    void aContainerWithoutASharedNetworkIsAProblemUntilItHasOne() {
        ENGINE.docker("network", "create", run);
        try {
            String id = container("", "--network=" + run);
            received.awaitProblem(run, "shares no network with the proxy: it is on " + run + " (");
            received.awaitEndpoints(run, 0);
            ENGINE.docker("network", "connect", "bridge", id);
            received.awaitEndpoints(run, 1);
            ENGINE.docker("rm", "--force", id);
        } finally {
            ENGINE.docker("network", "rm", run);
        }
    }

    @Test
    void measureTheTimeFromStartToSnapshot() {
        List<Long> took = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            String id = container("-" + i);
            received.awaitEndpoints(run + "-" + i, 1);
            long seen = System.currentTimeMillis();
            took.add(seen - startOf(id));
        }
        System.out.println("Containers, from start to seen, ms: " + took);
    }

    private static long startOf(String id) {
        return Instant.parse(ENGINE.docker("inspect", "--format", "{{.State.StartedAt}}", id))
                .toEpochMilli();
    }
}
