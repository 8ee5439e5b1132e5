package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** {@link LoadBalancer#hashing}: which endpoint belongs to a key, and what becomes of it when endpoints come and go. */
class HashingTest {

    private static final int KEYS = 10_000;

    private final LoadBalancer balancer = LoadBalancer.hashing(Request::path);

    /** Endpoints with the ids that containers have, or addresses. */
    private static List<Endpoint> endpoints(int number) {
        return IntStream.range(0, number)
                .mapToObj(i -> TestEndpoints.of("10.0.0." + i + ":8080"))
                .toList();
    }

    private Map<String, Endpoint> owners(List<Endpoint> endpoints) {
        Map<String, Endpoint> owners = new TreeMap<>();
        for (int i = 0; i < KEYS; i++) {
            String key = "user-" + i;
            owners.put(key, endpoints.get(balancer.choose(candidates(endpoints, key, 0))));
        }
        return owners;
    }

    private static LoadBalancer.Candidates candidates(List<Endpoint> endpoints, String key, int turn) {
        return new LoadBalancer.Candidates() {
            @Override
            public int size() {
                return endpoints.size();
            }

            @Override
            public int turn() {
                return turn;
            }

            @Override
            public Endpoint endpoint(int index) {
                return endpoints.get(index);
            }

            @Override
            public Request request() {
                return new PlainRequest("", key, "GET");
            }

            @Override
            public int openRequests(int index) {
                return 0;
            }

            @Override
            public long recentNanos(int index) {
                return 0;
            }
        };
    }

    @Test
    void keysAreSpreadEvenly() {
        List<Endpoint> ten = endpoints(10);
        Map<String, Endpoint> owners = owners(ten);

        for (Endpoint endpoint : ten) {
            assertThat(Collections.frequency(owners.values(), endpoint))
                    .isBetween(KEYS / 10 * 8 / 10, KEYS / 10 * 12 / 10);
        }
    }

    @Test
    void onlyTheKeysOfAnEndpointThatLeavesMove() {
        List<Endpoint> ten = endpoints(10);
        Endpoint leaves = ten.get(3);
        Map<String, Endpoint> before = owners(ten);
        Map<String, Endpoint> after =
                owners(ten.stream().filter(endpoint -> endpoint != leaves).toList());

        List<Endpoint> heirs = new ArrayList<>();
        before.forEach((key, owner) -> {
            if (owner == leaves) {
                heirs.add(after.get(key));
            } else {
                assertThat(after).containsEntry(key, owner);
            }
        });
        assertThat(heirs.stream().distinct())
                .as("they are spread over the others")
                .hasSize(9);
    }

    @Test
    void theOrderOfTheEndpointsDoesNotMatter() {
        List<Endpoint> reversed = new ArrayList<>(endpoints(10));
        Collections.reverse(reversed);

        assertThat(owners(reversed)).isEqualTo(owners(endpoints(10)));
    }

    @Test
    void endpointsTakeTurnsWithoutAKey() {
        for (LoadBalancer without :
                List.of(LoadBalancer.hashing(request -> null), LoadBalancer.hashing(request -> ""))) {
            assertThat(IntStream.range(0, 4)
                            .map(turn -> without.choose(candidates(endpoints(3), "/", turn)))
                            .boxed())
                    .containsExactly(0, 1, 2, 0);
        }
    }

    @Test
    void aRetryGoesToTheEndpointThatIsNextForTheKey() {
        Router router = new Router(RetryPolicy.standard(), balancer, Ticker.system());
        List<Endpoint> left = new ArrayList<>(endpoints(5));
        router.replace(List.of(Service.named("app").endpoints(left).build()));
        Delivery delivery = router.open("", "/key", "GET");

        while (!left.isEmpty()) {
            Endpoint expected = left.get(balancer.choose(candidates(left, "/key", 0)));
            assertThat(delivery.next()).isEqualTo(expected);
            assertThat(delivery.report(Outcome.UNREACHABLE)).isEqualTo(left.size() > 1);
            left.remove(expected);
        }
    }
}
