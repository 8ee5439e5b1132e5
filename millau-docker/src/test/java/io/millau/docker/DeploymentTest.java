package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeploymentTest {

    private final FakeEngine engine = new FakeEngine();

    @AfterEach
    void close() {
        engine.close();
    }

    private Deployment of(String service) throws IOException {
        return engine.source().deployment(service).orElseThrow();
    }

    private static String service(String update) {
        return """
                [{"ID":"s2","Spec":{"Name":"shop-old","Mode":{"Replicated":{"Replicas":9}}}},
                 {"ID":"s1","Spec":{"Name":"shop","Mode":{"Replicated":{"Replicas":2}},
                  "TaskTemplate":{"ContainerSpec":{"Image":"shop:2","Env":["A=1"]},"ForceUpdate":1}}%s}]""".formatted(update);
    }

    private static String task(String id, String image, int force, String state) {
        return """
                {"ID":"%s","ServiceID":"s1","DesiredState":"running","Status":{"State":"%s"},
                 "Spec":{"ForceUpdate":%d,"ContainerSpec":{"Env":["A=1"],"Image":"%s"}}}""".formatted(id, state, force, image);
    }

    private void tasks(String... tasks) {
        engine.on("/tasks", "[" + String.join(",", tasks) + "]");
    }

    @Test
    void aSwarmServiceIsDeployedWhenAllTasksAreOfItsVersion() throws Exception {
        engine.manager().on("/services", service(""));
        tasks(task("a", "shop:2", 1, "running"), task("b", "shop:2", 1, "running"));

        Deployment shop = of("shop");
        assertThat(shop.wanted()).isEqualTo(2);
        assertThat(shop.instances()).containsExactly("a", "b");
        assertThat(shop.isDone()).isTrue();
        assertThat(engine.requests())
                .anyMatch(request -> request.contains("/services") && request.contains("\"name\":[\"shop\"]"))
                .anyMatch(request -> request.contains("/tasks") && request.contains("\"service\":[\"s1\"]"));
    }

    /** The engine takes a moment to begin an update; the tasks of the version before run on meanwhile. */
    @ParameterizedTest
    @CsvSource({"shop:1, 1, running", "shop:2, 0, running", "shop:2, 1, starting"})
    void aTaskOfTheVersionBeforeOrOneThatStartsIsNot(String image, int force, String state) throws Exception {
        engine.manager().on("/services", service(""));
        tasks(task("a", "shop:2", 1, "running"), task("b", image, force, state));

        Deployment shop = of("shop");
        assertThat(shop.instances()).containsExactly("a");
        assertThat(shop.others()).isEqualTo(1);
        assertThat(shop.isDone()).isFalse();
    }

    @Test
    void anUpdateInProgressIsNotDone() throws Exception {
        engine.manager().on("/services", service(",\"UpdateStatus\":{\"State\":\"updating\"}"));
        tasks(task("a", "shop:2", 1, "running"), task("b", "shop:2", 1, "running"));

        assertThat(of("shop").updating()).isTrue();
        assertThat(of("shop").isDone()).isFalse();
        assertThat(of("shop").failure()).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"paused", "rollback_paused", "rollback_completed"})
    void anUpdateThatWasGivenUpSaysWhy(String state) throws Exception {
        engine.manager()
                .on(
                        "/services",
                        service(",\"UpdateStatus\":{\"State\":\"" + state + "\",\"Message\":\"task b failed\"}"));
        tasks(task("a", "shop:2", 1, "running"), task("b", "shop:2", 1, "running"));

        assertThat(of("shop").failure()).isEqualTo("the update ended as " + state + ": task b failed");
        assertThat(of("shop").isDone()).isFalse();
    }

    /** It could never be waited for again. */
    @Test
    void aRollbackThatSomebodyWantedIsNoFailure() throws Exception {
        engine.manager()
                .on(
                        "/services",
                        service(
                                ",\"PreviousSpec\":{\"Name\":\"shop\"},\"UpdateStatus\":{\"State\":\"rollback_completed\"}"));
        tasks(task("a", "shop:2", 1, "running"), task("b", "shop:2", 1, "running"));

        assertThat(of("shop").failure()).isNull();
        assertThat(of("shop").isDone()).isTrue();
        assertThat(of("swarm:s1").isDone()).isTrue();
    }

    /** Which task the engine's message names, nobody wants to look up. */
    @Test
    void anUpdateThatWasGivenUpSaysWhyItsLastTaskFailed() throws Exception {
        engine.manager()
                .on("/services", service(",\"UpdateStatus\":{\"State\":\"paused\",\"Message\":\"task b failed\"}"));
        String failed = """
                {"ID":"%s","ServiceID":"s1","Slot":1,"CreatedAt":"2026-11-29T23:0%d:00.5Z","DesiredState":"shutdown",
                 "Status":{"State":"rejected","Err":"%s"},"Spec":{}}""";
        tasks(
                task("a", "shop:1", 1, "running"),
                failed.formatted("c", 2, "No such image: shop:2"),
                failed.formatted("b", 1, "of an update before"));

        assertThat(of("shop").failure()).isEqualTo("the update ended as paused: task b failed: No such image: shop:2");
    }

    @Test
    void containersOfAComposeServiceAreDeployedWhenTheyAreReady() throws Exception {
        Map<String, String> labels = Map.of(
                "com.docker.compose.project", "p", "com.docker.compose.service", "shop", "millau.enabled", "true");
        String ready = EngineJson.container("one", labels, "running", "Up 2 seconds (healthy)", "172.17.0.2");
        engine.on(
                "/containers/json",
                "[" + ready + ","
                        + EngineJson.container("two", labels, "running", "Up 1 second (health: starting)", "172.17.0.3")
                        + "," + EngineJson.container("plain", Map.of(), "running", "Up", "172.17.0.4") + "]");

        assertThat(of("shop")).isEqualTo(new Deployment(2, Set.of("one"), 1, false, null));
        assertThat(engine.source().deployment("plain")).isEmpty(); // it is not behind the proxy
        engine.on("/containers/json", "[" + ready + "]");
        assertThat(of("shop").isDone()).isTrue();
    }

    /** Each project of a machine may have a service with the name "web". */
    @Test
    void servicesOfOneNameInTwoProjectsAreToldApartByTheirIds() throws Exception {
        engine.on("/containers/json", "[" + web("blog") + "," + web("shop") + "]");

        assertThat(engine.source().deployment("web")).isEmpty();
        assertThat(of("compose:blog/web")).isEqualTo(new Deployment(1, Set.of("blog-web"), 0, false, null));
    }

    private static String web(String project) {
        Map<String, String> labels = Map.of(
                "com.docker.compose.project", project, "com.docker.compose.service", "web", "millau.enabled", "true");
        return EngineJson.container(project + "-web", labels, "running", "Up 2 seconds", "172.17.0.2");
    }

    @Test
    void anUnknownServiceHasNone() throws Exception {
        assertThat(engine.source().deployment("shop")).isEmpty();
        engine.manager().on("/services", service(""));
        assertThat(engine.source().deployment("sho")).isEmpty();
    }
}
