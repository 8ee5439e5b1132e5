package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;

import io.millau.core.Endpoint;
import io.millau.core.ServiceSource;
import io.millau.core.SourceStatus;
import io.millau.core.testing.CapturedLog;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The watch loop, with a fake engine that misbehaves. */
class WatchTest {

    private static final Map<String, String> LABELS = Map.of("millau.enabled", "true", "millau.port", "80");
    private static final String SWARM_EVENT = "{\"Type\":\"service\",\"Action\":\"update\",\"Actor\":{\"ID\":\"a\"}}\n";
    private static final String CONTAINER_EVENT =
            "{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"a\"}}\n";

    private static final String NETWORKS =
            "[{\"Name\":\"bridge\",\"Driver\":\"bridge\",\"IPAM\":{\"Config\":[{\"Subnet\":\"172.17.0.0/16\"}]}}]";

    private final FakeEngine engine = new FakeEngine();
    private final CapturedLog log = new CapturedLog();

    @BeforeEach
    void listen() {
        show("web", "172.17.0.2");
    }

    @AfterEach
    void close() {
        engine.close();
        log.close();
    }

    private void show(String container, String address) {
        engine.on(
                "/containers/json",
                "[" + EngineJson.container(container, LABELS, "running", "Up 1 second", address) + "]");
    }

    private DockerSource withShortTimeout() {
        return engine.source().withTimeout(Duration.ofMillis(300));
    }

    @Test
    void itSubscribesToEventsFirstAndSendsOnlyGetRequests() {
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("web", 1);

            assertThat(engine.requests()).allMatch(request -> request.startsWith("GET /"));
            assertThat(engine.requests().get(0)).startsWith("GET /events?").doesNotContain("exec_");
            assertThat(engine.requests()).noneMatch(request -> request.matches("GET /v[0-9].*"));
            assertThat(engine.requests()).noneMatch(request -> request.matches("GET /(services|tasks|nodes).*"));
        }
    }

    @Test
    void lookReadsTheSameWithoutEvents() throws Exception {
        assertThat(engine.source().look().services())
                .singleElement()
                .satisfies(service -> assertThat(service.endpoints()).hasSize(1));
        assertThat(engine.requests()).noneMatch(request -> request.startsWith("GET /events"));
    }

    /** Podman 4.3 lists such a container without a network: it "shares no network" with the proxy. */
    @Test
    void aContainerThatIsListedWithoutANetworkIsInspectedOnce() throws Exception {
        engine.on("/containers/json", """
                        [{"Id":"web","Names":["/web"],"Created":1,"Labels":{"millau.enabled":"true","millau.port":"80"},
                          "State":"running","Status":"Up 5 seconds","Ports":null,"HostConfig":{},"NetworkSettings":null},
                         {"Id":"other","Names":["/other"],"Created":1,"Labels":{},
                          "State":"running","Status":"Up 5 seconds","Ports":null,"HostConfig":{},"NetworkSettings":null}]
                        """)
                .on("/containers/web/json", "{\"HostConfig\":{\"NetworkMode\":\"host\"}}")
                .on("/networks", NETWORKS);
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("web", 1);
            engine.event(CONTAINER_EVENT);
            await().until(() -> engine.requests().stream()
                            .filter(request -> request.startsWith("GET /containers/json"))
                            .count()
                    > 1);
        }

        assertThat(engine.requests().stream().filter(request -> request.matches("GET /containers/[a-z]+/json")))
                .containsExactly("GET /containers/web/json");
        assertThat(engine.source().look().services().get(0).endpoints())
                .extracting(Endpoint::toString)
                .containsExactly("http://172.17.0.1:80");
    }

    /** Nothing but its route is enabled, and only the inspection tells its port. */
    @Test
    void aContainerWithAnEnabledRouteIsInspected() throws Exception {
        engine.on("/containers/json", """
                        [{"Id":"web","Names":["/web"],"Created":1,"Labels":{"millau.admin.enabled":"true","millau.admin.path":"/admin"},
                          "State":"running","Status":"Up 5 seconds","Ports":null,"HostConfig":{},"NetworkSettings":null}]
                        """)
                .on(
                        "/containers/web/json",
                        "{\"Config\":{\"ExposedPorts\":{\"9000/tcp\":{}}},\"HostConfig\":{\"NetworkMode\":\"host\"}}")
                .on("/networks", NETWORKS);

        assertThat(engine.source().look().services()).singleElement().satisfies(service -> {
            assertThat(service.name()).isEqualTo("web/admin");
            assertThat(service.endpoints()).extracting(Endpoint::toString).containsExactly("http://172.17.0.1:9000");
        });
    }

    /** GitLab's registry listens on another port of its container, and is put behind the proxy later. */
    @Test
    void aRouteThatIsAddedAndRemovedComesAndGoesAlone() {
        Map<String, String> withRegistry = Map.of(
                "millau.enabled", "true",
                "millau.port", "80",
                "millau.registry.port", "5050",
                "millau.registry.hosts", "registry.example");
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("web", 1);
            engine.on(
                    "/containers/json",
                    "[" + EngineJson.container("web", withRegistry, "running", "Up 1 second", "172.17.0.2") + "]");
            engine.event(CONTAINER_EVENT);
            received.awaitEndpoints("web/registry", 1);
            received.awaitEndpoints("web", 1);

            show("web", "172.17.0.2");
            engine.event(CONTAINER_EVENT);
            received.awaitGone("web/registry");
            received.awaitEndpoints("web", 1);
        }
    }

    @Test
    void lookAtAnUnreachableEngineFailsWithAClearMessage() {
        engine.stop();

        assertThatThrownBy(() -> engine.source().look())
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("Docker Engine " + engine.host() + " can't be reached (is it running, ");
    }

    @Test
    void aDirectoryInPlaceOfTheSocketIsSaid(@TempDir Path folder) {
        assertThatThrownBy(() -> DockerSource.at("unix://" + folder).look())
                .hasMessageStartingWith("Docker Engine unix://" + folder + " can't be reached (" + folder
                        + " is a directory: Docker makes one where a file to be mounted does not exist): ");
    }

    @Test
    void anEventTriggersAnotherLook() {
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("web", 1);
            show("other", "172.17.0.3");
            engine.event(CONTAINER_EVENT);
            received.awaitEndpoints("other", 1);
            received.awaitGone("web");
        }
    }

    @Test
    void aBurstOfEventsTriggersFewLooks() {
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("web", 1);
            int before = engine.requests().size();
            for (int i = 0; i < 500; i++) {
                engine.event(CONTAINER_EVENT);
            }
            show("other", "172.17.0.3");
            engine.event(CONTAINER_EVENT);
            received.awaitEndpoints("other", 1);
            assertThat(engine.requests().size() - before).isLessThan(100);
        }
    }

    @Test
    void anUnchangedStateIsDeliveredOnce() {
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("web", 1);
            for (int looks = 1; looks <= 3; looks++) {
                int before = looks();
                engine.event(CONTAINER_EVENT);
                await().until(() -> looks() > before);
            }
            assertThat(received.all()).hasSize(1);
        }
    }

    private int looks() {
        return (int) engine.requests().stream()
                .filter(request -> request.startsWith("GET /networks"))
                .count();
    }

    @Test
    void repeatedRequestsForALookAreServedAtOnce() {
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("web", 1);
            show("other", "172.17.0.3");
            int before = looks();
            for (int i = 0; i < 1000; i++) {
                received.lookNow();
            }
            received.awaitEndpoints("other", 1);
            assertThat(looks() - before).isLessThan(5);
        }
    }

    @Test
    void anAbsentEngineIsLoggedOnceAndFoundWhenItStarts() {
        engine.stop();
        try (Received received = new Received(engine.source())) {
            await().until(() -> log.about("can't be reached").size() == 1);
            assertThat(log.about("can't be reached").get(0)).contains(engine.host());

            engine.startAgain();

            received.awaitEndpoints("web", 1);
            assertThat(log.about("can't be reached")).hasSize(1);
            await().until(() -> log.about("Back source=").size() == 1); // logged after the snapshot is delivered
        }
    }

    @Test
    void duringARestartOfTheEngineTheLastSnapshotStaysInForce() {
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("web", 1);

            engine.stop();
            await().until(() -> log.about("can't be reached").size() == 1);
            assertThat(received.all()).hasSize(1);

            show("other", "172.17.0.3");
            engine.startAgain();
            received.awaitEndpoints("other", 1);
            assertThat(received.all()).hasSize(2);
            await().until(() -> log.about("Back source=").size() == 1);

            engine.stop();
            await("log again").until(() -> log.about("can't be reached").size() == 2);
        }
    }

    @Test
    void theStatusIsReported() {
        engine.stop();
        try (Received received = new Received(engine.source())) {
            SourceStatus away = received.awaitStatus(status -> status.errors() >= 2);
            assertThat(away.name()).isEqualTo("Docker " + engine.host());
            assertThat(away.trouble()).startsWith("can't be reached (is it running, and its address right?): ");
            assertThat(away.lastSuccess()).isNull();
            assertThat(away.events()).isZero();

            engine.startAgain();
            SourceStatus there = received.awaitStatus(status -> status.lastSuccess() != null);
            assertThat(there.trouble()).isNull();
            assertThat(there.errors()).isGreaterThanOrEqualTo(2);
            assertThat(there.buildTime()).isPositive();

            received.awaitEndpoints("web", 1);
            engine.event(CONTAINER_EVENT);
            engine.event(SWARM_EVENT);
            SourceStatus looked = received.awaitStatus(
                    status -> status.events() == 2 && status.lastSuccess().isAfter(there.lastSuccess()));
            assertThat(looked.errors()).isEqualTo(there.errors());

            engine.stop();
            SourceStatus gone = received.awaitStatus(status -> status.trouble() != null);
            assertThat(gone.lastSuccess()).isAfterOrEqualTo(looked.lastSuccess());
            assertThat(gone.errors()).isGreaterThan(there.errors());
        }
    }

    @Test
    void aForbiddenRequestIsReportedAsTroubleUntilItIsAllowed() {
        engine.refusing("/containers/json", 403);
        try (Received received = new Received(engine.source())) {
            assertThat(received.awaitStatus(status -> status.trouble() != null).trouble())
                    .startsWith("returned an error response: ")
                    .contains("/containers/json", "not for you");
            engine.refusing("/containers/json", 200);
            received.awaitStatus(status -> status.trouble() == null && status.lastSuccess() != null);
        }
    }

    @Test
    void anEventStreamThatEndsIsReopenedSilently() {
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("web", 1);
            show("other", "172.17.0.3");
            engine.endStreams();
            received.awaitEndpoints("other", 1);
            assertThat(log.about("source=")).isEmpty();
        }
    }

    @Test
    void aHangingEngineTimesOutAndIsTriedAgain() {
        try (Received received = new Received(withShortTimeout())) {
            received.awaitEndpoints("web", 1);

            engine.behave(engine::hang);
            engine.event(CONTAINER_EVENT);
            await().until(() -> log.about("hangs").size() == 1);
            assertThat(log.about("hangs").get(0)).contains("no response to GET /");
            assertThat(received.all()).hasSize(1);

            show("other", "172.17.0.3");
            engine.behaveAgain();
            received.awaitEndpoints("other", 1);
            assertThat(log.about("hangs")).hasSize(1);
            engine.behave(engine::hang);
            engine.event(CONTAINER_EVENT);
        }
        await().until(this::noThreadIsLeft);
    }

    @Test
    void aHangingEngineOnAUnixSocketTimesOutToo(@TempDir Path folder) throws IOException {
        Path socket = folder.resolve("docker.sock");
        try (ServerSocketChannel silent = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            silent.bind(UnixDomainSocketAddress.of(socket));
            try (Received received =
                    new Received(DockerSource.at("unix://" + socket).withTimeout(Duration.ofMillis(300)))) {
                await().until(() -> log.about("hangs").size() == 1);
                assertThat(received.all()).isEmpty();
            }
            await().until(this::noThreadIsLeft);
        }
    }

    @Test
    void invalidJsonIsLoggedOnceAndTheLastSnapshotStays() {
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("web", 1);
            for (String garbage : new String[] {"<html>", "{}", "[1]", "[{\"Id\":", "[{\"Names\":[]}]", "7"}) {
                int before = looksAtContainers();
                engine.on("/containers/json", garbage);
                engine.event(CONTAINER_EVENT);
                await(garbage).until(() -> looksAtContainers() > before + 1);
                assertThat(received.all()).hasSize(1);
            }
            assertThat(log.about("can't be understood")).hasSize(1);

            show("other", "172.17.0.3");
            received.awaitEndpoints("other", 1);
        }
    }

    private int looksAtContainers() {
        return (int) engine.requests().stream()
                .filter(request -> request.startsWith("GET /containers/json"))
                .count();
    }

    @Test
    void invalidEventsAreTolerated() {
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("web", 1);
            show("other", "172.17.0.3");
            engine.event("}{ what?");
            received.awaitEndpoints("other", 1);
        }
    }

    @Test
    void aServerThatDoesNotSpeakHttpIsTolerated() throws IOException {
        try (ServerSocket ssh = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread greeting = new Thread(() -> {
                while (!ssh.isClosed()) {
                    try (var client = ssh.accept()) {
                        client.getOutputStream().write("SSH-2.0-OpenSSH_9.2\r\n".getBytes());
                    } catch (IOException e) {
                        // wait for the next client
                    }
                }
            });
            greeting.setDaemon(true);
            greeting.start();
            try (Received received = new Received(DockerSource.at("tcp://127.0.0.1:" + ssh.getLocalPort()))) {
                await().until(() -> log.about("source=").size() == 1);
                assertThat(received.all()).isEmpty();
            }
        }
    }

    @Test
    void aConsumerThatThrowsDoesNotStopTheWatch() {
        AtomicInteger calls = new AtomicInteger();
        ServiceSource.Subscription subscription = engine.source().subscribe(snapshot -> {
            calls.incrementAndGet();
            throw new IllegalStateException("on purpose");
        });
        await().untilAtomic(calls, equalTo(1));
        show("other", "172.17.0.3");
        engine.event(CONTAINER_EVENT);
        await().untilAtomic(calls, equalTo(2));
        subscription.close();
    }

    @Test
    void aClosedSubscriptionDeliversNothingAndItsThreadsEnd() {
        Received received = new Received(engine.source());
        received.awaitEndpoints("web", 1);
        received.close();
        received.close();
        await().until(this::noThreadIsLeft);
        assertThat(received.all()).hasSize(1);
    }

    private boolean noThreadIsLeft() {
        return Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().startsWith("millau-docker"));
    }

    @Test
    void aSocketProxyThatForbidsServicesStillAllowsContainers() {
        engine.manager().refusing("/services", 403).refusing("/networks", 403);
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("web", 1);
            received.awaitProblem("Docker " + engine.host(), "may not be read");
        }
    }

    @Test
    void aSocketProxyMayForbidInfo() {
        engine.refusing("/info", 403)
                .on("/services", "[" + EngineJson.service("a", 1, 1, LABELS) + "]")
                .on("/tasks", "[" + EngineJson.task("t1", "a", "running", "running", "app", "10.0.1.3") + "]");
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("a", 1);
        }
    }

    @Test
    void aManagerWithoutALeaderKeepsTheServices() {
        engine.manager()
                .on("/services", "[" + EngineJson.service("a", 1, 1, LABELS) + "]")
                .on("/tasks", "[" + EngineJson.task("t1", "a", "running", "running", "app", "10.0.1.3") + "]");
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("a", 1);
            engine.refusing("/services", 500);
            engine.event(SWARM_EVENT);
            await().until(() -> log.about("returned an error response").size() == 1);
            assertThat(log.about("returned an error response").get(0))
                    .contains("HTTP 500 for GET /services: not for you");
            assertThat(received.endpoints("a")).hasSize(1);
        }
    }

    @Test
    void anEngineThatBecomesAManagerIsDetectedAtItsFirstService() {
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("web", 1);
            engine.manager()
                    .on("/services", "[" + EngineJson.service("a", 1, 1, LABELS) + "]")
                    .on("/tasks", "[" + EngineJson.task("t1", "a", "running", "running", "app", "10.0.1.3") + "]");
            engine.event(SWARM_EVENT);
            received.awaitEndpoints("a", 1);
        }
    }

    @Test
    void aChangingServiceIsPolledWithoutFurtherEvents() {
        engine.manager()
                .on("/services", "[" + EngineJson.service("a", 1, 2, LABELS) + "]")
                .on("/tasks", "[" + EngineJson.task("t1", "a", "running", "running", "app", "10.0.1.3") + "]");
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("a", 1);
            int before = looksAtContainers();
            engine.on(
                    "/tasks",
                    "[" + EngineJson.task("t1", "a", "running", "running", "app", "10.0.1.3") + ","
                            + EngineJson.task("t2", "a", "running", "running", "app", "10.0.1.4") + "]");
            received.awaitEndpoints("a", 2);
            assertThat(looksAtContainers()).as("only tasks are polled").isEqualTo(before);
            assertThat(engine.requests())
                    .filteredOn(request -> request.startsWith("GET /tasks"))
                    .allMatch(request -> request.contains("\"service\":[\"a\"]"));
        }
    }

    private void swarm(String... services) {
        engine.manager()
                .on(
                        "/services",
                        Stream.of(services)
                                .map(id -> EngineJson.service(id, 1, 1, LABELS))
                                .toList()
                                .toString())
                .on(
                        "/tasks",
                        Stream.of(services)
                                .map(id -> EngineJson.task("of-" + id, id, "running", "running", "app", "10.0.1.3"))
                                .toList()
                                .toString());
    }

    private static String swarmEvent(String service) {
        return SWARM_EVENT.replace("\"a\"", "\"" + service + "\"");
    }

    private List<String> requestsSince(int before) {
        return List.copyOf(engine.requests().subList(before, engine.requests().size()));
    }

    @Test
    void ofAnEventOfAServiceOnlyThatServiceIsRead() {
        swarm("a", "b");
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("a", 1);
            int before = engine.requests().size();
            swarm("b", "c");
            engine.event(swarmEvent("c"));
            received.awaitEndpoints("c", 1);

            assertThat(received.endpoints("a")).as("nothing was said of it").hasSize(1);
            assertThat(requestsSince(before))
                    .contains("GET /services?filters={\"id\":[\"c\"]}")
                    .allMatch(request -> request.startsWith("GET /services?") || request.startsWith("GET /tasks?"));

            engine.event(swarmEvent("a"));
            received.awaitGone("a");
            assertThat(received.endpoints("b")).hasSize(1);
        }
    }

    @Test
    void ofAnEventOfATasksContainerOnlyTheTasksOfItsServiceAreRead() {
        swarm("a", "b");
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("a", 1);
            int before = engine.requests().size();
            engine.on("/tasks", "[]");
            engine.event("""
                    {"Type":"container","Action":"die","Actor":{"ID":"x","Attributes":{"com.docker.swarm.task.id":"of-a",\
                    "com.docker.swarm.service.id":"a"}}}
                    """);
            received.awaitEndpoints("a", 0);

            assertThat(requestsSince(before)).allMatch(request -> request.startsWith("GET /tasks?"));
        }
    }

    @Test
    void ofAnEventOfAnotherContainerOnlyContainersAndNetworksAreRead() {
        swarm("a");
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("web", 1);
            int before = engine.requests().size();
            show("other", "172.17.0.3");
            engine.event(CONTAINER_EVENT);
            received.awaitEndpoints("other", 1);

            assertThat(received.endpoints("a")).hasSize(1);
            assertThat(requestsSince(before))
                    .filteredOn(request -> !request.startsWith("GET /tasks?")) // polls of what has just been found
                    .allMatch(request -> request.startsWith("GET /containers/") || request.startsWith("GET /networks"));
        }
    }

    /** An engine responds with 404 to a query for the tasks of a service that is gone. */
    @Test
    void aServiceThatIsRemovedBetweenTwoRequestsHurtsNoOther() {
        swarm("a", "b");
        engine.behave(exchange -> {
            String uri = exchange.getRequestURI().toString();
            if (uri.startsWith("/tasks") && uri.contains("service")) {
                FakeEngine.send(exchange, 404, "{\"message\":\"service b not found\"}");
            } else {
                engine.normally(exchange);
            }
        });
        try (Received received = new Received(engine.source())) {
            received.awaitEndpoints("a", 1);
            assertThat(log.about("source=")).isEmpty();
        }
    }
}
