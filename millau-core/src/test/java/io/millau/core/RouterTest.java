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
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RouterTest {

    /** After this time an endpoint no longer counts as starting. */
    private static final long STARTED = Duration.ofSeconds(10).toNanos();

    private long now = 1_000_000_000L;
    private final List<Delivery> opened = new ArrayList<>();
    private final Router router = new Router(RetryPolicy.standard(), LoadBalancer.roundRobin(), () -> now);

    @Nested
    class RoundRobin {

        @Test
        void servicesGetEqualSharesWhateverTheirReplicas() {
            router.replace(List.of(service("blue", 1), service("green", 4)));

            assertThat(share(100))
                    .isEqualTo(Map.of("blue-1", 50L, "green-1", 13L, "green-2", 13L, "green-3", 12L, "green-4", 12L));
        }

        @Test
        void theOrderContinuesAfterANewSnapshot() {
            List<String> served = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                router.replace(List.of(service("blue", 2), service("green", 2)));
                served.add(deliver("GET"));
            }

            assertThat(served)
                    .containsExactly(
                            "blue-1", "green-1", "blue-2", "green-2", "blue-1", "green-1", "blue-2", "green-2");
        }

        @Test
        void theShareOfAnEjectedServiceIsSplitEvenly() {
            router.replace(List.of(service("blue", 1), service("green", 1), service("red", 1)));
            eject("blue-1");

            assertThat(share(100)).isEqualTo(Map.of("green-1", 50L, "red-1", 50L));
        }

        @Test
        void theShareOfEjectedReplicasIsSplitEvenly() {
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
        void leastConnectionsChoosesTheFewestAndRotatesAmongEquals() {
            assertThat(LoadBalancer.leastConnections().choose(candidates(0, 3, 1, 2)))
                    .isEqualTo(1);
            assertThat(LoadBalancer.leastConnections().choose(candidates(0, 1, 1, 1)))
                    .isEqualTo(0);
            assertThat(LoadBalancer.leastConnections().choose(candidates(1, 1, 1, 1)))
                    .isEqualTo(1);
        }

        @Test
        void aServiceMayHaveItsOwnBalancer() {
            router.replace(List.of(service("app", 3).toBuilder()
                    .balancer(LoadBalancer.leastConnections())
                    .build()));
            open("app-1");
            open("app-2");

            assertThat(share(4)).isEqualTo(Map.of("app-3", 4L));
        }

        @Test
        void leastConnectionsSkipsAnEjectedEndpoint() {
            AtomicInteger choices = new AtomicInteger();
            LoadBalancer counting = candidates -> {
                choices.getAndIncrement();
                return LoadBalancer.leastConnections().choose(candidates);
            };
            router.replace(
                    List.of(service("app", 3).toBuilder().balancer(counting).build()));
            eject("app-1");
            open("app-2");
            choices.set(0);

            assertThat(share(4)).isEqualTo(Map.of("app-3", 4L));
            assertThat(choices).hasValue(4);
        }

        /** Balancers that count were asked about an ejected endpoint, and then again without it: they counted what was never sent. */
        @Test
        void aBalancerOfOnesOwnIsAskedOnceAndOnlyAboutThoseInRotation() {
            List<String> asked = new ArrayList<>();
            LoadBalancer first = candidates -> {
                asked.add(IntStream.range(0, candidates.size())
                        .mapToObj(i -> candidates.endpoint(i).id())
                        .collect(Collectors.joining(" ")));
                return 0;
            };
            router.replace(List.of(service("app", 3).toBuilder().balancer(first).build()));
            open("app-1");
            eject("app-1");
            asked.clear();

            assertThat(share(2)).isEqualTo(Map.of("app-2", 2L));
            assertThat(asked).containsExactly("app-2 app-3", "app-2 app-3");
        }

        @Test
        void anEndedRequestIsNoLongerOpen() {
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
    class Weights {

        @ParameterizedTest(name = "{0}: {1}")
        @CsvSource({
            "1 1,       A B A B A B",
            "1 1 1,     A B C A B C",
            "500 500,   A B A B A B",
            "3 1,       A B A A A B A A",
            "2 1,       A B A A B A",
            "9 1,       A B A A A A A A A A",
            "1 9,       A B B B B B B B B B",
            "1 2 3,     A B C C B C",
            "0 1,       B B B",
            "0 3 1,     B C B B",
            "0 0,       A B A B",
        })
        void areShares(String weights, String served) {
            replaceWeighted(weights);

            assertThat(services(served.split(" ").length)).isEqualTo(served);
        }

        @Test
        void areSharesWithManyServices() {
            replaceWeighted("1000 999 500 250 1 7");
            Map<String, Long> share = share(2757);

            assertThat(share)
                    .isEqualTo(Map.of("A-1", 1000L, "B-1", 999L, "C-1", 500L, "D-1", 250L, "E-1", 1L, "F-1", 7L));
        }

        @Test
        void areSpreadEvenly() {
            replaceWeighted("70 25 5");
            String served = services(1000).replace(" ", "");

            for (int from = 0; from + 20 <= served.length(); from++) {
                String window = served.substring(from, from + 20);
                assertThat(window.chars().filter(c -> c == 'A').count()).isBetween(13L, 15L);
                assertThat(window.chars().filter(c -> c == 'B').count()).isBetween(4L, 6L);
                assertThat(window.chars().filter(c -> c == 'C').count()).isBetween(0L, 2L);
            }
        }

        @Test
        void goOnAfterTwoToThe31Requests() {
            Pool pool =
                    new Pool(new Route("*", "/"), List.of(member("A", 3), member("B", 1)), new AtomicInteger(-3), null);

            assertThat(List.of(pool.next(now), pool.next(now), pool.next(now), pool.next(now), pool.next(now)))
                    .containsExactly(1, 0, 0, 0, 1);
        }

        @Test
        void ofTheRemainingServicesCountWhenOneIsEjected() {
            replaceWeighted("6 3 1");
            eject("A-1");

            assertThat(share(100)).isEqualTo(Map.of("B-1", 75L, "C-1", 25L));
        }

        @Test
        void standbyIsUsedOnlyWhileAllOthersAreOut() {
            replaceWeighted("1 0 0");
            eject("A-1");
            assertThat(share(10)).isEqualTo(Map.of("B-1", 5L, "C-1", 5L));

            now += Duration.ofSeconds(60).toNanos();
            assertThat(deliver("GET")).isEqualTo("A-1");
            now += Health.SLOW_START_NANOS;
            assertThat(share(10)).isEqualTo(Map.of("A-1", 10L));
        }

        @Test
        void standbyIsTriedLastByARetry() {
            replaceWeighted("0 1 1");

            assertThat(triedByARequest(Outcome.UNREACHABLE)).containsExactly("B-1", "C-1", "A-1");
        }

        @Test
        void standbyIsTriedBeforeAnEjectedEndpoint() {
            replaceWeighted("1 0");
            eject("A-1");

            assertThat(triedByARequest(Outcome.UNREACHABLE)).containsExactly("B-1", "A-1");
        }

        private void replaceWeighted(String weights) {
            List<Service> services = new ArrayList<>();
            for (String weight : weights.split(" ")) {
                services.add(service(String.valueOf((char) ('A' + services.size())), 1).toBuilder()
                        .weight(Integer.parseInt(weight))
                        .build());
            }
            router.replace(services);
        }

        private Pool.Member member(String name, int weight) {
            return new Pool.Member(
                    service(name, 1).toBuilder().weight(weight).build(),
                    new EndpointState[] {new EndpointState(TestEndpoints.of(name), 0, false)},
                    new ServiceState(now),
                    LoadBalancer.roundRobin(),
                    null);
        }

        private String services(int requests) {
            List<String> served = new ArrayList<>();
            for (int i = 0; i < requests; i++) {
                served.add(deliver("GET").substring(0, 1));
            }
            return String.join(" ", served);
        }
    }

    @Nested
    class Retries {

        @Test
        void preferAnotherService() {
            router.replace(List.of(service("blue", 2), service("green", 2)));
            Delivery delivery = router.open("", "/", "GET");
            List<String> tried = new ArrayList<>();
            do {
                tried.add(delivery.next().id());
            } while (delivery.report(Outcome.UNREACHABLE));

            assertThat(tried).containsExactly("blue-1", "green-1", "blue-2", "green-2");
            assertThat(delivery.next()).isNull();
        }

        @Test
        void theServiceOfARequestIsThatOfTheLastAttempt() {
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
            "GET,     STALE_CONNECTION,    false, true",
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
            "POST,    STALE_CONNECTION,    false, false",
            "POST,    NOT_PROCESSED,     false, true",
            "PATCH,   BROKEN,      false, false",
            "get,     BROKEN,      false, false",
            "POST,    BROKEN,      true,  true",
            "POST,    CLIENT_GONE, true,  false",
        })
        void dependOnMethodAndOutcome(String method, Outcome outcome, boolean retryUnsafe, boolean retried) {
            router.replace(List.of(
                    service("app", 2).toBuilder().retryUnsafe(retryUnsafe).build()));
            Delivery delivery = router.open("", "/", method);
            delivery.next();

            assertThat(delivery.report(outcome)).isEqualTo(retried);
        }

        @Test
        void endAfterThreeTimeouts() {
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
        void tryAnEndpointAgainOnceAfterAStaleConnection() {
            router.replace(List.of(service("app", 2)));
            Delivery delivery = router.open("", "/", "GET");
            Endpoint first = delivery.next();
            assertThat(delivery.report(Outcome.STALE_CONNECTION)).isTrue();
            assertThat(delivery.next()).isEqualTo(first);
            assertThat(delivery.report(Outcome.STALE_CONNECTION)).isTrue();
            assertThat(delivery.next()).isNotNull().isNotEqualTo(first);
            assertThat(router.status().get(0).endpointsInRotation()).isEqualTo(2);
        }

        @ParameterizedTest
        @CsvSource({
            "UNREACHABLE, app-1 app-2 app-3",
            "BROKEN,      app-1 app-2 app-3",
            "TIMED_OUT,   app-1 app-2 app-3",
            "STALE_CONNECTION, app-1 app-1 app-2 app-2 app-3 app-3",
            "NOT_PROCESSED, app-1 app-1 app-2 app-2 app-3 app-3",
        })
        void tryEachEndpointOnce(Outcome outcome, String tried) {
            router.replace(List.of(service("app", 3)));

            assertThat(triedByARequest(outcome)).containsExactlyInAnyOrder(tried.split(" "));
        }

        @Test
        void tryAnEndpointOfTwoServicesOnce() {
            List<Endpoint> shared = List.of(TestEndpoints.of("one"));
            router.replace(List.of(
                    service("blue", 0).withEndpoints(shared),
                    service("green", 0).withEndpoints(shared)));
            Delivery delivery = router.open("", "/", "GET");
            delivery.next();
            delivery.report(Outcome.BROKEN);

            assertThat(delivery.next()).isNull();
        }

        @Test
        void tryAtMostAHundredEndpoints() {
            router.replace(List.of(service("app", 150)));

            assertThat(triedByARequest(Outcome.UNREACHABLE)).hasSize(100).doesNotHaveDuplicates();
        }

        @Test
        void areNotAllowedOnceTheResponseHasBegun() {
            router.replace(List.of(service("app", 2)));
            Delivery delivery = router.open("", "/", "GET");
            delivery.next();
            delivery.report(Outcome.DELIVERED);

            assertThat(delivery.report(Outcome.BROKEN)).isFalse();
        }
    }

    @Nested
    class RetryBudgets {

        private static final int ENDPOINTS = 5;

        @BeforeEach
        void oneService() {
            router.replace(List.of(service("app", ENDPOINTS)));
        }

        @Test
        void limitTheExtraLoadToAFifth() {
            int attempts = 0;
            for (int second = 0; second < 60; second++) {
                attempts += attemptsInOneSecond(1000, Outcome.BROKEN);
            }

            assertThat(attempts).isBetween(60 * 1200 - 200, 60 * 1200);
        }

        @Test
        void holdForEveryPeriodOfTenSeconds() {
            int[] retries = new int[100];
            for (int second = 0; second < retries.length; second++) {
                int requests = second % 7 == 0 ? 2000 : 300;
                retries[second] = attemptsInOneSecond(requests, second % 11 < 4 ? Outcome.DELIVERED : Outcome.TIMED_OUT)
                        - requests;
                int requested = 0;
                int retried = 0;
                for (int past = Math.max(0, second - 9); past <= second; past++) {
                    requested += past % 7 == 0 ? 2000 : 300;
                    retried += retries[past];
                }
                assertThat(retries[second] == 0 ? 0 : retried).isLessThanOrEqualTo(requested / 5);
            }
        }

        @Test
        void allowTenRetriesASecondForAServiceWithFewRequests() {
            for (int round = 0; round < 3; round++) {
                int attempts = 0;
                for (int second = 0; second < 10; second++) {
                    attempts += attemptsInOneSecond(5, Outcome.BROKEN);
                }
                assertThat(attempts).isEqualTo(50 + 100);
            }
        }

        @Test
        void allowTenRetriesASecondAfterAnIdleTime() {
            attemptsInOneSecond(1000, Outcome.BROKEN);
            now += Duration.ofHours(1).toNanos();

            assertThat(attemptsInOneSecond(5, Outcome.BROKEN)).isEqualTo(5 * ENDPOINTS);
        }

        @Test
        void doNotCountRefusedConnections() {
            assertThat(attemptsInOneSecond(1000, Outcome.UNREACHABLE)).isEqualTo(1000 * ENDPOINTS);
            assertThat(attemptsInOneSecond(25, Outcome.BROKEN)).isEqualTo(25 * ENDPOINTS);
        }

        @Test
        void areNotUsedByRequestsThatMayNotBeRetried() {
            for (int i = 0; i < 1000; i++) {
                router.open("", "/", "POST").next();
            }
            for (int i = 0; i < 1000; i++) {
                Delivery post = router.open("", "/", "POST");
                post.next();
                assertThat(post.report(Outcome.BROKEN)).isFalse();
            }
            for (int i = 0; i < 1000; i++) {
                assertThat(router.open("", "/", "GET").retryable()).isTrue();
            }

            assertThat(attemptsInOneSecond(100, Outcome.BROKEN)).isEqualTo(100 * ENDPOINTS);
        }

        @Test
        void areNotUsedByLastAttempts() {
            router.replace(List.of(service("app", 1)));
            assertThat(attemptsInOneSecond(1000, Outcome.BROKEN)).isEqualTo(1000);

            router.replace(List.of(service("app", 2)));
            assertThat(attemptsInOneSecond(1000, Outcome.BROKEN)).isEqualTo(1000 + 400);
        }

        @Test
        void surviveANewSnapshot() {
            int attempts = 0;
            for (int i = 0; i < 1000; i++) {
                router.replace(List.of(service("app", ENDPOINTS)));
                attempts += attemptsOf(Outcome.BROKEN);
            }

            assertThat(attempts).isEqualTo(1200);
        }

        @Test
        void belongToTheService() {
            router.replace(List.of(
                    service("app", ENDPOINTS),
                    service("other", ENDPOINTS).toBuilder().hosts("other.com").build()));
            attemptsInOneSecond(1000, Outcome.BROKEN);

            assertThat(triedByARequest("other.com", Outcome.BROKEN)).hasSize(ENDPOINTS);
        }

        @Test
        void holdForManyThreads() throws Exception {
            int count = 4;
            AtomicInteger attempts = new AtomicInteger();
            ExecutorService threads = Executors.newFixedThreadPool(count);
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                running.add(threads.submit(() -> {
                    for (int request = 0; request < 10_000; request++) {
                        attempts.addAndGet(attemptsOf(Outcome.BROKEN));
                    }
                }));
            }
            for (Future<?> thread : running) {
                thread.get();
            }
            threads.shutdown();

            assertThat(attempts.get()).isBetween(count * 12_000 - count * ENDPOINTS, count * 12_000 + count);
        }

        /** The number of attempts for the given number of requests, spread over one second. */
        private int attemptsInOneSecond(int requests, Outcome outcome) {
            int attempts = 0;
            long second = Duration.ofSeconds(1).toNanos();
            long began = now;
            for (int i = 0; i < requests; i++) {
                now = began + second * i / requests;
                attempts += attemptsOf(outcome);
            }
            now = began + second;
            return attempts;
        }

        private int attemptsOf(Outcome outcome) {
            return triedByARequest("", outcome).size();
        }
    }

    @Nested
    class Ejection {

        @ParameterizedTest
        @ValueSource(strings = {"UNREACHABLE", "BROKEN", "TIMED_OUT"})
        void lastsForTheRetryPeriod(Outcome outcome) {
            router.replace(List.of(service("app", 2)));
            now += STARTED;
            Delivery delivery = router.open("", "/", "GET");
            assertThat(delivery.next().id()).isEqualTo("app-1");
            delivery.report(outcome);

            now += Duration.ofSeconds(60).toNanos() - 1;
            assertThat(share(10)).containsOnlyKeys("app-2");
            now += 1;
            assertThat(share(10)).containsOnlyKeys("app-1", "app-2");
        }

        @Test
        void survivesANewSnapshotButNotANewInstance() {
            router.replace(List.of(service("app", 2)));
            eject("app-1");

            router.replace(List.of(service("app", 3)));
            assertThat(share(10)).containsOnlyKeys("app-2", "app-3");

            router.replace(List.of(
                    service("app", 0).withEndpoints(List.of(TestEndpoints.of("next"), TestEndpoints.of("app-2")))));
            assertThat(share(10)).containsOnlyKeys("next", "app-2");
        }

        /** A request that no instance can serve must not take its service away. */
        @ParameterizedTest
        @CsvSource({"BROKEN, 5", "UNREACHABLE, 0"})
        void aRequestThatBreaksSeveralEndpointsEjectsTheFirst(Outcome outcome, int left) {
            router.replace(List.of(service("app", 6)));
            Delivery delivery = router.open("", "/", "GET");
            int attempts = 0;
            while (delivery.next() != null) {
                delivery.report(outcome);
                attempts++;
            }

            assertThat(attempts).isEqualTo(6);
            assertThat(router.status().get(0).endpointsInRotation()).isEqualTo(left);
        }

        @ParameterizedTest
        @CsvSource({"BROKEN, 3", "TIMED_OUT, 3", "UNREACHABLE, 0"})
        void badResponsesEjectHalfOfAServiceAtMost(Outcome outcome, int left) {
            router.replace(List.of(service("app", 6)));
            for (int i = 1; i <= 6; i++) {
                open("app-" + i).report(outcome);
            }

            assertThat(router.status().get(0).endpointsInRotation()).isEqualTo(left);
        }

        @Test
        void aRequestThatFailsInSeveralWaysEjectsTheFirst() {
            router.replace(List.of(service("app", 6)));
            Delivery delivery = router.open("", "/", "GET");
            delivery.next();
            delivery.report(Outcome.TIMED_OUT);
            delivery.next();
            delivery.report(Outcome.BROKEN);

            assertThat(router.status().get(0).endpointsInRotation()).isEqualTo(5);
        }

        /** Two threads counted at the same time, and each ejected one: both of two endpoints were out. */
        @Test
        void twoThreadsEjectHalfOfAServiceAtMost() throws Exception {
            ExecutorService threads = Executors.newFixedThreadPool(2);
            for (int round = 0; round < 20_000; round++) {
                router.replace(List.of());
                now += Duration.ofMinutes(2).toNanos();
                router.replace(List.of(service("app", 2)));
                Delivery first = open("app-1");
                Delivery second = open("app-2");
                AtomicInteger ready = new AtomicInteger();
                Future<?> other = threads.submit(() -> {
                    ready.incrementAndGet();
                    while (ready.get() < 2) {
                        Thread.onSpinWait();
                    }
                    second.report(Outcome.BROKEN);
                });
                ready.incrementAndGet();
                while (ready.get() < 2) {
                    Thread.onSpinWait();
                }
                first.report(Outcome.BROKEN);
                other.get();
                assertThat(router.status().get(0).endpointsInRotation())
                        .as("round %s", round)
                        .isEqualTo(1);
                first.close();
                second.close();
            }
            threads.shutdown();
        }

        @Test
        void theOnlyEndpointOfAServiceIsEjectedForAnother() {
            router.replace(List.of(service("blue", 1), service("green", 1)));
            eject("blue-1");

            assertThat(share(10)).containsOnlyKeys("green-1");
        }

        @Test
        void whenAllAreEjectedTheyAreTriedAnyway() {
            router.replace(List.of(service("app", 2)));
            eject("app-1");
            open("app-2").report(Outcome.UNREACHABLE);
            assertThat(router.status().get(0).up()).isFalse();

            assertThat(share(10)).containsOnlyKeys("app-1", "app-2");
        }

        @Test
        void anEjectedEndpointIsTriedLast() {
            router.replace(List.of(service("app", 2)));
            eject("app-1");
            Delivery delivery = router.open("", "/", "GET");
            assertThat(delivery.next().id()).isEqualTo("app-2");
            delivery.report(Outcome.BROKEN);

            assertThat(delivery.next().id()).isEqualTo("app-1");
        }

        @Test
        void oneRequestProbesWhileTheOthersGoElsewhere() {
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
            now += Health.SLOW_START_NANOS;
            assertThat(share(10)).isEqualTo(Map.of("app-1", 5L, "app-2", 5L));
        }

        @ParameterizedTest(name = "{0}")
        @CsvSource({"UNREACHABLE, 60", "BROKEN, 120", "TIMED_OUT, 120"})
        void aRequestThatMayNotBeRetriedProbesABrokenEndpointAfterTwoRetryPeriods(Outcome outcome, long seconds) {
            router.replace(List.of(service("app", 2)));
            now += STARTED;
            open("app-1").report(outcome);
            now += Duration.ofSeconds(seconds).toNanos() - 1;
            assertThat(share("POST", 10)).containsOnlyKeys("app-2");
            now += 1;
            assertThat(share("POST", 10)).containsOnlyKeys("app-1", "app-2");
        }

        @Test
        void ofAllEndpointsGivesRetryAfter() {
            router.replace(List.of(service("app", 2)));
            now += STARTED;
            assertThat(router.open("", "/", "GET").retryAfterSeconds()).isZero();
            eject("app-1");
            assertThat(router.open("", "/", "GET").retryAfterSeconds()).isZero();
            now += Duration.ofMillis(10_500).toNanos();
            open("app-2").report(Outcome.UNREACHABLE);
            assertThat(router.open("", "/", "GET").retryAfterSeconds()).isEqualTo(50);
            now += Duration.ofHours(1).toNanos();
            assertThat(router.open("", "/", "GET").retryAfterSeconds()).isEqualTo(1);
        }

        @Test
        void aProbeWhoseClientLeavesIsRepeatedByTheNextRequest() {
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
        void aProbeWithoutAnOutcomeIsRepeatedByTheNextRequest() {
            router.replace(List.of(service("app", 2)));
            eject("app-1");
            now += Duration.ofSeconds(60).toNanos();
            Delivery probe = open("app-1");
            assertThat(probe.report(Outcome.STALE_CONNECTION)).isTrue();
            assertThat(share(4)).containsOnlyKeys("app-2");
            probe.close();

            assertThat(share(4)).containsKey("app-1");
        }

        @Test
        void isNotEndedByTheResponseToAnEarlierRequest() {
            router.replace(List.of(service("app", 2)));
            Delivery before = open("app-1");
            eject("app-1");
            before.report(Outcome.DELIVERED);

            assertThat(router.status().get(0).endpointsInRotation()).isEqualTo(1);
            assertThat(share(4)).containsOnlyKeys("app-2");
        }

        @Test
        void isEndedByAResponseWhenAllAreEjected() {
            router.replace(List.of(service("app", 2)));
            eject("app-1");
            open("app-2").report(Outcome.UNREACHABLE);
            String served = deliver("GET");

            assertThat(router.status().get(0).endpointsInRotation()).isEqualTo(1);
            assertThat(share(10)).isEqualTo(Map.of(served, 10L));
        }

        @Test
        void alsoFollowsAResponseThatBreaksAfterItsHead() {
            router.replace(List.of(service("app", 2)));
            Delivery delivery = router.open("", "/", "GET");
            delivery.next();
            delivery.report(Outcome.DELIVERED);
            delivery.report(Outcome.BROKEN);

            assertThat(share(4)).containsOnlyKeys("app-2");
        }
    }

    @Nested
    class Sticky {

        @Test
        void aClientReturnsToItsEndpoint() {
            router.replace(List.of(sticky("blue", 2), sticky("green", 2)));
            Delivery first = router.open("", "/", "GET");
            String endpoint = first.next().id();
            String token = first.token();

            for (int i = 0; i < 10; i++) {
                assertThat(endpointFor(token)).isEqualTo(endpoint);
            }
            assertThat(share(40)).hasSize(4);
        }

        @Test
        void aClientReturnsToAStandbyToo() {
            router.replace(List.of(sticky("blue", 1)));
            String token = tokenOf("blue-1");
            router.replace(List.of(sticky("blue", 1).toBuilder().weight(0).build(), sticky("green", 1)));

            assertThat(endpointFor(token)).isEqualTo("blue-1");
            assertThat(share(10)).containsOnlyKeys("green-1");
        }

        @Test
        void aClientReturnsToARecoveringEndpointWithEveryRequest() {
            router.replace(List.of(sticky("app", 2)));
            String token = tokenOf("app-1");
            recover("app-1");

            for (int i = 0; i < 10; i++) {
                assertThat(endpointFor(token)).isEqualTo("app-1");
            }
        }

        @Test
        void aClientWhoseEndpointIsRemovedOrEjectedGoesElsewhere() {
            router.replace(List.of(sticky("app", 2)));
            String token = tokenOf("app-1");
            eject("app-1");
            assertThat(endpointFor(token)).isEqualTo("app-2");

            router.replace(List.of(
                    sticky("app", 1).withEndpoints(List.of(TestEndpoints.of("app-3"), TestEndpoints.of("app-4")))));
            assertThat(router.open("", "/", "GET").prefer(token)).isFalse();
            assertThat(List.of(endpointFor(token), endpointFor(token))).containsExactlyInAnyOrder("app-3", "app-4");
        }

        @Test
        void afterAFailureEachOtherEndpointIsTriedOnce() {
            router.replace(List.of(sticky("app", 3)));
            Delivery delivery = router.open("", "/", "GET");
            delivery.prefer(tokenOf("app-2"));
            List<String> tried = new ArrayList<>();
            do {
                tried.add(delivery.next().id());
            } while (delivery.report(Outcome.BROKEN));

            assertThat(tried).startsWith("app-2").containsExactlyInAnyOrder("app-1", "app-2", "app-3");
        }

        @Test
        void aServiceThatIsNotStickyHasNoToken() {
            router.replace(List.of(service("app", 1)));
            Delivery delivery = router.open("", "/", "GET");
            delivery.next();

            assertThat(delivery.sticky()).isFalse();
            assertThat(delivery.token()).isNull();
        }

        private Service sticky(String name, int replicas) {
            return service(name, replicas).toBuilder().sticky(true).build();
        }

        private String tokenOf(String id) {
            Delivery delivery = open(id);
            String token = delivery.token();
            delivery.close();
            return token;
        }

        private String endpointFor(String token) {
            Delivery delivery = router.open("", "/", "GET");
            delivery.prefer(token);
            String id = delivery.next().id();
            delivery.report(Outcome.DELIVERED);
            delivery.close();
            return id;
        }
    }

    @Nested
    class Checks {

        @Test
        void twoFailuresInARowTakeAnEndpointOutAndASuccessBringsItBackSlowly() {
            router.replace(List.of(checked("app", 2)));
            assertThat(check("app-1", false)).isFalse();
            assertThat(check("app-1", true)).isFalse();
            assertThat(check("app-1", false)).isFalse();
            assertThat(share(10)).containsOnlyKeys("app-1", "app-2");

            assertThat(check("app-1", false)).isTrue();
            assertThat(check("app-1", false)).isFalse();
            assertThat(share(10)).containsOnlyKeys("app-2");
            assertThat(router.status().get(0).endpointsInRotation()).isEqualTo(1);
            now += Duration.ofHours(1).toNanos();
            assertThat(share(10)).as("no request probes it").containsOnlyKeys("app-2");

            assertThat(check("app-1", true)).isTrue();
            assertThat(share(200).get("app-1")).isBetween(9L, 11L);
            now += Health.SLOW_START_NANOS;
            assertThat(share(10)).isEqualTo(Map.of("app-1", 5L, "app-2", 5L));
        }

        @Test
        void aNewEndpointWaitsForItsFirstCheckAndThenGetsItsFullShare() {
            router.replace(List.of(checked("app", 1)));
            router.replace(List.of(checked("app", 2)));
            assertThat(share(10)).containsOnlyKeys("app-1");

            assertThat(check("app-2", true))
                    .as("it is new rather than returning")
                    .isFalse();
            assertThat(share(10)).isEqualTo(Map.of("app-1", 5L, "app-2", 5L));
        }

        @Test
        void whenAllAreUnhealthyTheyAreTriedAnyway() {
            router.replace(List.of());
            router.replace(List.of(checked("app", 2)));

            assertThat(share(10)).containsOnlyKeys("app-1", "app-2");
            deliver("GET");
            assertThat(router.status().get(0).up())
                    .as("a response is not a check")
                    .isFalse();
        }

        @ParameterizedTest
        @CsvSource({"UNREACHABLE, true", "BROKEN, false", "TIMED_OUT, false"})
        void aSuccessEndsTheEjectionOfAnUnreachableEndpointOnly(Outcome outcome, boolean back) {
            router.replace(List.of(checked("app", 2)));
            open("app-1").report(outcome);
            check("app-1", true);

            assertThat(share(40).containsKey("app-1")).isEqualTo(back);
        }

        @Test
        void anUnhealthyEndpointIsOutForServicesWithoutChecksToo() {
            Service asking = checked("app", 2);
            Service other = Service.named("other").endpoints(asking.endpoints()).build();
            router.replace(List.of(asking, other));
            check("app-1", false);
            check("app-1", false);
            router.replace(List.of(asking, other));

            assertThat(share(10)).containsOnlyKeys("app-2");
        }

        @Test
        void theirResultsAreForgottenWhenChecksAreTurnedOff() {
            router.replace(List.of(checked("app", 2)));
            check("app-1", false);
            check("app-1", false);
            router.replace(List.of(service("app", 2)));

            assertThat(share(10)).containsOnlyKeys("app-1", "app-2");
            assertThat(check("unknown", false)).isFalse();
        }

        private boolean check(String id, boolean passed) {
            return router.checked(TestEndpoints.of(id), passed, passed ? "status 200" : "status 500");
        }

        private Service checked(String name, int replicas) {
            return service(name, replicas).toBuilder().health("/health").build();
        }
    }

    /** An instance may run for several seconds before it listens. */
    @Nested
    class Starting {

        @Test
        void anUnsentRequestMayWaitForANewEndpoint() {
            router.replace(List.of(service("app", 1)));
            assertThat(mayReopen(Outcome.UNREACHABLE))
                    .as("known from the start")
                    .isFalse();

            router.replace(List.of(service("app", 2)));
            assertThat(mayReopen(Outcome.UNREACHABLE)).isTrue();
            now += Duration.ofSeconds(10).toNanos() - 1;
            assertThat(mayReopen(Outcome.UNREACHABLE)).isTrue();
            now += 1;
            assertThat(mayReopen(Outcome.UNREACHABLE)).isFalse();
        }

        /** The endpoints of a file were there when Docker had not said anything yet. A dead one cost seconds. */
        @Test
        void aRequestDoesNotWaitForWhatASecondSourceHasFromTheStart() {
            router.replace(List.of());
            router.replaceAtStart(
                    List.of(service("app", 1).toBuilder().health("/health").build()));
            assertThat(mayReopen(Outcome.UNREACHABLE)).isFalse();
            assertThat(router.status().get(0).endpointsInRotation())
                    .as("checked or not")
                    .isZero();

            router.replace(List.of(service("app", 2)));
            assertThat(mayReopen(Outcome.UNREACHABLE)).as("joined later").isTrue();
        }

        @Test
        void aStartingEndpointIsProbedAfterASecondAndThenGetsItsFullShare() {
            router.replace(List.of(service("app", 1)));
            router.replace(List.of(service("app", 2)));
            open("app-2").report(Outcome.UNREACHABLE);
            assertThat(share(10)).containsOnlyKeys("app-1");
            now += Duration.ofSeconds(1).toNanos();
            open("app-2").report(Outcome.DELIVERED);

            assertThat(share(10)).isEqualTo(Map.of("app-1", 5L, "app-2", 5L));
        }

        @Test
        void anEndpointThatWasKnownAtTheStartIsProbedAfterASecondToo() {
            router.replace(List.of(service("app", 2)));
            open("app-2").report(Outcome.UNREACHABLE);
            now += Duration.ofSeconds(1).toNanos();
            open("app-2").report(Outcome.DELIVERED);

            assertThat(share(10)).isEqualTo(Map.of("app-1", 5L, "app-2", 5L));
        }

        @Test
        void anEndpointThatRefusesConnectionsAfterItsStartTimeIsEjected() {
            router.replace(List.of(service("app", 1)));
            router.replace(List.of(service("app", 2)));
            now += STARTED;
            open("app-2").report(Outcome.UNREACHABLE);
            now += Duration.ofSeconds(60).toNanos() - 1;

            assertThat(share(10)).containsOnlyKeys("app-1");
        }

        @ParameterizedTest
        @ValueSource(strings = {"BROKEN", "TIMED_OUT", "CLIENT_GONE"})
        void aRequestThatAnEndpointMayHaveProcessedDoesNotWait(Outcome outcome) {
            router.replace(List.of());
            router.replace(List.of(service("app", 2)));

            assertThat(mayReopen(outcome)).isFalse();
        }

        @Test
        void anEndpointThatHasRespondedHasStarted() {
            router.replace(List.of());
            router.replace(List.of(service("app", 1)));
            deliver("GET");

            assertThat(mayReopen(Outcome.UNREACHABLE)).isFalse();
        }

        @Test
        void withoutRetriesARequestDoesNotWait() {
            Router strict = new Router(attempt -> false, LoadBalancer.roundRobin(), () -> now);
            strict.replace(List.of());
            strict.replace(List.of(service("app", 1)));
            Delivery delivery = strict.open("", "/", "GET");
            delivery.next();
            delivery.report(Outcome.UNREACHABLE);

            assertThat(delivery.mayReopen()).isFalse();
        }

        private boolean mayReopen(Outcome outcome) {
            Delivery delivery = router.open("", "/", "POST");
            do {
                delivery.next();
            } while (delivery.report(outcome));
            delivery.close();
            return delivery.mayReopen();
        }
    }

    @Nested
    class SlowStart {

        @ParameterizedTest(name = "after {0} ms {1} of 200")
        @CsvSource({"0, 10", "1000, 18", "2500, 32", "5000, 55", "7500, 77", "9900, 99", "10000, 100", "3600000, 100"})
        void lastsTenSeconds(long millis, long expected) {
            router.replace(List.of(service("app", 2)));
            recover("app-1");
            now += Duration.ofMillis(millis).toNanos();

            assertThat(share(200).get("app-1")).isBetween(expected - 1, expected + 1);
        }

        @Test
        void splitsTheRestEvenlyAmongTheOthers() {
            router.replace(List.of(service("app", 4)));
            recover("app-1");
            now += Duration.ofSeconds(5).toNanos();
            Map<String, Long> share = share(4000);

            assertThat(share.get("app-1")).isBetween(548L, 552L);
            share.remove("app-1");
            assertThat(share).hasSize(3);
            assertThat(share.values()).allSatisfy(each -> assertThat(each).isBetween(1140L, 1160L));
        }

        @Test
        void givesTheRestToAnotherService() {
            router.replace(List.of(service("blue", 1), service("green", 1)));
            recover("blue-1");

            assertThat(share(200).get("green-1")).isBetween(189L, 191L);
        }

        @Test
        void doesNotApplyToNewEndpoints() {
            router.replace(List.of(service("app", 2)));
            share(10);
            router.replace(List.of(service("app", 4)));

            assertThat(share(100)).isEqualTo(Map.of("app-1", 25L, "app-2", 25L, "app-3", 25L, "app-4", 25L));
        }

        @Test
        void doesNotLimitASingleEndpoint() {
            router.replace(List.of(service("app", 1)));
            recover("app-1");

            assertThat(share(100)).isEqualTo(Map.of("app-1", 100L));
        }

        @Test
        void hasNoEffectWhenAllEndpointsRecover() {
            router.replace(List.of(service("app", 2)));
            now += STARTED;
            eject("app-1");
            open("app-2").report(Outcome.UNREACHABLE);
            now += Duration.ofSeconds(60).toNanos();
            deliver("GET");
            deliver("GET");
            assertThat(router.status().get(0).endpointsInRotation()).isEqualTo(2);

            assertThat(share(100).values()).allSatisfy(each -> assertThat(each).isBetween(45L, 55L));
        }

        @Test
        void endsWithTheNextFailure() {
            router.replace(List.of(service("app", 2)));
            recover("app-1");
            now += Duration.ofSeconds(9).toNanos();
            eject("app-1");

            assertThat(share(10)).containsOnlyKeys("app-2");
        }

        @Test
        void doesNotApplyToServicesWithoutEjection() {
            router.replace(
                    List.of(service("app", 2).toBuilder().retry(Duration.ZERO).build()));
            recover("app-1");

            assertThat(share(100)).isEqualTo(Map.of("app-1", 50L, "app-2", 50L));
        }

        @Test
        void appliesToLeastConnectionsToo() {
            router.replace(List.of(service("app", 2).toBuilder()
                    .balancer(LoadBalancer.leastConnections())
                    .build()));
            recover("app-1");
            now += Duration.ofSeconds(5).toNanos();
            Map<String, Integer> open = new HashMap<>();
            for (int i = 0; i < 300; i++) {
                open.merge(router.open("", "/", "GET").next().id(), 1, Integer::sum);
            }

            assertThat(open.get("app-1")).isBetween(100, 110); // 0.55 to 1
        }
    }

    @Test
    void aRemovedServiceStillMatchesForAMinute() {
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
    void duringAReplacementARequestSeesEitherSnapshot() throws Exception {
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
            public Endpoint endpoint(int index) {
                return TestEndpoints.of("e" + index);
            }

            @Override
            public Request request() {
                return new PlainRequest("", "/", "GET");
            }

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

            @Override
            public long recentNanos(int index) {
                return 0;
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

    /** Opens a request at this endpoint; requests that go to other endpoints first are closed. */
    private Delivery open(String id) {
        for (int i = 0; i < 100; i++) {
            Delivery delivery = router.open("", "/", "GET");
            if (delivery.next().id().equals(id)) {
                opened.add(delivery);
                return delivery;
            }
            delivery.close();
        }
        throw new AssertionError(id + " gets no request");
    }

    private List<String> triedByARequest(Outcome outcome) {
        return triedByARequest("", outcome);
    }

    /** The endpoints that one request tries, in order, if each attempt has this outcome. */
    private List<String> triedByARequest(String host, Outcome outcome) {
        List<String> tried = new ArrayList<>();
        Delivery delivery = router.open(host, "/", "GET");
        Endpoint next = delivery.next();
        while (next != null) {
            tried.add(next.id());
            next = delivery.report(outcome) ? delivery.next() : null;
        }
        delivery.close();
        return tried;
    }

    private String deliver(String method) {
        Delivery delivery = router.open("", "/", method);
        String id = delivery.next().id();
        delivery.report(Outcome.DELIVERED);
        delivery.close();
        return id;
    }

    private Map<String, Long> share(int requests) {
        return share("GET", requests);
    }

    private Map<String, Long> share(String method, int requests) {
        Map<String, Long> share = new HashMap<>();
        for (int i = 0; i < requests; i++) {
            Delivery delivery = router.open("", "/", method);
            share.merge(delivery.next().id(), 1L, Long::sum);
            delivery.report(Outcome.CLIENT_GONE);
            delivery.close();
        }
        return share;
    }

    private void eject(String id) {
        open(id).report(Outcome.BROKEN);
    }

    /** Ejects an endpoint and lets its next probe succeed. */
    private void recover(String id) {
        eject(id);
        now += Duration.ofSeconds(60).toNanos();
        open(id).report(Outcome.DELIVERED);
        for (Delivery delivery : opened) {
            delivery.close();
        }
    }
}
