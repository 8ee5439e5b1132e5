package io.millau.server.internal.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class MovableTickerTest {

    private final MovableTicker ticker = new MovableTicker();

    @Test
    void itIsAheadOfTheSystemByWhatWasAdvanced() {
        ticker.advance(Duration.ofHours(1));
        ticker.advance(Duration.ofHours(1));

        assertThat(ticker.nanoTime() - System.nanoTime())
                .isBetween(
                        Duration.ofMinutes(119).toNanos(),
                        Duration.ofMinutes(120).toNanos());
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
