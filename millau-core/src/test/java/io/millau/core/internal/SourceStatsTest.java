package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.SourceStatus;
import io.millau.core.testing.MovableClock;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class SourceStatsTest {

    private static final Instant NOON = Instant.parse("2030-01-01T12:00:00Z");

    private final SourceStats discovery = new SourceStats("engine", Clock.fixed(NOON, ZoneOffset.UTC));

    @Test
    void atFirstThereIsNeitherSuccessNorTrouble() {
        assertThat(discovery.status()).isEqualTo(SourceStatus.of("engine", null, null, 0, 0, Duration.ZERO));
    }

    @Test
    void aSuccessIsRecordedAsTheLast() {
        discovery.heard();
        discovery.heard();
        discovery.looked(Duration.ofMillis(12));

        assertThat(discovery.status()).isEqualTo(SourceStatus.of("engine", NOON, null, 2, 0, Duration.ofMillis(12)));
    }

    @Test
    void theLastSuccessIsKeptDuringTrouble() {
        discovery.looked(Duration.ofMillis(12));
        discovery.failed("away");
        discovery.failed("refuses");
        assertThat(discovery.status())
                .isEqualTo(SourceStatus.of("engine", NOON, "refuses", 0, 2, Duration.ofMillis(12)));

        discovery.looked(Duration.ofMillis(7));
        assertThat(discovery.status()).isEqualTo(SourceStatus.of("engine", NOON, null, 0, 2, Duration.ofMillis(7)));
    }

    @Test
    void withoutAnySuccessThereIsOnlyTrouble() {
        discovery.failed("away");

        assertThat(discovery.status()).isEqualTo(SourceStatus.of("engine", null, "away", 0, 1, Duration.ZERO));
    }

    @Test
    void theTimeIsThatOfTheClock() {
        MovableClock clock = new MovableClock();
        SourceStats moving = new SourceStats("engine", clock);
        moving.looked(Duration.ZERO);
        Instant first = moving.status().lastSuccess();
        clock.forward(Duration.ofDays(1));
        moving.looked(Duration.ZERO);

        assertThat(moving.status().lastSuccess()).isAfterOrEqualTo(first.plus(Duration.ofDays(1)));
    }
}
