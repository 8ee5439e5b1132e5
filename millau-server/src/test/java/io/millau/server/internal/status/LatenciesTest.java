package io.millau.server.internal.status;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LatenciesTest {

    private final Latencies latencies = new Latencies();

    private void seconds(int number) {
        for (int i = 0; i < number; i++) {
            latencies.tick();
        }
    }

    @Test
    void withoutResponsesThereIsNoQuantile() {
        assertThat(latencies.quantile(0.5)).isNull();
        seconds(100);
        assertThat(latencies.quantile(0.5)).isNull();
    }

    /** Never less than the true latency, and at most an eighth more. */
    @ParameterizedTest
    @ValueSource(longs = {32, 33, 63, 64, 1000, 1023, 1024, 30_000, 999_999, 1_048_576, 30_000_000, 134_000_000})
    void theLatencyOfOneResponseIsExactToAnEighth(long micros) {
        latencies.count(TimeUnit.MICROSECONDS.toNanos(micros));

        assertThat(latencies.quantile(0.5)).isBetween(micros / 1000.0, micros / 1000.0 * 9 / 8);
        assertThat(latencies.quantile(0.99)).isEqualTo(latencies.quantile(0.5));
    }

    @Test
    void extremeLatenciesCountInTheFirstAndLastBucket() {
        latencies.count(-1);
        latencies.count(0);
        assertThat(latencies.quantile(1)).isLessThanOrEqualTo(0.036);
        latencies.count(Long.MAX_VALUE);
        assertThat(latencies.quantile(1)).isBetween(134_000.0, 135_000.0);
    }

    @Test
    void quantilesAreExactToAnEighth() {
        SplittableRandom random = new SplittableRandom(7);
        long[] micros = LongStream.generate(() -> (long) Math.pow(10, 2 + 4 * random.nextDouble()))
                .limit(10_000)
                .toArray();
        for (long each : micros) {
            latencies.count(TimeUnit.MICROSECONDS.toNanos(each));
        }
        Arrays.sort(micros);
        for (double part : new double[] {0.01, 0.5, 0.9, 0.99, 1}) {
            double exact = micros[(int) Math.ceil(part * micros.length) - 1] / 1000.0;

            assertThat(latencies.quantile(part)).as("%s", part).isBetween(exact, exact * 9 / 8 + 0.001);
        }
    }

    @Test
    void latenciesOlderThanAMinuteAreForgotten() {
        seconds(3);
        latencies.count(TimeUnit.SECONDS.toNanos(20));
        seconds(50);
        assertThat(latencies.quantile(0.5)).as("still within the last minute").isBetween(20_000.0, 22_500.0);
        latencies.count(TimeUnit.MILLISECONDS.toNanos(5));
        seconds(10);
        assertThat(latencies.quantile(1)).isBetween(5.0, 5.7);
        seconds(61);
        assertThat(latencies.quantile(1)).isNull();
    }

    /** A thousand idle services must not fill the memory: equal snapshots are kept once. */
    @Test
    void idleServicesTakeNoMemory() {
        latencies.count(1_000_000);
        seconds(6000);

        assertThat(latencies.copies()).isEqualTo(1);
    }

    @Test
    void nothingIsLostWhenManyThreadsCountDuringReads() throws Exception {
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> {
                for (int j = 0; j < 100_000; j++) {
                    latencies.count(1_000_000);
                }
            });
            threads[i].start();
        }
        while (Arrays.stream(threads).anyMatch(Thread::isAlive)) {
            Double median = latencies.quantile(0.5);
            assertThat(median == null || median >= 1 && median <= 1.125).isTrue();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        latencies.count(TimeUnit.SECONDS.toNanos(1));

        assertThat(latencies.quantile(399_999.5 / 400_001)).isLessThan(2);
        assertThat(latencies.quantile(1)).isGreaterThan(900);
    }
}
