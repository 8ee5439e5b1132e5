package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.docker.testing.Engine;
import io.millau.docker.testing.RequiresOwnDocker;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Services of a real Swarm with a manager and a worker, as the manager reports them. */
@RequiresOwnDocker
class SwarmIT {

    private static final String IMAGE = "millau-test:latest";

    private static Engine manager;
    private static Engine worker;
    private static Interfaces onApp;

    private Received received;

    @BeforeAll
    static void startSwarm() {
        manager = Engine.start();
        worker = Engine.start();
        manager.hostImage(IMAGE);
        worker.load(manager, IMAGE);
        manager.initSwarm();
        worker.joinSwarm(manager);
        manager.docker("network", "create", "--driver", "overlay", "--attachable", "--subnet", "10.11.0.0/24", "app");
        manager.docker("network", "create", "--driver", "overlay", "--subnet", "10.12.0.0/24", "backend");
        onApp = Interfaces.of("10.11.0.200/24");
    }

    @AfterAll
    static void endSwarm() {
        for (Engine engine : new Engine[] {worker, manager}) {
            if (engine != null) {
                engine.close();
            }
        }
    }

    @BeforeEach
    void subscribe() {
        received = new Received(DockerSource.at(manager.host()).seenFrom(() -> onApp));
    }

    @AfterEach
    void removeServices() {
        received.close();
        String services = manager.docker("service", "ls", "--quiet");
        services.lines().forEach(id -> manager.docker("service", "rm", id));
    }

    private static void create(String name, String... options) {
        List<String> command = new ArrayList<>(List.of(
                "service", "create", "--quiet", "--detach", "--no-resolve-image", "--name", name, "--network", "app"));
        command.addAll(List.of(options));
        command.add(IMAGE);
        manager.docker(command.toArray(new String[0]));
    }

    private static Set<String> ids(Service service) {
        Set<String> ids = new HashSet<>();
        service.endpoints().stream().map(Endpoint::id).forEach(ids::add);
        return ids;
    }

    @Test
    void tasksAreEndpointsOnTheSharedNetwork() {
        create(
                "web",
                "--replicas=3",
                "--label=millau.enabled=true",
                "--label=millau.port=8080",
                "--label=millau.hosts=one.com");

        Service web = received.awaitEndpoints("web", 3);

        assertThat(web.id()).startsWith("swarm:");
        assertThat(web.hosts()).containsExactly("one.com");
        assertThat(ids(web))
                .containsExactlyInAnyOrderElementsOf(manager.docker(
                                "service", "ps", "--quiet", "--no-trunc", "--filter", "desired-state=running", "web")
                        .lines()
                        .toList());
        assertThat(web.endpoints()).allSatisfy(endpoint -> {
            assertThat(endpoint.address().getHostAddress()).startsWith("10.11.0.");
            assertThat(endpoint.port()).isEqualTo(8080);
        });
    }

    @Test
    void theStartAndTheEndOfATaskOnAnotherNodeAreSeenQuickly() {
        create(
                "far",
                "--replicas=1",
                "--constraint=node.role==worker",
                "--label=millau.enabled=true",
                "--label=millau.port=8080");
        received.awaitEndpoints("far", 1);
        List<Long> out = new ArrayList<>();
        List<Long> in = new ArrayList<>();
        for (int round = 0; round < 5; round++) {
            manager.docker("service", "scale", "--detach", "far=3");
            Service three = received.awaitEndpoints("far", 3);
            long seen = System.currentTimeMillis();
            out.add(seen - startOfLast(three));
            long start = System.nanoTime();
            manager.docker("service", "scale", "--detach", "far=1");
            received.awaitEndpoints("far", 1);
            in.add((System.nanoTime() - start) / 1_000_000);
        }
        System.out.println("On another node, from running to seen, ms: " + out);
        System.out.println("On another node, from scaling in to out of rotation, ms: " + in);
        // Swarm keeps a task running for three more seconds: enough time to stop sending it requests.
        assertThat(in).allSatisfy(ms -> assertThat(ms).isLessThan(3_000));
    }

    private static long startOfLast(Service service) {
        return ids(service).stream()
                .map(id -> manager.docker("inspect", "--type", "task", "--format", "{{json .Status.Timestamp}}", id))
                .mapToLong(time -> Instant.parse(time.replace("\"", "")).toEpochMilli())
                .max()
                .orElseThrow();
    }

    @Test
    void aServiceScaledToZeroStaysWithoutEndpointsAndReturns() {
        create("home", "--label=millau.enabled=true", "--label=millau.port=80");
        received.awaitEndpoints("home", 1);

        manager.docker("service", "scale", "--detach", "home=0");
        received.awaitEndpoints("home", 0);

        manager.docker("service", "scale", "--detach", "home=1");
        received.awaitEndpoints("home", 1);

        manager.docker("service", "rm", "home");
        received.awaitGone("home");
    }

    @Test
    void aChangedLabelIsSeenAlthoughNoContainerChanges() {
        create("shop", "--label=millau.enabled=true", "--label=millau.port=80", "--label=millau.hosts=one.com");
        Set<String> before = ids(received.awaitEndpoints("shop", 1));

        manager.docker("service", "update", "--detach", "--label-add=millau.hosts=two.com", "shop");

        Service after = received.awaitService("shop", service -> service.hosts().equals(List.of("two.com")));
        assertThat(ids(after)).isEqualTo(before);
    }

    @Test
    void containerLabelsCountIfTheServiceHasNone() {
        create(
                "inner",
                "--label=team=blue",
                "--container-label=millau.enabled=true",
                "--container-label=millau.port=7000");
        create(
                "outer",
                "--label=millau.enabled=false",
                "--container-label=millau.enabled=true",
                "--container-label=millau.port=7000");
        create("other");

        assertThat(received.awaitEndpoints("inner", 1).endpoints().get(0).port())
                .isEqualTo(7000);
        assertThat(received.awaitEndpoints("outer", 0).enabled()).isFalse();
        assertThat(received.named("other")).isEmpty();
    }

    @Test
    void aForcedUpdateReplacesEveryTaskWithoutAGap() {
        create(
                "api",
                "--replicas=3",
                "--update-order=start-first",
                "--update-delay=0s",
                "--update-monitor=0s",
                "--label=millau.enabled=true",
                "--label=millau.port=80");
        Set<String> before = ids(received.awaitEndpoints("api", 3));
        int seen = received.all().size();

        manager.docker("service", "update", "--detach", "--force", "api");

        received.awaitService(
                "api",
                service ->
                        service.endpoints().size() == 3 && ids(service).stream().noneMatch(before::contains));
        assertThat(received.all().subList(seen, received.all().size()))
                .allSatisfy(snapshot -> assertThat(snapshot.services())
                        .filteredOn(service -> service.name().equals("api"))
                        .allSatisfy(api -> assertThat(api.endpoints()).hasSizeGreaterThanOrEqualTo(3)));
    }

    @Test
    void aServiceOnAnotherNetworkIsAProblemThatNamesBothNetworks() {
        manager.docker(
                "service",
                "create",
                "--quiet",
                "--detach",
                "--no-resolve-image",
                "--name=hidden",
                "--network=backend",
                "--replicas=2",
                "--label=millau.enabled=true",
                "--label=millau.port=80",
                IMAGE);

        assertThat(received.awaitProblem("hidden", "shares no network").message())
                .contains("it is on backend (10.12.0.0/24), the proxy on app (10.11.0.200/24)");
        assertThat(received.awaitEndpoints("hidden", 0).enabled()).isTrue();
    }

    @Test
    void aTaskOnTheHostNetworkHasTheAddressOfItsNode() {
        manager.docker(
                "service",
                "create",
                "--quiet",
                "--detach",
                "--no-resolve-image",
                "--name=metal",
                "--network=host",
                "--constraint=node.role==worker",
                "--label=millau.enabled=true",
                "--label=millau.port=80",
                IMAGE);

        assertThat(received.awaitEndpoints("metal", 1)
                        .endpoints()
                        .get(0)
                        .address()
                        .getHostAddress())
                .isEqualTo(worker.address());
    }

    @Test
    void otherContainersAreSeenAndThoseOfTasksNotTwice() {
        create("task", "--container-label=millau.enabled=true", "--container-label=millau.port=80");
        String id = manager.docker(
                "run",
                "--detach",
                "--name=beside",
                "--network=app",
                "--label=millau.enabled=true",
                "--label=millau.port=81",
                IMAGE);
        try {
            assertThat(received.awaitEndpoints("beside", 1).id()).isEqualTo("container:" + id);
            assertThat(received.awaitEndpoints("task", 1).id()).startsWith("swarm:");
            assertThat(received.last().services()).hasSize(2);
        } finally {
            manager.docker("rm", "--force", "beside");
        }
        received.awaitGone("beside");
    }

    @Test
    void aWorkerReportsThatItSeesNoServicesAndShowsItsContainers() {
        try (Received fromWorker =
                new Received(DockerSource.at(worker.host()).seenFrom(() -> Interfaces.of("172.17.0.1/16")))) {
            worker.docker(
                    "run", "--detach", "--name=lone", "--label=millau.enabled=true", "--label=millau.port=80", IMAGE);
            try {
                fromWorker.awaitEndpoints("lone", 1);
                fromWorker.awaitProblem("Docker " + worker.host(), "Swarm worker");
            } finally {
                worker.docker("rm", "--force", "lone");
            }
        }
    }

    @Test
    void tasksOfADrainedNodeLeaveTheRotation() {
        create("mobile", "--replicas=4", "--label=millau.enabled=true", "--label=millau.port=80");
        Set<String> before = ids(received.awaitEndpoints("mobile", 4));
        String node = worker.docker("info", "--format", "{{.Swarm.NodeID}}");
        manager.docker("node", "update", "--availability=drain", node);
        try {
            received.awaitService(
                    "mobile",
                    service -> service.endpoints().size() == 4 && !ids(service).equals(before));
        } finally {
            manager.docker("node", "update", "--availability=active", node);
        }
    }
}
