package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RouterTest {

    private long now = 1_000_000_000L;
    private final Router router = new Router(RetryPolicy.standard(), LoadBalancer.roundRobin(), () -> now);

    @Nested
    class Turns {

        @Test
        void blueAndGreenGetHalfEachHoweverManyReplicasEachHas() {
            router.replace(List.of(service("blue", 1), service("green", 4)));

            assertThat(share(100))
                    .isEqualTo(Map.of("blue-1", 50L, "green-1", 13L, "green-2", 13L, "green-3", 12L, "green-4", 12L));
        }

        @Test
        void theyGoOnWhereTheyWereAfterANewSnapshot() {
            List<String> answered = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                router.replace(List.of(service("blue", 2), service("green", 2)));
                answered.add(deliver("GET"));
            }

            assertThat(answered)
                    .containsExactly(
                            "blue-1", "green-1", "blue-2", "green-2", "blue-1", "green-1", "blue-2", "green-2");
        }

        @Test
        void theOthersShareWhatAnEjectedServiceWouldHaveGot() {
            router.replace(List.of(service("blue", 1), service("green", 1), service("red", 1)));
            eject("blue-1");

            assertThat(share(100)).isEqualTo(Map.of("green-1", 50L, "red-1", 50L));
        }

        @Test
        void theOthersShareWhatEjectedReplicasWouldHaveGot() {
            router.replace(List.of(service("app", 4)));
            eject("app-2");
            eject("app-4");

            assertThat(share(400)).isEqualTo(Map.of("app-1", 200L, "app-3", 200L));
        }

        @Test
        void goOnAfterTwoToThe31Requests() {
            assertThat(LoadBalancer.roundRobin().choose(candidates(Integer.MIN_VALUE, 0, 0, 0)))
                    .isBetween(0, 2);
            assertThat(LoadBalancer.leastConnections().choose(candidates(-1, 5, 0, 5)))
                    .isEqualTo(1);
        }

        @Test
        void leastConnectionsPrefersWhoHasTheFewestAndTakesTurnsAmongThem() {
            assertThat(LoadBalancer.leastConnections().choose(candidates(0, 3, 1, 2)))
                    .isEqualTo(1);
            assertThat(LoadBalancer.leastConnections().choose(candidates(0, 1, 1, 1)))
                    .isEqualTo(0);
            assertThat(LoadBalancer.leastConnections().choose(candidates(1, 1, 1, 1)))
                    .isEqualTo(1);
        }

        @Test
        void aRequestThatEndedIsNotOpenAnyMore() {
            Router least = new Router(RetryPolicy.standard(), LoadBalancer.leastConnections(), () -> now);
            least.replace(List.of(service("app", 2)));
            Delivery first = least.open("", "/", "GET");
            assertThat(first.next().id()).isEqualTo("app-1");
            Delivery second = least.open("", "/", "GET");
            assertThat(second.next().id()).isEqualTo("app-2");
            first.report(Outcome.DELIVERED);
            first.close();
            first.close();

            Delivery third = least.open("", "/", "GET");
            assertThat(third.next().id()).isEqualTo("app-1");
        }
    }

    @Nested
    class Failover {

        @Test
        void anotherServiceComesBeforeAnotherReplica() {
            router.replace(List.of(service("blue", 2), service("green", 2)));
            Delivery delivery = router.open("", "/", "GET");
            List<String> tried = new ArrayList<>();
            for (Endpoint next = delivery.next(); next != null; next = delivery.next()) {
                tried.add(next.id());
                assertThat(delivery.report(Outcome.UNREACHABLE)).isTrue();
            }

            assertThat(tried).containsExactly("blue-1", "green-1", "blue-2", "green-2");
        }

        @Test
        void theServiceIsTheOneTriedLast() {
            router.replace(List.of(service("blue", 1), service("green", 1)));
            Delivery delivery = router.open("", "/", "GET");
            delivery.next();
            delivery.report(Outcome.BROKEN);
            delivery.next();
            delivery.report(Outcome.BROKEN);

            assertThat(delivery.next()).isNull();
            assertThat(delivery.service().name()).isEqualTo("green");
        }

        @ParameterizedTest(name = "{0} {1}, retry-unsafe={2}: {3}")
        @CsvSource({
            "GET,     UNREACHABLE, false, true",
            "GET,     BROKEN,      false, true",
            "GET,     TIMED_OUT,   false, true",
            "GET,     REJECTED,    false, true",
            "GET,     DELIVERED,   false, false",
            "GET,     CLIENT_GONE, false, false",
            "HEAD,    BROKEN,      false, true",
            "OPTIONS, BROKEN,      false, true",
            "TRACE,   BROKEN,      false, true",
            "PUT,     BROKEN,      false, true",
            "DELETE,  BROKEN,      false, true",
            "POST,    UNREACHABLE, false, true",
            "POST,    BROKEN,      false, false",
            "POST,    TIMED_OUT,   false, false",
            "POST,    REJECTED,    false, false",
            "PATCH,   BROKEN,      false, false",
            "get,     BROKEN,      false, false",
            "POST,    BROKEN,      true,  true",
            "POST,    CLIENT_GONE, true,  false",
        })
        void isRepeated(String method, Outcome outcome, boolean retryUnsafe, boolean repeated) {
            router.replace(List.of(
                    service("app", 2).toBuilder().retryUnsafe(retryUnsafe).build()));
            Delivery delivery = router.open("", "/", method);
            delivery.next();

            assertThat(delivery.report(outcome)).isEqualTo(repeated);
        }

        @Test
        void endsAfterThreeAttemptsThatTimedOut() {
            router.replace(List.of(service("app", 5)));
            Delivery delivery = router.open("", "/", "GET");
            delivery.next();
            assertThat(delivery.report(Outcome.TIMED_OUT)).isTrue();
            delivery.next();
            assertThat(delivery.report(Outcome.BROKEN)).isTrue();
            delivery.next();
            assertThat(delivery.report(Outcome.TIMED_OUT)).isTrue();
            delivery.next();
            assertThat(delivery.report(Outcome.TIMED_OUT)).isFalse();
        }

        @Test
        void anEndpointThatClosedAnIdleConnectionGetsOneMoreChance() {
            router.replace(List.of(service("app", 2)));
            Delivery delivery = router.open("", "/", "GET");
            Endpoint first = delivery.next();
            assertThat(delivery.report(Outcome.REJECTED)).isTrue();
            assertThat(delivery.next()).isEqualTo(first);
            assertThat(delivery.report(Outcome.REJECTED)).isTrue();
            assertThat(delivery.next()).isNotNull().isNotEqualTo(first);
            assertThat(router.status().get(0).endpointsInRotation()).isEqualTo(2);
        }
    }

    @Nested
    class Ejection {

        @ParameterizedTest
        @ValueSource(strings = {"UNREACHABLE", "BROKEN", "TIMED_OUT"})
        void lastsForTheRetryPeriod(Outcome outcome) {
            router.replace(List.of(service("app", 2)));
            Delivery delivery = router.open("", "/", "GET");
            assertThat(delivery.next().id()).isEqualTo("app-1");
            delivery.report(outcome);

            now += Duration.ofSeconds(60).toNanos() - 1;
            assertThat(share(10)).containsOnlyKeys("app-2");
            now += 1;
            assertThat(share(10)).containsOnlyKeys("app-1", "app-2");
        }

        @Test
        void survivesANewSnapshotButNotANewInstanceAtTheSameAddress() {
            router.replace(List.of(service("app", 2)));
            eject("app-1");

            router.replace(List.of(service("app", 3)));
            assertThat(share(10)).containsOnlyKeys("app-2", "app-3");

            router.replace(List.of(
                    service("app", 0).withEndpoints(List.of(TestEndpoints.of("next"), TestEndpoints.of("app-2")))));
            assertThat(share(10)).containsOnlyKeys("next", "app-2");
        }

        @Test
        void whenAllAreEjectedTheyAreTriedAnyway() {
            router.replace(List.of(service("app", 2)));
            eject("app-1");
            eject("app-2");
            assertThat(router.status().get(0).up()).isFalse();

            assertThat(share(10)).containsOnlyKeys("app-1", "app-2");
        }

        @Test
        void anEjectedEndpointIsTheLastResortOfARequestThatFailedElsewhere() {
            router.replace(List.of(service("app", 2)));
            eject("app-1");
            Delivery delivery = router.open("", "/", "GET");
            assertThat(delivery.next().id()).isEqualTo("app-2");
            delivery.report(Outcome.BROKEN);

            assertThat(delivery.next().id()).isEqualTo("app-1");
        }

        @Test
        void oneRequestProbesWhileTheRestGoElsewhere() {
            router.replace(List.of(service("app", 2)));
            eject("app-1");
            now += Duration.ofSeconds(60).toNanos();
            List<Delivery> open = new ArrayList<>();
            List<String> chosen = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                open.add(router.open("", "/", "GET"));
                chosen.add(open.get(i).next().id());
            }
            assertThat(chosen).containsOnlyOnce("app-1");
            Delivery probe = open.get(chosen.indexOf("app-1"));

            assertThat(router.status().get(0).endpointsInRotation()).isEqualTo(1);
            probe.report(Outcome.DELIVERED);
            assertThat(router.status().get(0).endpointsInRotation()).isEqualTo(2);
            assertThat(share(10)).isEqualTo(Map.of("app-1", 5L, "app-2", 5L));
        }

        @Test
        void aProbeWhoseClientWentAwayLeavesItToTheNextRequest() {
            router.replace(List.of(service("app", 2)));
            eject("app-1");
            now += Duration.ofSeconds(60).toNanos();
            Delivery probe;
            do {
                probe = router.open("", "/", "GET");
            } while (!probe.next().id().equals("app-1"));
            probe.report(Outcome.CLIENT_GONE);

            assertThat(share(4)).containsKey("app-1");
        }

        @Test
        void anAnswerThatBreaksAfterItsHeadEjectsToo() {
            router.replace(List.of(service("app", 2)));
            Delivery delivery = router.open("", "/", "GET");
            delivery.next();
            delivery.report(Outcome.DELIVERED);
            delivery.report(Outcome.BROKEN);

            assertThat(share(4)).containsOnlyKeys("app-2");
        }
    }

    @Test
    void aRemovedServiceAnswersForItselfForAMinute() {
        router.replace(List.of(service("app", 1)));
        router.replace(List.of());
        now += Duration.ofSeconds(60).toNanos() - 1;
        Delivery delivery = router.open("", "/", "GET");
        assertThat(delivery.running()).isFalse();
        assertThat(delivery.service().name()).isEqualTo("app");

        now += 1;
        assertThat(router.open("", "/", "GET")).isNull();
        assertThat(router.status()).isEmpty();
    }

    @Test
    void requestsMeetOneSnapshotOrTheOtherWhileTheyAreReplaced() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        AtomicBoolean stop = new AtomicBoolean();
        CountDownLatch served = new CountDownLatch(100_000);
        Map<String, Long> seen = new ConcurrentHashMap<>();
        router.replace(List.of(service("old", 3)));
        Future<?> requests = threads.submit(() -> {
            while (!stop.get()) {
                Delivery delivery = router.open("", "/", "GET");
                Endpoint endpoint = delivery.next();
                delivery.report(seen.size() % 2 == 0 ? Outcome.DELIVERED : Outcome.BROKEN);
                delivery.close();
                seen.merge(endpoint.id().substring(0, 3), 1L, Long::sum);
                served.countDown();
            }
        });
        Future<?> replacing = threads.submit(() -> {
            for (int i = 0; !stop.get(); i++) {
                router.replace(List.of(service(i % 2 == 0 ? "new" : "old", 3)));
            }
        });
        served.await();
        stop.set(true);
        requests.get();
        replacing.get();
        threads.shutdown();

        assertThat(seen).containsOnlyKeys("old", "new");
    }

    private static LoadBalancer.Candidates candidates(int turn, int... open) {
        return new LoadBalancer.Candidates() {
            @Override
            public int size() {
                return open.length;
            }

            @Override
            public int turn() {
                return turn;
            }

            @Override
            public int openRequests(int index) {
                return open[index];
            }
        };
    }

    private static Service service(String name, int replicas) {
        List<Endpoint> endpoints = new ArrayList<>();
        for (int i = 1; i <= replicas; i++) {
            endpoints.add(TestEndpoints.of(name + "-" + i));
        }
        return Service.named(name).endpoints(endpoints).build();
    }

    private String deliver(String method) {
        Delivery delivery = router.open("", "/", method);
        String id = delivery.next().id();
        delivery.report(Outcome.DELIVERED);
        delivery.close();
        return id;
    }

    private Map<String, Long> share(int requests) {
        Map<String, Long> share = new HashMap<>();
        for (int i = 0; i < requests; i++) {
            Delivery delivery = router.open("", "/", "GET");
            share.merge(delivery.next().id(), 1L, Long::sum);
            delivery.report(Outcome.CLIENT_GONE);
            delivery.close();
        }
        return share;
    }

    private void eject(String id) {
        for (int i = 0; i < 100; i++) {
            Delivery delivery = router.open("", "/", "GET");
            if (delivery.next().id().equals(id)) {
                delivery.report(Outcome.BROKEN);
                return;
            }
            delivery.report(Outcome.CLIENT_GONE);
        }
        throw new AssertionError(id + " gets no request");
    }
}
