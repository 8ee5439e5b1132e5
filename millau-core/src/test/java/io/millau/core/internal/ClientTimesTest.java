package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClientTimesTest {

    private static final long TOKEN = 1_000;
    private static final int BURST = 10;
    private static final int MILLION = 1_000_000;

    private final ClientTimes times = new ClientTimes(TOKEN, BURST * TOKEN, 32 * 1024 * 1024);
    private long now = Long.MAX_VALUE - TOKEN; // may overflow, as nanoTime may

    private long take(long client) {
        return times.take(client, now);
    }

    private void takeAll(long client) {
        for (int i = 0; i < BURST; i++) {
            assertThat(take(client)).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, 7, Long.MIN_VALUE, Long.MAX_VALUE})
    void aBucketIsFullAtFirstAndFillsEvenly(long client) {
        takeAll(client);
        assertThat(take(client)).isEqualTo(TOKEN);

        now += TOKEN - 1;
        assertThat(take(client)).isEqualTo(1);
        now++;
        assertThat(take(client)).isZero();
        assertThat(take(client)).isEqualTo(TOKEN);

        now += 1000 * TOKEN;
        takeAll(client);
        assertThat(take(client)).isEqualTo(TOKEN);
    }

    @Test
    void clientsDoNotShareBuckets() {
        for (int client = 1; client <= 100_000; client++) {
            assertThat(take(client)).isZero();
        }
        for (int client = 1; client <= 100_000; client++) {
            for (int i = 1; i < BURST; i++) {
                assertThat(take(client)).isZero();
            }
            assertThat(take(client)).isEqualTo(TOKEN);
        }
    }

    /** The least that there is: many more clients than places. */
    @Test
    void aSmallTableIsNotOutgrown() {
        ClientTimes small = new ClientTimes(TOKEN, BURST * TOKEN, 0);
        for (int client = 1; client <= 100_000; client++) {
            assertThat(small.take(client, now)).isZero();
        }
    }

    /** A million are kept apart; many more take no more memory, and only few that are in use are forgotten. */
    @Test
    void aMillionClientsHaveBucketsOfTheirOwn() {
        int forgotten = 0;
        for (int client = 1; client <= MILLION; client++) {
            takeAll(client);
        }
        for (int client = 1; client <= MILLION; client++) {
            forgotten += take(client) == 0 ? 1 : 0;
        }
        assertThat(forgotten).isLessThan(MILLION / 40);

        for (int client = 1; client <= 3 * MILLION; client++) {
            take(client);
        }
        now += BURST * TOKEN;
        takeAll(1);
        assertThat(take(1)).isEqualTo(TOKEN);
    }

    @Test
    void exactlyTheTokensAreGivenHoweverManyThreadsTakeThem() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            for (int round = 1; round <= 500; round++) {
                long client = round;
                List<Callable<Boolean>> requests = Collections.nCopies(4 * BURST, () -> take(client) == 0);
                int given = 0;
                for (Future<Boolean> request : threads.invokeAll(requests)) {
                    given += request.get() ? 1 : 0;
                }
                assertThat(given).isEqualTo(BURST);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    /** While the table grows, and several threads give places to the same clients. */
    @RepeatedTest(10)
    void exactlyTheTokensAreGivenToEachOfManyClientsAtOnce() throws Exception {
        int clients = 20_000;
        AtomicInteger[] given =
                IntStream.range(0, clients).mapToObj(i -> new AtomicInteger()).toArray(AtomicInteger[]::new);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        AtomicLong turn = new AtomicLong();
        try {
            Callable<Boolean> all = () -> {
                for (long next = turn.getAndIncrement(); next < clients * 2L * BURST; next = turn.getAndIncrement()) {
                    int client = (int) (next / (2L * BURST));
                    if (take(client + 1) == 0) {
                        given[client].incrementAndGet();
                    }
                }
                return true;
            };
            for (Future<Boolean> done : threads.invokeAll(Collections.nCopies(4, all))) {
                done.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(given).allSatisfy(tokens -> assertThat(tokens).hasValue(BURST));
    }
}
