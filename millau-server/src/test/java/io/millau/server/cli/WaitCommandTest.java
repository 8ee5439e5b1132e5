package io.millau.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Endpoint;
import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.Snapshot;
import io.millau.core.UpstreamTls;
import io.millau.core.internal.ClosedService;
import io.millau.server.FakeDocker;
import io.millau.testing.Fault;
import io.millau.testing.ScriptedEndpoint;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WaitCommandTest extends CommandTest {

    private void start(Service... all) throws Exception {
        services.replace(all);
        millau = closing(builder().telemetry("127.0.0.1:0").start());
        environment.put("TELEMETRY", ":" + millau.telemetryPort());
    }

    private void start(Snapshot snapshot) throws Exception {
        millau = closing(builder()
                .source(consumer -> {
                    consumer.accept(snapshot);
                    return () -> {};
                })
                .telemetry("127.0.0.1:0")
                .start());
        environment.put("TELEMETRY", ":" + millau.telemetryPort());
    }

    @Test
    void itEndsAsSoonAsAllInstancesAnswer() throws Exception {
        ScriptedEndpoint one = endpointThatSays("ok");
        ScriptedEndpoint other = endpointThatResponds("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        start(app(one.endpoint(), other.endpoint())
                .hosts("*.a.example", "shop.example")
                .path("/shop")
                .build());

        run("wait", "app", "--replicas", "2");
        assertThat(out).isEqualTo("app: 2 instances are in rotation, and each answers\n");
        assertThat(err).startsWith("What was deployed is unknown, so the instances that the proxy knows count: Docker");
        assertThat(status).isZero();
        assertThat(one.requests.get(0).startLine()).isEqualTo("GET /shop HTTP/1.1");
        assertThat(one.requests.get(0).field("Host")).isEqualTo("shop.example");
    }

    @Test
    void itWaitsForWhatIsMissing() throws Exception {
        ScriptedEndpoint one = endpointThatSays("ok");
        start();
        CountDownLatch asked = new CountDownLatch(1);
        Thread later = new Thread(() -> {
            try {
                asked.await();
                services.replace(app(one.endpoint()).build());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        later.start();
        run("wait", "app", "--timeout", "1");
        assertThat(out)
                .isEqualTo("app: the proxy at http://127.0.0.1:" + millau.telemetryPort()
                        + " has no service of this name, after 1 s\n");
        assertThat(status).isEqualTo(1);

        asked.countDown();
        run("wait", "app");
        assertThat(status).isZero();
        later.join();
    }

    @ParameterizedTest
    @CsvSource({"good, apps_good", "aps_good, apps_good", "god2, good2", "db, ''", "frontend, shop-frontend-1"})
    void theNameThatWasMeantIsNamed(String name, String meant) throws Exception {
        ScriptedEndpoint one = endpointThatSays("ok");
        start(
                Service.named("shop-frontend-1").endpoints(one.endpoint()).build(),
                Service.named("apps_good").path("/a").endpoints(one.endpoint()).build(),
                Service.named("good2").path("/b").endpoints(one.endpoint()).build());

        run("wait", name, "--timeout", "1");
        assertThat(out)
                .isEqualTo(name + ": the proxy at http://127.0.0.1:" + millau.telemetryPort()
                        + " has no service of this name" + (meant.isEmpty() ? "" : "; did you mean " + meant + "?")
                        + ", after 1 s\n");
    }

    /** Each Compose project may have a service with the name "web". */
    @Test
    void servicesOfOneNameAreToldApartByTheirIds() throws Exception {
        ScriptedEndpoint one = endpointThatSays("ok");
        Endpoint refuses = endpointThatRefuses();
        List<Service> three = List.of(
                Service.named("web")
                        .id("compose:blog/web")
                        .endpoints(one.endpoint())
                        .build(),
                Service.named("web")
                        .id("compose:shop/web")
                        .path("/shop/")
                        .endpoints(refuses)
                        .build(),
                Service.named("web")
                        .id("compose:old/web")
                        .path("/old/")
                        .endpoints(one.endpoint())
                        .filter(new ClosedService())
                        .build());
        start(new Snapshot(three, List.of()));

        run("wait", "web", "--timeout", "1");
        assertThat(out)
                .isEqualTo("web: 3 services have this name: expected the id of one, compose:blog/web or"
                        + " compose:old/web or compose:shop/web\n");
        run("wait", "compose:blog/web", "--timeout", "1");
        assertThat(out).isEqualTo("compose:blog/web: 1 instance is in rotation, and each answers\n");
        run("wait", "compose:shop/web", "--timeout", "1");
        assertThat(out).startsWith("compose:shop/web: " + refuses + " does not answer");
        run("wait", "compose:old/web", "--timeout", "1");
        assertThat(out).contains("web is closed: requests get 503");
        run("wait", "compose:shop/wob", "--timeout", "1");
        assertThat(out).contains("; did you mean compose:shop/web?");
    }

    @Test
    void aServiceThatIsNotEnabledIsToldApartFromNone() throws Exception {
        start(Service.named("app").enabled(false).build());

        run("wait", "app", "--timeout", "1");
        assertThat(out).isEqualTo("app: it is not enabled: expected millau.enabled=true, after 1 s\n");
    }

    @Test
    void anInstanceThatDoesNotAnswerIsNamed() throws Exception {
        Endpoint refuses = endpointThatRefuses();
        start(app(endpointThatSays("ok").endpoint(), refuses).build());

        String hinted = "Connection refused (does it listen on port " + refuses.port() + "?), after 1 s\n";
        run("wait", "app", "--timeout", "1");
        assertThat(out).isEqualTo("app: " + refuses + " does not answer: " + hinted);
        assertThat(status).isEqualTo(1);

        run("wait", "app", "--replicas", "3", "--timeout", "1");
        assertThat(out).isEqualTo("app: app has 2 instances, expected 3, after 1 s\n");

        client().get("/");
        client().get("/"); // one of these found that it refuses
        run("wait", "app", "--timeout", "1");
        assertThat(out).isEqualTo("app: " + refuses + " is out of rotation (ejected): " + hinted);
    }

    @Test
    void anyResponseInTheProtocolOfTheInstanceCounts() throws Exception {
        ScriptedEndpoint garbage = closing(ScriptedEndpoint.that(Fault.GARBAGE));
        start(app(garbage.endpoint()).build());
        run("wait", "app", "--timeout", "1");
        assertThat(out).contains("does not answer: its response is not HTTP");
        assertThat(status).isEqualTo(1);
    }

    @Test
    void allRoutesOfAServiceHaveToBeThere() throws Exception {
        ScriptedEndpoint one = endpointThatSays("ok");
        Endpoint refuses = endpointThatRefuses();
        start(
                Service.named("shop").endpoints(one.endpoint()).build(),
                Service.named("shop/admin").path("/admin").endpoints(refuses).build());

        run("wait", "shop", "--timeout", "1");
        assertThat(out).startsWith("shop: " + refuses + " does not answer");
        run("wait", "shop/admin", "--timeout", "1");
        assertThat(out).startsWith("shop/admin: " + refuses + " does not answer");
    }

    @Test
    void theEngineSaysWhichInstancesHaveToBeThere() throws Exception {
        ScriptedEndpoint one = endpointThatSays("ok");
        docker("[" + FakeDocker.container("app", "\"millau.enabled\":\"true\",\"millau.port\":\"80\"") + "]");
        start(app(withId(one, "of-the-version-before")).build());

        run("wait", "app", "--timeout", "1");
        assertThat(out)
                .isEqualTo("app: app has other instances at the proxy than those that were deployed, after 1 s\n");
        assertThat(err).isEmpty();

        services.replace(app(withId(one, "app0123456789ab")).build());
        run("wait", "app");
        assertThat(out).isEqualTo("app: 1 instance is in rotation, and each answers\n");
        assertThat(status).isZero();
    }

    @Test
    void whyAnInstanceDoesNotRunIsSaid() throws Exception {
        docker("["
                + FakeDocker.container("app", "\"millau.enabled\":\"true\",\"millau.port\":\"80\"")
                        .replace("\"Up\"", "\"Up 5 seconds (unhealthy)\"")
                + "]");
        Problem why = new Problem("app", "container app is unhealthy (more: docker logs app)");
        start(new Snapshot(List.of(), List.of(why)));

        run("wait", "app", "--timeout", "1");
        assertThat(out)
                .isEqualTo("app: 0 of 1 instances run as deployed: container app is unhealthy"
                        + " (more: docker logs app), after 1 s\n");
        assertThat(status).isEqualTo(1);
    }

    /** The proxy says for a while that it crashed; the engine knows that it is done. */
    @Test
    void whatDidNotRunBeforeIsNotWaitedFor() throws Exception {
        docker("[" + FakeDocker.container("app", "\"millau.enabled\":\"true\",\"millau.port\":\"80\"") + "]");
        Service app = app(withId(endpointThatSays("ok"), "app0123456789ab")).build();
        List<Problem> problems =
                List.of(new Problem("app", "container app exits with code 1 and is restarted", List.of(), true));
        start(new Snapshot(List.of(app), problems));

        run("wait", "app");
        assertThat(out).isEqualTo("app: 1 instance is in rotation, and each answers\n");
        assertThat(status).isZero();
    }

    /** It waited for the whole time, though it can't succeed before somebody edits. */
    @Test
    void aMistakeInALabelEndsIt() throws Exception {
        docker("[" + FakeDocker.container("app", "\"millau.enabled\":\"true\",\"millau.port\":\"80\"") + "]");
        Service app = app(withId(endpointThatSays("ok"), "app0123456789ab")).build();
        start(new Snapshot(List.of(app), List.of(new Problem("app", "millau.prot=80: unknown"))));

        run("wait", "app", "--timeout", "600");
        assertThat(out).isEqualTo("app: millau.prot=80: unknown\n");
        assertThat(status).isEqualTo(1);
    }

    private static Endpoint withId(ScriptedEndpoint endpoint, String id) {
        Endpoint of = endpoint.endpoint();
        return new Endpoint(id, of.scheme(), of.address(), of.port(), (UpstreamTls) null);
    }

    @Test
    void withoutARunningProxyItIsUnknown() {
        run("wait", "app", "--timeout", "1");
        assertThat(err).contains("No running Millau responds at http://127.0.0.1:0: ");
        assertThat(status).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "wait",
                "wait a b",
                "wait --all",
                "wait app --replicas",
                "wait app --replicas 0",
                "wait app --timeout soon",
                "wait app --timeout 100000"
            })
    void wrongArgumentsAreNamed(String command) {
        run(command.split(" "));
        assertThat(err).startsWith("wait").contains("expected");
        assertThat(status).isEqualTo(2);
    }
}
