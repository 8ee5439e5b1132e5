package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class LeastTimeTest {

    private static final Endpoint FAST = TestEndpoints.of("fast");
    private static final Endpoint SLOW = TestEndpoints.of("slow");
    private static final Endpoint THIRD = TestEndpoints.of("third");

    private long now = 1;
    private final Router router = new Router(RetryPolicy.standard(), LoadBalancer.leastTime(), () -> now);

    private void services(Endpoint... endpoints) {
        router.replace(List.of(Service.named("app").endpoints(endpoints).build()));
    }

    /** Sends a request, which ends before the next one begins; returns who got it. */
    private Endpoint request(int status, long millisOfFast, long millisOfSlow) {
        Delivery delivery = Objects.requireNonNull(router.open("", "/", "GET"));
        Endpoint by = Objects.requireNonNull(delivery.next());
        delivery.responded(
                by == FAST ? status : 200,
                Duration.ofMillis(by == FAST ? millisOfFast : millisOfSlow).toNanos());
        delivery.report(Outcome.DELIVERED);
        delivery.close();
        return by;
    }

    private int ofSlow(int requests, int status, long millisOfFast, long millisOfSlow) {
        int ofSlow = 0;
        for (int i = 0; i < requests; i++) {
            now += Duration.ofMillis(1).toNanos();
            ofSlow += request(status, millisOfFast, millisOfSlow) == SLOW ? 1 : 0;
        }
        return ofSlow;
    }

    @Test
    void whatRespondsFasterGetsTheRequestsOnceBothTimesAreKnown() {
        services(FAST, SLOW);

        assertThat(ofSlow(100, 200, 10, 50)).isBetween(1, 3);
    }

    @Test
    void aSlowOneIsTriedAgainWhenItsTimeIsForgotten() {
        services(FAST, SLOW);
        ofSlow(100, 200, 10, 50);

        now += Duration.ofSeconds(30).toNanos();

        assertThat(ofSlow(10, 200, 10, 50)).isPositive();
    }

    @Test
    void whatBecomesSlowGetsFewRequestsAtOnce() {
        services(FAST, SLOW);
        ofSlow(100, 200, 10, 50);

        assertThat(ofSlow(100, 200, 200, 50)).isGreaterThan(97);
    }

    @Test
    void requestsInProgressCountToo() {
        services(FAST, SLOW);
        ofSlow(10, 200, 10, 25);

        Delivery one = Objects.requireNonNull(router.open("", "/", "GET"));
        Delivery two = Objects.requireNonNull(router.open("", "/", "GET"));
        assertThat(one.next()).isEqualTo(FAST);
        assertThat(two.next()).isEqualTo(FAST);

        assertThat(request(200, 10, 25)).as("3 · 10 ms against 25 ms").isEqualTo(SLOW);
        one.close();
        two.close();
    }

    /** An instance that fails does so in no time. If that counted, it would get all requests. */
    @Test
    void fastFailuresAttractNoRequests() {
        services(FAST, SLOW);
        assertThat(ofSlow(1_000, 500, 0, 50))
                .as("nothing is known of one that only failed")
                .isBetween(450, 550);

        services(THIRD);
        services(FAST, SLOW);
        ofSlow(10, 200, 100, 50);
        assertThat(ofSlow(100, 500, 0, 50)).as("it was slower before it failed").isGreaterThan(97);
    }

    @Test
    void withoutTimesTheFewestRequestsInProgressDecide() {
        services(FAST, SLOW, THIRD);
        Delivery[] open = new Delivery[30];
        for (int i = 0; i < open.length; i++) {
            open[i] = Objects.requireNonNull(router.open("", "/", "GET"));
            open[i].next();
        }

        assertThat(router.status())
                .allSatisfy(service -> assertThat(service.endpoints())
                        .allSatisfy(
                                endpoint -> assertThat(endpoint.openRequests()).isBetween(9, 11)));
        for (Delivery delivery : open) {
            delivery.close();
        }
    }

    @Test
    void allEndpointsAreComparedWithAllOthers() {
        LoadBalancer leastTime = LoadBalancer.leastTime();
        boolean[][] compared = new boolean[5][5];
        for (int turn = -500; turn < 500; turn++) {
            List<Integer> asked = new ArrayList<>();
            leastTime.choose(new Asked(turn, asked));
            compared[asked.get(0)][asked.get(1)] = true;
        }

        for (int i = 0; i < 5; i++) {
            for (int j = 0; j < 5; j++) {
                assertThat(compared[i][j]).as(i + " with " + j).isEqualTo(i != j);
            }
        }
    }

    private record Asked(int turn, List<Integer> asked) implements LoadBalancer.Candidates {

        @Override
        public int size() {
            return 5;
        }

        @Override
        public Endpoint endpoint(int index) {
            return FAST;
        }

        @Override
        public Request request() {
            return new PlainRequest("", "/", "GET");
        }

        @Override
        public int openRequests(int index) {
            return 0;
        }

        @Override
        public long recentNanos(int index) {
            asked.add(index);
            return 1;
        }
    }
}
