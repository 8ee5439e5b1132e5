package io.millau.server.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.server.RecordedLog;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ThrottleTest {

    private static final long PAUSE = Duration.ofSeconds(10).toNanos();

    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - PAUSE / 2); // a ticker may overflow
    private final RecordedLog log = new RecordedLog();
    private final Throttle throttle = new Throttle(now::get);

    @Test
    void theFirstLineIsLoggedAndThenOneInTenSecondsWithTheNumberOfSuppressedOnes() {
        throttle.warn(log, () -> "one");
        throttle.warn(log, () -> "two");
        now.addAndGet(PAUSE - 1);
        throttle.warn(log, () -> "three");
        assertThat(log.lines).containsExactly("WARN one");

        now.addAndGet(1);
        throttle.warn(log, () -> "four");
        assertThat(log.lines).containsExactly("WARN one", "WARN four others=2");
        now.addAndGet(PAUSE);
        throttle.warn(log, () -> "five");
        assertThat(log.lines.get(2)).isEqualTo("WARN five");
    }

    @Test
    void aSuppressedLineIsNotBuilt() {
        AtomicInteger made = new AtomicInteger();
        for (int i = 0; i < 100; i++) {
            throttle.warn(log, () -> "line " + made.incrementAndGet());
        }

        assertThat(made).hasValue(1);
    }

    @Test
    void bracesInAMessageAreNotPlaceholders() {
        throttle.warn(log, () -> "path={} {}");

        assertThat(log.lines).containsExactly("WARN path={} {}");
    }

    @Test
    void ofConcurrentLinesOneIsLoggedAndAllOthersAreCounted() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        CountDownLatch go = new CountDownLatch(1);
        for (int i = 0; i < 8; i++) {
            threads.execute(() -> {
                try {
                    go.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                for (int j = 0; j < 1000; j++) {
                    throttle.warn(log, () -> "line");
                }
            });
        }
        go.countDown();
        threads.shutdown();
        assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        assertThat(log.lines).hasSize(1);

        now.addAndGet(PAUSE);
        throttle.warn(log, () -> "last");
        int counted = log.lines.stream()
                .map(line -> line.replaceFirst(".*?(?:others=(\\d+))?$", "0$1"))
                .mapToInt(Integer::parseInt)
                .sum();
        assertThat(counted).isEqualTo(8 * 1000 - 1);
    }
}
