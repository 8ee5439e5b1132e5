package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Explanation.ClientCertificate;
import io.millau.core.testing.Authority;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ExplanationTest {

    private long now = 1_000_000_000L;
    private final Router router = new Router(RetryPolicy.standard(), LoadBalancer.roundRobin(), () -> now);

    @Test
    void givesAReasonForEveryServiceNearestFirst() {
        router.replace(List.of(
                running("blog").hosts("blog.example", "a", "b", "c", "d").build(),
                running("orders").hosts("shop.example").path("/orders/").build(),
                running("shop").hosts("shop.example").build(),
                Service.named("idle").hosts("shop.example").path("/api/").build(),
                running("red")
                        .hosts("shop.example")
                        .path("/api/")
                        .enabled(false)
                        .build(),
                running("off").hosts("off.example").enabled(false).build(),
                running("api")
                        .hosts("other.example", "shop.example")
                        .path("/api/")
                        .build(),
                running("rest").build(),
                running("wide").hosts("example").path("/api/x/").build()));

        assertThat(router.explain("www.Shop.example:8443", "/api/x/1")).hasToString("""
                api: matches by host shop.example and path /api/
                  http://127.0.0.1:80 in rotation (up)
                idle: it has no running instance, but other matching services do
                rest: host shop.example is the better match than *
                shop: path /api/ is the longer match than /
                wide: host shop.example is the better match than example
                red: not enabled, though its host and path would fit
                orders: its path /orders/ is not the beginning of /api/x/1
                blog: its hosts blog.example a b and 2 more do not fit
                off: not enabled""");
    }

    @Test
    void saysWhomLabelsStopAndWhatTheyChange() {
        router.replace(List.of(running("app")
                .path("/api/")
                .allow("10.0.0.0/8 private")
                .limit("20/s")
                .users("alice:$2y$04$9w1N3zVvcmjJcHpFMFJm1.dwqdnDSw3bM2V3XW1Z1n0mKQ5lqJQh2")
                .auth("http://login:4180/verify?secret=1")
                .canonical("shop.example")
                .strip(true)
                .requestHeader("X-Key", "s3cret")
                .responseHeader("Server", "")
                .responseHeader("X-Frame-Options", "DENY")
                .compress(true)
                .build()));

        assertThat(router.explain("old.example", "/api/x")).hasToString("""
                app: matches by host * and path /api/; clients other than 10.0.0.0/8 private get 403; a client gets 429 beyond 20/s; \
                who is none of its users gets 401; http://login:4180/verify is asked first; if its response \
                is not 2xx, the client gets that; other hosts than shop.example get 308 to it; its instances get the path without /api; \
                in requests, X-Key is set; in responses, Server is removed, X-Frame-Options is set; \
                its responses are compressed with gzip
                  http://127.0.0.1:80 in rotation (up)""");
    }

    @Test
    void listsEndpointsThatAreOutOfRotation() {
        Service app = Service.named("app")
                .endpoints(
                        Endpoint.http("1", TestEndpoints.of("").address(), 8081),
                        Endpoint.http("2", TestEndpoints.of("").address(), 8082))
                .build();
        router.replace(List.of(app));
        Delivery delivery = router.open("", "/", "GET");
        Endpoint failed = delivery.next();
        delivery.report(Outcome.BROKEN);
        delivery.close();

        Explanation explanation = router.explain("", "/");

        assertThat(explanation.running()).isTrue();
        assertThat(explanation.verdicts().get(0).endpoints())
                .extracting(EndpointStatus::endpoint)
                .containsExactlyElementsOf(app.endpoints());
        assertThat(explanation.verdicts().get(0).endpoints())
                .allSatisfy(instance -> assertThat(instance.inRotation())
                        .isEqualTo(!instance.endpoint().equals(failed)));
        assertThat(explanation.toString()).contains(failed + " out of rotation (ejected 0 s ago: BROKEN)");
    }

    @Test
    void namesSharesThatDiffer() {
        router.replace(List.of(
                running("stable").weight(9).build(),
                running("canary").weight(1).build(),
                running("spare").weight(0).build()));
        assertThat(reason("", "/", "stable")).isEqualTo("matches by host * and path /, with a share of 9 in 10");
        assertThat(reason("", "/", "canary")).isEqualTo("matches by host * and path /, with a share of 1 in 10");

        router.replace(List.of(
                running("blue").weight(3).build(), running("green").weight(3).build()));
        assertThat(reason("", "/", "blue")).isEqualTo("matches by host * and path /");
    }

    @Test
    void namesStandbyServices() {
        router.replace(
                List.of(running("blue").build(), running("spare").weight(0).build()));

        assertThat(reason("", "/", "spare"))
                .isEqualTo("matches by host * and path /, and stands by (weight 0) until no other is ready");

        router.replace(List.of(running("spare").weight(0).build()));
        assertThat(reason("", "/", "spare")).isEqualTo("matches by host * and path /");
    }

    @Test
    void choosesAServiceWithoutEndpointsIfNoneIsRunning() {
        router.replace(List.of(Service.named("shop").hosts("shop.example").build()));
        Explanation explanation = router.explain("shop.example", "/");

        assertThat(explanation.running()).isFalse();
        assertThat(explanation.route()).isEqualTo(new Route("shop.example", "/"));
        assertThat(explanation)
                .hasToString("shop: matches by host shop.example and path /, but it has no running instance");
    }

    @Test
    void knowsARemovedServiceForAMinute() {
        router.replace(List.of(running("shop").hosts("shop.example").build()));
        router.replace(List.of());

        assertThat(reason("shop.example", "/", "shop"))
                .isEqualTo("matches by host shop.example and path /, but was removed or is not enabled any more");

        now += Duration.ofSeconds(60).toNanos();
        assertThat(router.explain("shop.example", "/").verdicts()).isEmpty();
        assertThat(router.explain("shop.example", "/").route()).isNull();
    }

    @Test
    void saysIfHttpsAndAClientCertificateAreNeeded() {
        X509Certificate one = Authority.root("one").certificate();
        X509Certificate other = Authority.root("other").certificate();
        router.replace(List.of(
                running("open").hosts("open.example").redirectToHttps(true).build(),
                running("first").hosts("mine.example").clientCa(Set.of(one)).build(),
                running("second").hosts("two.example").clientCa(Set.of(other)).build(),
                running("third").hosts("two.example").clientCa(Set.of(one)).build(),
                running("part").hosts("www.mine.example").path("/part/").build()));

        assertThat(router.explain("open.example", "/")).satisfies(explanation -> {
            assertThat(explanation.redirectToHttps()).isTrue();
            assertThat(explanation.clientCertificate()).isEqualTo(ClientCertificate.NOT_NEEDED);
        });
        assertThat(router.explain("mine.example", "/").clientCertificate()).isEqualTo(ClientCertificate.NEEDED);
        assertThat(router.explain("two.example", "/").clientCertificate()).isEqualTo(ClientCertificate.NONE_ACCEPTED);
        // The requested host needs no client certificate, but the host that serves the request does.
        assertThat(router.explain("www.mine.example", "/").clientCertificate())
                .isEqualTo(ClientCertificate.NONE_ACCEPTED);
    }

    @Test
    void unusualPathsStayInOneLine() {
        router.replace(List.of(running("api").path("/api/").build()));

        assertThat(router.explain("", "/x\n" + "y".repeat(1000)).toString())
                .startsWith("api: its path /api/ is not the beginning of /x?yyy")
                .endsWith("…")
                .hasLineCount(1);
    }

    /** With random services, the explanation is the same as what the router does. */
    @Test
    void choosesWhatTheRouterChooses() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        String[] hosts = {"*", "com", "one.com", "www.one.com", "two.com", "local"};
        String[] paths = {"/", "/a", "/a/", "/a/b", "/b/"};
        for (int round = 0; round < 300; round++) {
            List<Service> services = new ArrayList<>();
            for (int i = random.nextInt(8); i >= 0; i--) {
                Service.Builder service = Service.named("service" + i)
                        .hosts(hosts[random.nextInt(hosts.length)], hosts[random.nextInt(hosts.length)])
                        .path(paths[random.nextInt(paths.length)])
                        .weight(random.nextInt(3))
                        .enabled(random.nextInt(5) > 0);
                services.add(random.nextInt(4) == 0 ? service.build() : running(service, "service" + i));
            }
            router.replace(services);
            for (String host : new String[] {"", "one.com", "x.www.one.com", "two.com", "blue.local", "else"}) {
                for (String path : new String[] {"/", "/a", "/a/b/c", "/b/x", "/c"}) {
                    assertThat(chosen(services.size(), host, path))
                            .as("seed %d, round %d: %s%s of %s", seed, round, host, path, services)
                            .isEqualTo(explained(host, path));
                    assertThat(router.explain(host, path).verdicts())
                            .extracting(verdict -> verdict.service().name())
                            .doesNotHaveDuplicates()
                            .containsAll(services.stream().map(Service::name).toList());
                }
            }
            now += Duration.ofSeconds(30).toNanos();
        }
    }

    /** The services that a request would try if each attempt failed; or the one without endpoints that matches. */
    private Set<Service> chosen(int most, String host, String path) {
        Delivery delivery = router.open(host, path, "GET");
        if (delivery == null) {
            return Set.of();
        }
        if (!delivery.running()) {
            assertThat(explained(host, path)).contains(delivery.service());
            return explained(host, path);
        }
        Set<Service> chosen = new HashSet<>();
        for (int i = 0; i < most && delivery.next() != null; i++) {
            chosen.add(delivery.service());
            delivery.report(Outcome.UNREACHABLE);
        }
        delivery.close();
        return chosen;
    }

    private Set<Service> explained(String host, String path) {
        return new HashSet<>(router.explain(host, path).chosen());
    }

    private String reason(String host, String path, String service) {
        return router.explain(host, path).verdicts().stream()
                .filter(verdict -> verdict.service().name().equals(service))
                .findFirst()
                .orElseThrow()
                .reason();
    }

    private static Service.Builder running(String name) {
        return Service.named(name).endpoints(TestEndpoints.of(name + "-1"));
    }

    private static Service running(Service.Builder service, String name) {
        return service.endpoints(TestEndpoints.of(name + "-1")).build();
    }
}
