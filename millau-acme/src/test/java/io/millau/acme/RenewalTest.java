package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RenewalTest {

    private static final Instant BEGINS = Instant.parse("2026-01-01T00:00:00Z");
    private static final Instant EXPIRES = BEGINS.plus(Duration.ofDays(90));

    private static Instant day(double days) {
        return BEGINS.plus(Duration.ofMillis((long) (days * Duration.ofDays(1).toMillis())));
    }

    private static Optional<Renewal.Window> window(double start, double end) {
        return Optional.of(new Renewal.Window(day(start), day(end), Optional.empty()));
    }

    @Test
    void renewalIsShortlyBeforeTwoThirdsOfTheLifetime() {
        assertThat(Renewal.due(BEGINS, EXPIRES, Optional.empty(), 0)).isEqualTo(day(60));
        assertThat(Renewal.due(BEGINS, EXPIRES, Optional.empty(), 1)).isEqualTo(day(58.2));
    }

    @Test
    void renewalIsInTheWindowThatTheCaSuggests() {
        assertThat(Renewal.due(BEGINS, EXPIRES, window(10, 12), 0.5)).isEqualTo(day(11));
        assertThat(Renewal.due(BEGINS, EXPIRES, window(70, 72), 0)).isEqualTo(day(70));
    }

    @Test
    void renewalIsImmediateIfTheSuggestedWindowIsPast() {
        assertThat(Renewal.due(BEGINS, EXPIRES, window(-2, -1), 0.5)).isBefore(BEGINS);
    }

    @Test
    void renewalIsNeverInTheLastTenthOfTheLifetime() {
        assertThat(Renewal.due(BEGINS, EXPIRES, window(85, 100), 0.9)).isEqualTo(day(81));
    }
}
