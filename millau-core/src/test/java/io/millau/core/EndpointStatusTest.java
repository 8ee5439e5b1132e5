package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The state of an endpoint as shown on the status page, since when, and the reason. */
class EndpointStatusTest {

    private static final Duration RETRY = Duration.ofSeconds(60);

    private long now = -5_000_000_000L; // a ticker may be negative
    private final Router router = new Router(RetryPolicy.standard(), LoadBalancer.roundRobin(), () -> now);

    @BeforeEach
    void begin() {
        router.replace(List.of(service("one", "two")));
        pass(Duration.ofSeconds(10)); // past the time in which it may still start
    }

    @Test
    void isUpSinceItIsKnown() {
        assertStatus("one", EndpointStatus.State.UP, Duration.ofSeconds(10), null);
        pass(Duration.ofHours(1));
        assertStatus("one", EndpointStatus.State.UP, Duration.ofSeconds(3610), null);
        router.replace(List.of(service("one", "two", "three")));
        assertStatus("one", EndpointStatus.State.UP, Duration.ofSeconds(3610), null);
        assertStatus("three", EndpointStatus.State.UP, Duration.ZERO, null);
    }

    @Test
    void isEjectedWithTheReasonOfItsFailure() {
        fail("one", Outcome.BROKEN, "connection closed before the response");
        pass(Duration.ofSeconds(7));

        assertStatus(
                "one", EndpointStatus.State.EJECTED, Duration.ofSeconds(7), "connection closed before the response");
        assertStatus("two", EndpointStatus.State.UP, Duration.ofSeconds(17), null);
    }

    @Test
    void isEjectedSinceTheFirstFailureAlthoughProbesFail() {
        fail("one", Outcome.UNREACHABLE, "Connection refused");
        for (int i = 1; i <= 3; i++) {
            pass(RETRY);
            fail("one", Outcome.TIMED_OUT, "no response within 30000 ms");
        }

        assertStatus("one", EndpointStatus.State.EJECTED, RETRY.multipliedBy(3), "no response within 30000 ms");
    }

    @Test
    void staysEjectedInANewSnapshot() {
        fail("one", Outcome.BROKEN, "reset");
        router.replace(List.of(service("one")));
        pass(Duration.ofSeconds(1));

        assertStatus("one", EndpointStatus.State.EJECTED, Duration.ofSeconds(1), "reset");
    }

    @Test
    void isRecoveringForTenSecondsAndThenUpSinceItsReturn() {
        fail("one", Outcome.BROKEN, "reset");
        pass(RETRY);
        assertThat(broughtBackByARequest("one")).isTrue();

        assertStatus("one", EndpointStatus.State.RECOVERING, Duration.ZERO, null);
        pass(Duration.ofNanos(Health.SLOW_START_NANOS - 1));
        assertStatus("one", EndpointStatus.State.RECOVERING, Duration.ofNanos(Health.SLOW_START_NANOS - 1), null);
        pass(Duration.ofNanos(1));
        assertStatus("one", EndpointStatus.State.UP, Duration.ofNanos(Health.SLOW_START_NANOS), null);
    }

    @Test
    void isEjectedAgainWhenItFailsDuringItsRecovery() {
        fail("one", Outcome.BROKEN, "reset");
        pass(RETRY);
        broughtBackByARequest("one");
        pass(Duration.ofSeconds(5));
        fail("one", Outcome.BROKEN, "reset again");

        assertStatus("one", EndpointStatus.State.EJECTED, Duration.ZERO, "reset again");
    }

    @Test
    void isUnhealthyAfterTwoFailedChecksAndRecoveringAfterASuccess() {
        check("one", false);
        assertThat(status("one").state()).isEqualTo(EndpointStatus.State.UP);
        pass(Duration.ofSeconds(5));
        assertThat(check("one", false)).isTrue();
        pass(Duration.ofSeconds(5));
        assertThat(check("one", false)).isFalse();

        assertStatus("one", EndpointStatus.State.UNHEALTHY, Duration.ofSeconds(5), "status 500 for /health");
        assertThat(check("one", true)).isTrue();
        assertStatus("one", EndpointStatus.State.RECOVERING, Duration.ZERO, null);
        pass(Duration.ofSeconds(11));
        assertStatus("one", EndpointStatus.State.UP, Duration.ofSeconds(11), null);
    }

    @Test
    void isJoiningUntilItsFirstCheckPasses() {
        router.replace(List.of(service("one", "two", "three")).stream()
                .map(service -> service.toBuilder().health("/health").build())
                .toList());
        pass(Duration.ofSeconds(3));
        assertStatus(
                "three", EndpointStatus.State.JOINING, Duration.ofSeconds(3), "waits for its first check that passes");
        assertThat(check("three", false)).isFalse();
        assertThat(check("three", false)).isFalse();
        assertThat(status("three").state()).isEqualTo(EndpointStatus.State.JOINING);

        assertThat(check("three", true)).as("it was never out of rotation").isFalse();
        assertStatus("three", EndpointStatus.State.UP, Duration.ZERO, null);
    }

    /** Two requests may fail at the same time, but they eject their endpoint only once. */
    @Test
    void onlyTheFirstFailureReportsTheEjection() {
        router.replace(List.of(service("one")));
        Delivery first = router.open("", "/", "GET");
        Delivery second = router.open("", "/", "GET");
        first.next();
        second.next();
        first.report(Outcome.BROKEN);
        second.report(Outcome.BROKEN);

        assertThat(first.hasEjected()).isTrue();
        assertThat(second.hasEjected()).isFalse();
    }

    /** The endpoint returned to rotation, but neither the log nor the status page showed it. */
    @Test
    void aCheckThatEndsAnEjectionReportsIt() {
        fail("one", Outcome.UNREACHABLE, "Connection refused");
        pass(Duration.ofSeconds(4));

        assertThat(check("one", true)).isTrue();
        assertStatus("one", EndpointStatus.State.RECOVERING, Duration.ZERO, null);
        assertThat(check("one", true)).isFalse();
        pass(Duration.ofSeconds(20));
        assertStatus("one", EndpointStatus.State.UP, Duration.ofSeconds(20), null);
    }

    /** Requests and checks failed: the endpoint leaves rotation once, and returns once, when both reasons are over. */
    @Test
    void anEndpointThatIsOutForTwoReasonsLeavesAndReturnsOnce() {
        fail("one", Outcome.BROKEN, "reset");
        assertThat(check("one", false)).isFalse();
        assertThat(check("one", false)).as("it was already out").isFalse();
        assertThat(status("one").reason()).isEqualTo("status 500 for /health");

        assertThat(check("one", true))
                .as("it is still ejected for the failed request")
                .isFalse();
        assertThat(status("one").state()).isEqualTo(EndpointStatus.State.EJECTED);
        assertThat(status("one").reason()).isEqualTo("reset");
        pass(RETRY);
        assertThat(broughtBackByARequest("one")).isTrue();
    }

    @Test
    void aResponseDoesNotBringBackAnUnhealthyEndpoint() {
        router.replace(List.of(service("one")));
        fail("one", Outcome.BROKEN, "reset");
        check("one", false);
        check("one", false);

        assertThat(broughtBackByARequest("one")).isFalse();
        assertThat(status("one").state()).isEqualTo(EndpointStatus.State.UNHEALTHY);
        assertThat(check("one", true)).isTrue();
    }

    @Test
    void openRequestsAreCountedUntilTheyAreClosed() {
        Delivery delivery = openAt("one");
        assertThat(status("one").openRequests()).isEqualTo(1);
        delivery.report(Outcome.DELIVERED);
        assertThat(status("one").openRequests()).isEqualTo(1);
        delivery.close();
        assertThat(status("one").openRequests()).isZero();
    }

    @Test
    void aServiceIsUpWhileAnEndpointIsInRotation() {
        assertThat(router.status().get(0).endpointsInRotation()).isEqualTo(2);
        fail("one", Outcome.BROKEN, "reset");
        assertThat(router.status().get(0).endpointsInRotation()).isEqualTo(1);
        assertThat(router.status().get(0).up()).isTrue();
        fail("two", Outcome.UNREACHABLE, "refused");
        assertThat(router.status().get(0).up()).isFalse();
        pass(RETRY);
        broughtBackByARequest("one");
        assertThat(router.status().get(0).up())
                .as("a recovering endpoint gets requests")
                .isTrue();
    }

    private static Service service(String... ids) {
        return Service.named("app")
                .endpoints(List.of(ids).stream().map(TestEndpoints::of).toList())
                .retry(RETRY)
                .build();
    }

    private void pass(Duration time) {
        now += time.toNanos();
    }

    private EndpointStatus status(String id) {
        return router.status().get(0).endpoints().stream()
                .filter(status -> status.endpoint().id().equals(id))
                .findFirst()
                .orElseThrow();
    }

    private void assertStatus(String id, EndpointStatus.State state, Duration since, @Nullable String reason) {
        assertThat(status(id)).isEqualTo(new Statuses.OfEndpoint(TestEndpoints.of(id), state, since, reason, 0));
        assertThat(status(id).inRotation()).isEqualTo(reason == null);
    }

    private boolean check(String id, boolean passed) {
        return router.checked(TestEndpoints.of(id), passed, (passed ? "status 200" : "status 500") + " for /health");
    }

    private void fail(String id, Outcome outcome, String reason) {
        Delivery delivery = openAt(id);
        delivery.report(outcome, reason);
        delivery.close();
    }

    private boolean broughtBackByARequest(String id) {
        Delivery delivery = openAt(id);
        delivery.report(Outcome.DELIVERED);
        delivery.close();
        return delivery.hasRestored();
    }

    /** Opens a request at this endpoint; requests that go to other endpoints first are closed without an outcome. */
    private Delivery openAt(String id) {
        for (int i = 0; i < 100; i++) {
            Delivery delivery = router.open("", "/", "GET");
            if (delivery.next().id().equals(id)) {
                return delivery;
            }
            delivery.close();
        }
        throw new AssertionError(id + " gets no request");
    }
}
