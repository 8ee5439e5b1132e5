package io.millau.server.internal.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class MovableTickerTest {

    private final MovableTicker ticker = new MovableTicker();

    private void advance(Duration by) {
        ticker.stand();
        ticker.move(by.toNanos());
        ticker.goOn();
    }

    @Test
    void itIsAheadOfTheSystemByWhatWasAdvanced() {
        advance(Duration.ofHours(1));
        advance(Duration.ofHours(1));

        assertThat(ticker.nanoTime() - System.nanoTime())
                .isBetween(
                        Duration.ofMinutes(119).toNanos(),
                        Duration.ofMinutes(120).toNanos());
    }

    @Test
    void whileItStandsOnlyATestMovesIt() {
        ticker.stand();
        long before = ticker.nanoTime();
        for (long now = System.nanoTime(); System.nanoTime() == now; ) {
            Thread.onSpinWait();
        }
        assertThat(ticker.nanoTime()).isEqualTo(before);

        ticker.move(5);
        assertThat(ticker.nanoTime()).isEqualTo(before + 5);

        ticker.goOn();
        for (long now = ticker.nanoTime(); ticker.nanoTime() == now; ) {
            Thread.onSpinWait();
        }
        assertThat(ticker.nanoTime()).isGreaterThan(before + 5);
    }

    @Test
    void oneActionMayLookAtItEarlier() {
        ticker.runEarlier(
                Duration.ofHours(1),
                () -> assertThat(ticker.nanoTime() - System.nanoTime())
                        .isLessThan(-Duration.ofMinutes(59).toNanos()));

        assertThat(ticker.nanoTime() - System.nanoTime())
                .isGreaterThan(-Duration.ofMinutes(1).toNanos());
    }
}
