package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a request reports about itself, for the log. */
class DeliveryTest {

    private long now;
    private final Router router = new Router(RetryPolicy.standard(), LoadBalancer.roundRobin(), () -> now);

    @Test
    void attemptsAreCountedWhenTheyBegin() {
        router.replace(List.of(service("app", "one", "two")));
        Delivery delivery = router.open("", "/", "GET");
        assertThat(delivery.attempts()).isZero();
        delivery.next();
        assertThat(delivery.attempts()).isEqualTo(1);
        assertThat(delivery.report(Outcome.BROKEN)).isTrue();
        delivery.next();
        delivery.report(Outcome.DELIVERED);
        delivery.close();

        assertThat(delivery.attempts()).isEqualTo(2);
    }

    @Test
    void aRetryAtTheSameEndpointIsAnotherAttempt() {
        router.replace(List.of(service("app", "one")));
        Delivery delivery = router.open("", "/", "GET");
        delivery.next();
        assertThat(delivery.report(Outcome.STALE_CONNECTION)).isTrue();
        delivery.next();

        assertThat(delivery.attempts()).isEqualTo(2);
    }

    @Test
    void withoutEndpointsThereAreNoAttempts() {
        router.replace(List.of(service("app")));
        Delivery delivery = router.open("", "/", "GET");

        assertThat(delivery.next()).isNull();
        assertThat(delivery.attempts()).isZero();
    }

    @Test
    void attemptsAddUpWhenARequestIsReopened() {
        router.replace(List.of(service("app", "one")));
        Delivery before = router.open("", "/", "GET");
        before.next();
        before.report(Outcome.UNREACHABLE);
        Delivery anew = router.open("", "/", "GET");
        anew.continues(before);
        before.close();
        anew.next();

        assertThat(anew.attempts()).isEqualTo(2);
    }

    @Test
    void theRouteIsThatOfTheServiceAndNotTheRequestedHostAndPath() {
        Service shop = service("shop", "one").toBuilder()
                .hosts("shop.example", "www.shop.example")
                .path("/api/")
                .build();
        router.replace(List.of(shop, service("rest", "two")));

        assertThat(router.open("SHOP.example:8080", "/api/x", "GET").route())
                .isEqualTo(new Route("shop.example", "/api/"));
        assertThat(router.open("eu.www.shop.example.", "/api/x", "GET").route())
                .isEqualTo(new Route("www.shop.example", "/api/"));
        assertThat(router.open("shop.example", "/", "GET").route()).isEqualTo(new Route("*", "/"));
    }

    @Test
    void onlyTheResponseThatEndsAnEjectionReportsIt() {
        router.replace(List.of(service("app", "one")));
        now += Duration.ofSeconds(10).toNanos();
        assertThat(served().hasRestored()).isFalse();
        Delivery failing = router.open("", "/", "GET");
        failing.next();
        failing.report(Outcome.BROKEN);
        failing.close();
        assertThat(failing.hasRestored()).isFalse();

        assertThat(served().hasRestored())
                .as("an ejected endpoint that responds returns")
                .isTrue();
        assertThat(served().hasRestored()).isFalse();
    }

    /** One of the routes vanished. */
    @Test
    void twoServicesOfOneIdAreRejectedAndTheServicesStay() {
        router.replace(List.of(service("app", "one")));

        assertThatThrownBy(() -> router.replace(List.of(service("shop", "two"), service("shop", "three"))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("two services have the id shop: expected different ids");
        assertThat(served().service().name()).isEqualTo("app");
    }

    private Delivery served() {
        Delivery delivery = router.open("", "/", "GET");
        delivery.next();
        delivery.report(Outcome.DELIVERED);
        delivery.close();
        return delivery;
    }

    private static Service service(String name, String... ids) {
        return Service.named(name)
                .endpoints(List.of(ids).stream().map(TestEndpoints::of).toList())
                .build();
    }
}
