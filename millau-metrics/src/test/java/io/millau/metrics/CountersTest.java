package io.millau.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CountersTest {

    @Test
    void theCountsOfAllThreadsAddUpAndDoNotMix() throws Exception {
        int count = 17;
        int threads = 9;
        Counters counters = new Counters(count);
        List<Thread> all = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            Thread thread = new Thread(() -> {
                for (int n = 0; n < 10_000; n++) {
                    counters.add(Counters.copy(), n % count, n % count + 1);
                }
            });
            thread.start();
            all.add(thread);
        }
        for (Thread thread : all) {
            thread.join();
        }
        for (int i = 0; i < count; i++) {
            int index = i;
            long each =
                    IntStream.range(0, 10_000).filter(n -> n % count == index).count();
            assertThat(counters.sum(i)).isEqualTo(threads * each * (i + 1));
        }
    }

    @Test
    void theFirstFittingBoundIsChosen() {
        Histogram histogram = new Histogram(new Counters(2 + Histogram.LENGTH), 2);
        for (long nanos : new long[] {0, 5_000_000, 5_000_001, 300_000_000, 1_200_000_000, 30_000_000_001L}) {
            histogram.observe(Counters.copy(), nanos);
        }
        assertThat(histogram.counts()).containsExactly(2, 3, 3, 3, 3, 4, 4, 5, 5, 5, 5, 5, 6);
        assertThat(histogram.seconds()).isEqualTo(31.510000002, within(1e-9));
    }
}
