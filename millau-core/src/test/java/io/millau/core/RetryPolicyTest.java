package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The retry policies that come with Millau, and what a policy of one's own is asked. */
class RetryPolicyTest {

    private static final Service APP = Service.named("app")
            .endpoints(TestEndpoints.of("one"), TestEndpoints.of("two"))
            .build();

    private static Attempt attempt(String method, Outcome outcome, int number) {
        return new FailedAttempt(
                new PlainRequest("a", "/", method), APP, TestEndpoints.of("one"), outcome, 0, number, 0);
    }

    @Test
    void nobodyAsksAboutAnAttemptThatDidNotFail() {
        List<Outcome> asked = new ArrayList<>();
        Router router = new Router(attempt -> asked.add(attempt.outcome()), LoadBalancer.roundRobin(), Ticker.system());
        router.replace(List.of(APP));

        for (Outcome outcome : List.of(Outcome.DELIVERED, Outcome.CLIENT_GONE, Outcome.BROKEN)) {
            Delivery delivery = router.open("", "/", "GET");
            delivery.next();
            delivery.retryable();
            delivery.report(outcome);
            delivery.close();
        }

        assertThat(asked).containsExactly(Outcome.BROKEN);
    }

    @Test
    void aStatusIsAFailureOnlyWhereItIsSaid() {
        RetryPolicy policy = RetryPolicy.standard().alsoOn(503).alsoOn(429, 502);

        assertThat(RetryPolicy.standard().isFailure(503)).isFalse();
        assertThat(List.of(429, 502, 503)).allMatch(policy::isFailure);
        assertThat(List.of(200, 404, 500)).noneMatch(policy::isFailure);
        assertThat(policy.mayRetry(attempt("GET", Outcome.FAILURE_STATUS, 1))).isTrue();
        assertThat(policy.mayRetry(attempt("POST", Outcome.FAILURE_STATUS, 1))).isFalse();
    }

    @Test
    void theNumberOfAttemptsCanBeLimited() {
        RetryPolicy policy = RetryPolicy.standard().alsoOn(503).atMost(3);

        assertThat(policy.isFailure(503)).isTrue();
        assertThat(policy.mayRetry(attempt("GET", Outcome.BROKEN, 2))).isTrue();
        assertThat(policy.mayRetry(attempt("GET", Outcome.BROKEN, 3))).isFalse();
        assertThat(policy.mayRetryProcessed(new PlainRequest("a", "/", "PUT"), APP))
                .isTrue();
        assertThat(RetryPolicy.standard().atMost(1).mayRetryProcessed(new PlainRequest("a", "/", "PUT"), APP))
                .as("no body is kept in vain")
                .isFalse();
    }

    @Test
    void mistakesAreNamed() {
        assertThatThrownBy(() -> RetryPolicy.standard().alsoOn(503, 200))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("retry on status 200: expected 400 to 599");
        assertThatThrownBy(() -> RetryPolicy.standard().atMost(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("at most 0 attempts: expected 1 or more");
    }

    @Test
    void aResponseThatIsGivenUpIsFollowedByAnotherEndpoint() {
        Router router = new Router(RetryPolicy.standard().alsoOn(503), LoadBalancer.roundRobin(), Ticker.system());
        router.replace(List.of(APP));
        Delivery delivery = router.open("", "/", "GET");

        assertThat(delivery.next()).isEqualTo(TestEndpoints.of("one"));
        assertThat(delivery.isFailure(503)).isTrue();
        assertThat(delivery.giveUp(503)).isTrue();
        assertThat(delivery.next()).isEqualTo(TestEndpoints.of("two"));
        assertThat(delivery.giveUp(503)).as("nobody is left").isFalse();
        delivery.report(Outcome.DELIVERED);
        delivery.close();

        assertThat(router.status().get(0).endpoints())
                .allMatch(endpoint -> endpoint.openRequests() == 0 && endpoint.state() == EndpointStatus.State.UP);
    }
}
