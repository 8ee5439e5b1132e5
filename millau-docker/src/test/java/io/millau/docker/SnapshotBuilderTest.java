package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Endpoint;
import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.Snapshot;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How services are built from an engine's responses. */
class SnapshotBuilderTest {

    private static final Map<String, String> LABELS = Map.of("millau.enabled", "true", "millau.port", "80");

    private final SnapshotBuilder builder = new SnapshotBuilder("Docker unix:///docker.sock");
    private final List<SwarmService> services = new ArrayList<>();
    private final List<SwarmTask> tasks = new ArrayList<>();
    private final Map<String, InetAddress> nodes = new HashMap<>();
    private final Map<String, String> failures = new HashMap<>();
    private final List<Container> containers = new ArrayList<>();
    private final List<Network> networks = new ArrayList<>();
    private EngineView.Role role = EngineView.Role.MANAGER;
    private Interfaces own = Interfaces.of("10.0.1.250/24", "172.17.0.9/16");

    private Snapshot build() {
        return builder.build(new EngineView(role, services, tasks, nodes, failures, containers, networks), own);
    }

    private Service only() {
        Snapshot snapshot = build();
        assertThat(snapshot.services()).hasSize(1);
        return snapshot.services().get(0);
    }

    private List<String> addresses() {
        return only().endpoints().stream().map(Endpoint::toString).toList();
    }

    private List<String> messages() {
        return build().problems().stream().map(Problem::message).toList();
    }

    private void service(String name, Map<String, String> labels) {
        services.add(SwarmService.of(EngineJson.json(EngineJson.service(name, 1, 1, labels))));
    }

    private void task(String json) {
        tasks.add(SwarmTask.of(EngineJson.json(json)));
    }

    private void container(String json) {
        containers.add(Container.of(EngineJson.json(json)));
    }

    private void network(String name, String driver, String subnet, String gateway) {
        networks.add(Network.of(EngineJson.json("{\"Name\":\"" + name + "\",\"Driver\":\"" + driver
                + "\",\"IPAM\":{\"Config\":[{\"Subnet\":\"" + subnet + "\",\"Gateway\":\"" + gateway + "\"}]}}")));
    }

    private static Map<String, String> with(String... pairs) {
        Map<String, String> labels = new HashMap<>(LABELS);
        for (int i = 0; i < pairs.length; i += 2) {
            labels.put(pairs[i], pairs[i + 1]);
        }
        return labels;
    }

    private static Map<String, String> compose(String project, String service, String... pairs) {
        Map<String, String> labels = with(pairs);
        labels.put("com.docker.compose.project", project);
        labels.put("com.docker.compose.service", service);
        return labels;
    }

    private static String running(String id, Map<String, String> labels, String address) {
        return EngineJson.container(id, labels, "running", "Up 5 seconds", address);
    }

    // ---- Routes

    private static final String[] ADMIN = {"millau.admin.port", "9000", "millau.admin.path", "/admin"};

    /** Two proxies on one engine: each has its own services, and says nothing of the others'. */
    @ParameterizedTest
    @CsvSource({"proxy=public, 'app web '", "proxy, 'app shop web '", "proxy=none, ''"})
    void onlyServicesWithTheRequiredLabelAreTaken(String required, String names) {
        service("app", with("proxy", "public"));
        service("shop", with("proxy", "inner"));
        service("other", with("millau.prot", "1"));
        container(EngineJson.container("web", with("proxy", "public"), "running", "Up 5 seconds", "172.17.0.2"));
        container(EngineJson.container("plain", with(), "running", "Up 5 seconds", "172.17.0.3"));
        SnapshotBuilder some = new SnapshotBuilder("Docker unix:///docker.sock", RequiredLabel.of(required));
        Snapshot snapshot =
                some.build(new EngineView(role, services, tasks, nodes, failures, containers, networks), own);

        assertThat(snapshot.services().stream()
                        .map(service -> service.name() + " ")
                        .collect(Collectors.joining()))
                .isEqualTo(names);
        assertThat(snapshot.problems()).hasSize(snapshot.services().isEmpty() ? 1 : 0);
    }

    /** Every request got 502, and nothing said why. */
    @Test
    void thatNoServiceHasTheRequiredLabelIsSaid() {
        SnapshotBuilder some = new SnapshotBuilder("Docker unix:///docker.sock", RequiredLabel.of("proxy=public"));
        service("web", LABELS);
        container(running("api", LABELS, "172.17.0.2"));
        container(running("other", Map.of(), "172.17.0.3"));
        container(running("typo", Map.of("milau.port", "80"), "172.17.0.4"));
        EngineView view = new EngineView(role, services, tasks, nodes, failures, containers, networks);
        assertThat(some.build(view, own).problems())
                .containsExactly(new Problem(
                        "Docker unix:///docker.sock",
                        "none of its services with labels that begin with millau. (2) has the label proxy=public,"
                                + " which DOCKER_LABEL asks for"));

        service("shop", with("proxy", "public"));
        assertThat(some.build(view, own).problems()).isEmpty();
    }

    @Test
    void labelsOfContainersBesideThoseOfTheServiceAreNamed() {
        services.add(SwarmService.of(EngineJson.json("""
                {"ID":"a","Version":{"Index":1},"Spec":{"Name":"app","Labels":{"millau.hosts":"shop.example","millau.port":"80"},
                 "TaskTemplate":{"ContainerSpec":{"Labels":{"millau.enabled":"true","millau.port":"80","other":"x"}}}}}""")));

        assertThat(build().problems())
                .extracting(Problem::toString)
                .containsExactly("app: millau.enabled: labels of containers have no effect beside those of the service;"
                        + " expected all of them under deploy.labels");
    }

    @Test
    void aRouteOfASwarmServiceIsAServiceOfItsOwn() {
        service("web", with(ADMIN));
        task(EngineJson.task("t1", "web", "running", "running", "app", "10.0.1.3"));

        List<Service> routes = build().services();
        assertThat(messages()).isEmpty();
        assertThat(routes).extracting(Service::name).containsExactly("web", "web/admin");
        assertThat(routes).extracting(Service::id).containsExactly("swarm:web", "admin of swarm:web");
        assertThat(routes.get(0).endpoints()).extracting(Endpoint::toString).containsExactly("http://10.0.1.3:80");
        assertThat(routes.get(1).endpoints()).extracting(Endpoint::toString).containsExactly("http://10.0.1.3:9000");
    }

    @Test
    void aRouteOfAComposeServiceHasAllItsReplicas() {
        container(running("a", compose("shop", "web", ADMIN), "172.17.0.2"));
        container(running("b", compose("shop", "web", ADMIN), "172.17.0.3"));

        assertThat(build().services()).extracting(Service::name).containsExactly("web", "web/admin");
        assertThat(build().services().get(1).endpoints())
                .extracting(Endpoint::toString)
                .containsExactly("http://172.17.0.2:9000", "http://172.17.0.3:9000");
    }

    /** Otherwise the health checks of two routes at one port, with a path each, would undo each other's results. */
    @Test
    void routesAtOnePortHaveEndpointsOfTheirOwn() {
        container(running("web", with("millau.path", "/", "millau.admin.path", "/admin"), "172.17.0.2"));

        assertThat(build().services())
                .extracting(service -> service.endpoints().get(0).id())
                .containsExactly("web", "web/admin");
    }

    @Test
    void oneContainerHasOneNameForTheTlsOfAllItsRoutes() {
        container(running("web", with("millau.admin.port", "9443", "millau.admin.scheme", "https"), "172.17.0.2"));

        assertThat(build().services().get(1).endpoints().get(0).tls().name()).isEqualTo("web");
    }

    @Test
    void whatIsWrongWithTheInstancesOfAllRoutesIsSaidOnceAndTheLabelAsItIsWritten() {
        container(running("gone", with(ADMIN), ""));
        container(running("web", with("millau.admin.path", "/admin", "millau.admin.network", "front"), "172.17.0.2"));

        assertThat(build().problems()).extracting(Problem::service).containsExactly("gone", "web");
        assertThat(messages().get(1)).startsWith("millau.admin.network=front: expected a network that it shares");
    }

    @Test
    void aRouteThatIsAddedLeavesTheOtherAsItIs() {
        container(running("web", LABELS, "172.17.0.2"));
        Service before = only();
        containers.clear();
        container(running("web", with(ADMIN), "172.17.0.2"));

        assertThat(build().services()).hasSize(2).first().isEqualTo(before);
        containers.clear();
        container(running("web", LABELS, "172.17.0.2"));
        assertThat(only()).isEqualTo(before);
    }

    /** Labels may hold anything, also the name of another service's route. */
    @Test
    void noServiceHasTheIdOfARoute() {
        container(running("a", compose("shop", "web", ADMIN), "172.17.0.2"));
        container(running("b", compose("shop", "web/admin"), "172.17.0.3"));
        container(running("c", compose("shop/web", "admin"), "172.17.0.4"));

        assertThat(build().services()).extracting(Service::id).doesNotHaveDuplicates();
    }

    // ---- Swarm

    @ParameterizedTest
    @CsvSource({
        "running, running, true",
        "running, shutdown, false",
        "running, remove, false",
        "starting, running, false",
        "failed, running, false",
        "complete, running, false",
        "something-new, running, false"
    })
    void aTaskCountsWhileItRunsAndShouldRun(String state, String desired, boolean counts) {
        service("web", LABELS);
        task(EngineJson.task("t1", "web", state, desired, "app", "10.0.1.3"));
        assertThat(addresses()).hasSize(counts ? 1 : 0);
    }

    @Test
    void anEndpointHasTheIdOfItsTaskSinceAddressesAreReused() {
        service("web", LABELS);
        task(EngineJson.task("t1", "web", "running", "running", "app", "10.0.1.3"));
        assertThat(only().endpoints().get(0).id()).isEqualTo("t1");
        assertThat(only().id()).isEqualTo("swarm:web");
    }

    @Test
    void addressesInTheRoutingMeshAreIgnored() {
        own = Interfaces.of("10.0.0.9/24", "10.0.1.9/24");
        service("web", LABELS);
        task("""
                {"ID":"t1","ServiceID":"web","Status":{"State":"running"},"DesiredState":"running","NetworksAttachments":[
                 {"Network":{"Spec":{"Name":"a-mesh","Ingress":true}},"Addresses":["10.0.0.3/24"]},
                 {"Network":{"Spec":{"Name":"ingress"}},"Addresses":["10.0.0.4/24"]},
                 {"Network":{"Spec":{"Name":"docker_gwbridge"}},"Addresses":["10.0.0.5/24"]},
                 {"Network":{"Spec":{"Name":"zebra"}},"Addresses":["10.0.1.3/24"]}]}""");
        assertThat(addresses()).containsExactly("http://10.0.1.3:80");
    }

    @Test
    void aTaskOnlyInTheRoutingMeshSharesNoNetwork() {
        service("web", LABELS);
        task("""
                {"ID":"t1","ServiceID":"web","Status":{"State":"running"},"DesiredState":"running","NetworksAttachments":[
                 {"Network":{"Spec":{"Name":"ingress","Ingress":true}},"Addresses":["10.0.1.3/24"]}]}""");
        assertThat(addresses()).isEmpty();
        assertThat(messages()).singleElement().asString().contains("it is on none, the proxy on eth0 (10.0.1.250/24)");
    }

    @ParameterizedTest
    @CsvSource({"'', 10.0.1.3", "zebra, 10.0.3.3", "ant, 10.0.1.3"})
    void theLabelOrElseTheNameDecidesAmongSharedNetworks(String preferred, String expected) {
        own = Interfaces.of("10.0.1.9/24", "10.0.3.9/24");
        service("web", preferred.isEmpty() ? LABELS : with("millau.network", preferred));
        task("""
                {"ID":"t1","ServiceID":"web","Status":{"State":"running"},"DesiredState":"running","NetworksAttachments":[
                 {"Network":{"Spec":{"Name":"zebra"}},"Addresses":["10.0.3.3/24"]},
                 {"Network":{"Spec":{"Name":"aardvark"}},"Addresses":["10.0.2.3/24"]},
                 {"Network":{"Spec":{"Name":"ant"}},"Addresses":["10.0.1.3/24"]}]}""");
        assertThat(addresses()).containsExactly("http://" + expected + ":80");
        assertThat(messages()).isEmpty();
    }

    @Test
    void aNetworkLabelWithAnUnknownNameIsReportedAndTheFirstNetworkUsed() {
        service("web", with("millau.network", "app"));
        task(EngineJson.task("t1", "web", "running", "running", "shop_app", "10.0.1.3"));
        assertThat(addresses()).containsExactly("http://10.0.1.3:80");
        assertThat(messages())
                .containsExactly(
                        "millau.network=app: expected a network that it shares with the proxy: shop_app (the first"
                                + " is used)");
    }

    @Test
    void replicasWithoutASharedNetworkAreOneProblemThatNamesBothNetworks() {
        network("app", "overlay", "10.0.1.0/24", "10.0.1.1");
        service("web", LABELS);
        task(EngineJson.task("t1", "web", "running", "running", "backend", "10.0.2.3"));
        task(EngineJson.task("t2", "web", "running", "running", "backend", "10.0.2.4"));
        assertThat(addresses()).isEmpty();
        assertThat(messages())
                .containsExactly("shares no network with the proxy: it is on backend (10.0.2.0/24), the proxy on app"
                        + " (10.0.1.250/24), eth1 (172.17.0.9/16); expected one that both are on");
    }

    @Test
    void aTaskOnTheHostNetworkHasTheAddressOfItsNode() {
        String onHost = """
                {"ID":"%s","ServiceID":"web","NodeID":"%s","Status":{"State":"running"},"DesiredState":"running",
                 "NetworksAttachments":[{"Network":{"Spec":{"Name":"host"},"DriverState":{"Name":"host"}}}]}""";
        nodes.put("n1", Subnet.literal("192.0.2.7"));
        service("web", LABELS);
        task(onHost.formatted("t1", "n1"));
        assertThat(addresses()).containsExactly("http://192.0.2.7:80");
        assertThat(messages()).isEmpty();

        task(onHost.formatted("t2", "n2"));
        assertThat(addresses()).containsExactly("http://192.0.2.7:80");
        assertThat(messages()).singleElement().asString().contains("its host's network");
    }

    @Test
    void aDisabledServiceIsKeptAndNeedsNeitherPortNorNetwork() {
        service("web", Map.of("millau.enabled", "false"));
        task(EngineJson.task("t1", "web", "running", "running", "backend", "10.0.2.3"));
        assertThat(only().enabled()).isFalse();
        assertThat(messages()).isEmpty();
    }

    @Test
    void anInvalidServiceDoesNotAffectTheOthers() {
        service("bad", with("millau.port", "none"));
        service("good", LABELS);
        task(EngineJson.task("t1", "good", "running", "running", "app", "10.0.1.3"));
        assertThat(addresses()).hasSize(1);
        assertThat(build().problems()).singleElement().satisfies(problem -> {
            assertThat(problem.service()).isEqualTo("bad");
            assertThat(problem.message()).startsWith("millau.port=none");
        });
    }

    /** The container was one of others, so that nobody heard of the mistake. */
    @Test
    void aTypoInThePrefixOfAllLabelsIsReported() {
        service("web", Map.of("milau.enabled", "true", "millau-port", "80"));
        container(running("shop", Map.of("millua.enabled", "true"), "172.17.0.2"));
        container(running("mail", Map.of("mailu.enabled", "true", "milan.port", "80"), "172.17.0.3"));
        Snapshot snapshot = build();

        assertThat(snapshot.problems())
                .extracting(Problem::toString)
                .containsExactlyInAnyOrder(
                        "web: milau.enabled=true: unknown, did you mean millau.enabled? (the service is left out)",
                        "web: millau-port=80: unknown, did you mean millau.port? (the service is left out)",
                        "shop: millua.enabled=true: unknown, did you mean millau.enabled? (the service is left out)");
        assertThat(snapshot.services()).isEmpty();
    }

    @Test
    void aPublishedPortReplacesAMissingLabel() {
        services.add(SwarmService.of(EngineJson.json("""
                {"ID":"web","Version":{"Index":1},"Spec":{"Name":"web","Labels":{"millau.enabled":"true"}},
                 "Endpoint":{"Ports":[{"Protocol":"tcp","TargetPort":8081,"PublishedPort":80},
                                      {"Protocol":"udp","TargetPort":53,"PublishedPort":53}]}}""")));
        task(EngineJson.task("t1", "web", "running", "running", "app", "10.0.1.3"));
        assertThat(addresses()).containsExactly("http://10.0.1.3:8081");
    }

    @Test
    void containerLabelsCountOnlyIfTheServiceHasNoMillauLabels() {
        String json = """
                {"ID":"web","Version":{"Index":1},"Spec":{"Name":"web","Labels":{%s},
                 "TaskTemplate":{"ContainerSpec":{"Labels":{"millau.enabled":"true","millau.port":"1"}}}}}""";
        assertThat(SwarmService.of(EngineJson.json(json.formatted("\"other\":\"x\"")))
                        .labels())
                .containsEntry("millau.port", "1");
        assertThat(SwarmService.of(EngineJson.json(json.formatted("\"milau.enabled\":\"x\"")))
                        .labels())
                .containsEntry("millau.port", "1");
        assertThat(SwarmService.of(EngineJson.json(json.formatted("\"millau.enabled\":\"false\"")))
                        .labels())
                .containsOnly(Map.entry("millau.enabled", "false"));
    }

    @Test
    void theSnapshotDoesNotDependOnTheOrder() {
        for (String name : List.of("a", "b", "c")) {
            service(name, with("millau.path", "x"));
            service(name + "-ok", LABELS);
            task(EngineJson.task("t1" + name, name + "-ok", "running", "running", "app", "10.0.1.3"));
            task(EngineJson.task("t2" + name, name + "-ok", "running", "running", "app", "10.0.1.4"));
            container(running("c-" + name, LABELS, "172.17.0.3"));
        }
        Snapshot first = build();
        for (List<?> list : List.of(services, tasks, containers)) {
            Collections.reverse(list);
        }
        assertThat(build()).isEqualTo(first);
    }

    @Test
    void aWorkerIsAProblemAndItsContainersAreServed() {
        role = EngineView.Role.WORKER;
        container(running("web", LABELS, "172.17.0.3"));
        assertThat(addresses()).hasSize(1);
        assertThat(build().problems())
                .containsExactly(new Problem(
                        "Docker unix:///docker.sock",
                        "this engine is a Swarm worker, where services can't be read: only its containers are"
                                + " served; expected a manager"));
    }

    // ---- Containers

    @Test
    void replicasOfAComposeServiceAreOneService() {
        container(running("b2", compose("shop", "web"), "172.17.0.3"));
        container(running("a1", compose("shop", "web"), "172.17.0.2"));
        assertThat(only().name()).isEqualTo("web");
        assertThat(only().id()).isEqualTo("compose:shop/web");
        assertThat(only().endpoints()).extracting(Endpoint::id).containsExactly("a1", "b2");
    }

    @Test
    void servicesOfTwoComposeProjectsWithOneNameAreTwoServices() {
        container(running("a", compose("one", "web"), "172.17.0.2"));
        container(running("b", compose("two", "web"), "172.17.0.3"));
        assertThat(build().services()).extracting(Service::id).containsExactly("compose:one/web", "compose:two/web");
    }

    @Test
    void anyOtherContainerIsItsOwnService() {
        container(running("web", LABELS, "172.17.0.2"));
        container(running("no-label", Map.of("x", "y"), "172.17.0.3"));
        assertThat(only().id()).isEqualTo("container:web");
        assertThat(only().name()).isEqualTo("web");
    }

    @Test
    void aComposeServiceWithoutAProjectGivesItsName() {
        container(running("a", with("com.docker.compose.service", "app"), "172.17.0.2"));
        assertThat(only().id()).isEqualTo("container:a");
        assertThat(only().name()).isEqualTo("app");
    }

    @Test
    void linksFromOtherContainersAreNotItsName() {
        container("""
                {"Id":"0123456789abcdef","Names":["/other/alias","/real"],"State":"running","Status":"Up"}""");
        container("""
                {"Id":"0123456789abcdef","Names":null,"State":"running","Status":"Up","Labels":null,"Ports":null}""");
        assertThat(containers).extracting(Container::name).containsExactly("real", "0123456789ab");
    }

    @ParameterizedTest
    @CsvSource({
        "running, Up 5 seconds, true,",
        "running, Up 5 seconds (healthy), true,",
        "running, Up 5 seconds (health: starting), false,",
        "running, Up 5 seconds (unhealthy), false, is unhealthy",
        "paused, Up 5 seconds (Paused), false,",
        "restarting, Restarting (1) 2 seconds ago, false, exits with code 1 and is restarted",
        "restarting, Restarting (137) 2 seconds ago, false, exits with code 137 and is restarted",
        "exited, Exited (3) 2 seconds ago, false, has exited with code 3",
        "exited, Exited (0) 2 seconds ago, false,",
        "exited, Exited (137) 2 seconds ago, false,",
        "exited, Exited (143) 2 seconds ago, false,",
        "created, Created, false,",
        "exited, Exited, false,"
    })
    void aContainerCountsWhileItRunsAndIsHealthyAndWhatIsWrongWithItIsSaid(
            String state, String status, boolean counts, String failure) {
        container(EngineJson.container("a", compose("shop", "web"), state, status, counts ? "172.17.0.2" : ""));
        assertThat(addresses()).hasSize(counts ? 1 : 0);
        assertThat(messages())
                .isEqualTo(failure == null ? List.of() : List.of("container a " + failure + " (more: docker logs a)"));
    }

    /** Whoever stops one of two replicas did not break the service. */
    @Test
    void aReplicaThatHasExitedBesideOneThatRunsIsNoProblem() {
        container(running("a", compose("shop", "web"), "172.17.0.2"));
        container(EngineJson.container("b", compose("shop", "web"), "exited", "Exited (1) 2 seconds ago", ""));
        assertThat(messages()).isEmpty();

        container(EngineJson.container("c", compose("shop", "web"), "restarting", "Restarting (1) 2 seconds ago", ""));
        assertThat(messages()).containsExactly("container c exits with code 1 and is restarted (more: docker logs c)");
    }

    @Test
    void theFailuresOfAServiceThatIsNotEnabledAreItsOwn() {
        container(EngineJson.container("a", with("millau.enabled", "false"), "exited", "Exited (3) 2 s ago", ""));
        service("web", with("millau.enabled", "false"));
        failures.put("web", "task: non-zero exit (1)");
        assertThat(messages()).isEmpty();
    }

    /** In a crash loop it was solved, and a problem again, at each crash. */
    @Test
    void whatKeepsInstancesFromBeingReachedStaysWhileNoneRuns() {
        network("bridge", "bridge", "172.17.0.0/16", "");
        container(EngineJson.container("a", LABELS, "running", "Up 1 second", "10.9.9.9"));
        List<String> problems = messages();
        assertThat(problems).singleElement().asString().contains("shares no network");

        containers.clear();
        container(EngineJson.container("a", LABELS, "created", "Created", ""));
        network("other", "bridge", "172.30.0.0/16", "");
        assertThat(messages()).isEqualTo(problems);
        containers.clear();
        container(EngineJson.container("a", LABELS, "running", "Up 1 second", "172.17.0.2"));
        assertThat(messages()).isEmpty();
        containers.clear();
        assertThat(messages()).isEmpty();
    }

    @Test
    void theFailureOfATaskIsSaid() {
        service("web", LABELS);
        failures.put("web", "task: non-zero exit (1)");
        assertThat(messages())
                .containsExactly(
                        "a task does not run: task: non-zero exit (1) (more: docker service ps --no-trunc web)");
    }

    @Test
    void oneOffsAndTasksAreNotReplicas() {
        container(running("a", compose("shop", "web", "com.docker.compose.oneoff", "False"), "172.17.0.2"));
        container(running("b", compose("shop", "web", "com.docker.compose.oneoff", "True"), "172.17.0.3"));
        container(running("c", with("com.docker.swarm.task.id", "t1"), "172.17.0.4"));
        assertThat(addresses()).containsExactly("http://172.17.0.2:80");
    }

    @Test
    void theLabelsOfTheNewestReplicaCount() {
        String old = running("a", compose("shop", "web", "millau.path", "/old"), "172.17.0.2");
        String young = running("b", compose("shop", "web", "millau.path", "/new"), "172.17.0.3");
        container(young.replace("\"Created\":1", "\"Created\":2"));
        container(old);
        assertThat(only().path()).isEqualTo("/new");
        assertThat(only().endpoints()).hasSize(2);
    }

    @Test
    void theOnlyExposedPortReplacesAMissingLabel() {
        container(running("web", Map.of("millau.enabled", "true"), "172.17.0.2"));
        assertThat(addresses()).containsExactly("http://172.17.0.2:8080");
    }

    @Test
    void aContainerInTheNetworkOfAnotherHasItsAddress() {
        container(running("vpn", Map.of(), "172.17.0.5"));
        container(running("web", LABELS, "").replace("\"default\"", "\"container:vpn\""));
        assertThat(addresses()).containsExactly("http://172.17.0.5:80");
    }

    @Test
    void aContainerOnTheHostNetworkIsAtTheGatewayOfTheProxysBridge() {
        network("bridge", "bridge", "172.17.0.0/16", "");
        container(running("web", LABELS, "").replace("\"default\"", "\"host\""));
        assertThat(addresses()).containsExactly("http://172.17.0.1:80");
    }

    @Test
    void aContainerOnTheHostNetworkIsAtLoopbackForAProxyOnTheHostNetwork() {
        own = Interfaces.of("192.0.2.1/24", "172.17.0.1/16");
        network("bridge", "bridge", "172.17.0.0/16", "172.17.0.1");
        container(running("web", LABELS, "").replace("\"default\"", "\"host\""));
        assertThat(addresses()).containsExactly("http://127.0.0.1:80");
    }

    @Test
    void anUnknownHostAddressIsAProblem() {
        own = Interfaces.of("10.9.9.9/24");
        network("bridge", "bridge", "172.17.0.0/16", "172.17.0.1");
        container(running("web", LABELS, "").replace("\"default\"", "\"host\""));
        assertThat(addresses()).isEmpty();
        assertThat(messages()).singleElement().asString().contains("runs on its host's network");
    }

    /** Recorded: what Podman 4.3.1 lists, without a HostConfig and with a network of both families. */
    @Test
    void aContainerOfPodmanIsReachedByIpv4WhereBothFamiliesAre() {
        own = Interfaces.of("fd00:77::1/64", "10.77.0.1/24");
        container("""
                {"Id":"fd5be7c87441","Names":["/web"],"Image":"localhost/srv:latest","Created":1795962056,"Ports":[],
                 "Labels":{"com.docker.compose.project":"shop","com.docker.compose.service":"web","io.podman.compose.project":"shop",
                   "millau.enabled":"true","millau.port":"8080"},"State":"running","Status":"Up 12 seconds",
                 "NetworkSettings":{"Networks":{"both":{"IPAMConfig":null,"Links":null,"Aliases":["fd5be7c87441"],"NetworkID":"both",
                   "EndpointID":"","Gateway":"10.77.0.1","IPAddress":"10.77.0.5","IPPrefixLen":24,"IPv6Gateway":"fd00:77::1",
                   "GlobalIPv6Address":"fd00:77::5","GlobalIPv6PrefixLen":64,"MacAddress":"5e:c2:65:fc:dc:8d","DriverOpts":null}}},
                 "Mounts":[],"Name":"","Config":null,"NetworkingConfig":null,"Platform":null,"AdjustCPUShares":false}""");
        container("""
                {"Id":"04dd88166b2a","Names":["/old"],"Created":1795962042,"Ports":[],"Labels":{"com.docker.compose.project":"shop",
                   "com.docker.compose.service":"web","millau.enabled":"true","millau.port":"8080"},"State":"created","Status":"Created",
                 "NetworkSettings":{"Networks":{"both":{"IPAddress":"","IPPrefixLen":0,"GlobalIPv6Address":"",
                   "GlobalIPv6PrefixLen":0}}}}""");

        assertThat(only().name()).isEqualTo("web");
        assertThat(addresses()).containsExactly("http://10.77.0.5:8080");
    }

    @Test
    void anIpv6AddressIsUsedIfThereIsNoOther() {
        own = Interfaces.of("fd00:1::9/64");
        container("""
                {"Id":"web","Names":["/web"],"State":"running","Status":"Up","Labels":{"millau.enabled":"true","millau.port":"80"},
                 "NetworkSettings":{"Networks":{"n":{"IPAddress":"172.30.0.2","IPPrefixLen":16,
                   "GlobalIPv6Address":"fd00:1::2","GlobalIPv6PrefixLen":64}}}}""");
        assertThat(only().endpoints()).hasSize(1);
        assertThat(only().endpoints().get(0).address().getHostAddress()).isEqualTo("fd00:1:0:0:0:0:0:2");
    }
}
