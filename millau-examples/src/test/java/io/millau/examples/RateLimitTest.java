package io.millau.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RateLimitTest {

    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - SECOND); // may overflow, as nanoTime may

    private RateLimit tenInTenSeconds(int maxClients) {
        return new RateLimit(10, Duration.ofSeconds(10), maxClients, now::get);
    }

    private static void empty(RateLimit limit, String client) {
        for (int i = 0; i < 10; i++) {
            assertThat(limit.take(client)).isZero();
        }
    }

    @Test
    void aBucketIsFullAtFirstAndFillsEvenly() {
        RateLimit limit = tenInTenSeconds(100);
        empty(limit, "a");
        assertThat(limit.take("a")).isEqualTo(SECOND);
        assertThat(limit.take("b")).isZero();

        now.addAndGet(SECOND - 1);
        assertThat(limit.take("a")).isEqualTo(1);
        now.addAndGet(1);
        assertThat(limit.take("a")).isZero();
        assertThat(limit.take("a")).isEqualTo(SECOND);

        now.addAndGet(3600 * SECOND);
        empty(limit, "a");
        assertThat(limit.take("a")).isEqualTo(SECOND);
    }

    @Test
    void bucketsThatAreFullAreForgottenForNewOnes() {
        RateLimit limit = tenInTenSeconds(3);
        limit.take("a");
        limit.take("b");
        now.addAndGet(SECOND);
        empty(limit, "c");

        assertThat(limit.take("d")).isZero();
        assertThat(limit.clients()).isEqualTo(2);
        assertThat(limit.take("c")).isEqualTo(SECOND);
    }

    /** Many addresses are cheap: they must neither take the memory, nor have others' buckets forgotten. */
    @Test
    void newcomersShareABucketWhileAllOthersAreInUse() {
        RateLimit limit = tenInTenSeconds(2);
        empty(limit, "a");
        empty(limit, "b");

        for (int i = 0; i < 10; i++) {
            assertThat(limit.take("new " + i)).isZero();
        }
        assertThat(limit.take("another")).isEqualTo(SECOND);
        assertThat(limit.take("a")).isEqualTo(SECOND);
        assertThat(limit.clients()).isEqualTo(2);

        now.addAndGet(10 * SECOND);
        empty(limit, "another");
        assertThat(limit.clients()).isEqualTo(1);
    }

    @Test
    void exactlyTheTokensAreGivenHoweverManyThreadsTakeThem() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            for (int round = 0; round < 200; round++) {
                RateLimit limit = tenInTenSeconds(100);
                List<Callable<Boolean>> requests = Collections.nCopies(40, () -> limit.take("a") == 0);
                int given = 0;
                for (Future<Boolean> request : threads.invokeAll(requests)) {
                    given += request.get() ? 1 : 0;
                }
                assertThat(given).isEqualTo(10);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void aLimitThatMeansNothingIsRefused() {
        assertThatThrownBy(() -> RateLimit.of(0, Duration.ofSeconds(1), now::get))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("0 requests per PT1S: expected at least one, and at most one per nanosecond");
    }
}
