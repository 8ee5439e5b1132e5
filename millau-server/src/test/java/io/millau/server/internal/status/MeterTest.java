package io.millau.server.internal.status;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class MeterTest {

    private final Meter meter = new Meter();

    private void seconds(int number, int countedInEach) {
        for (int i = 0; i < number; i++) {
            for (int j = 0; j < countedInEach; j++) {
                meter.count();
            }
            meter.tick(1);
        }
    }

    @Test
    void aConstantRateIsShown() {
        seconds(30, 40);

        assertThat(meter.perSecond()).isCloseTo(40, Offset.offset(0.1));
        assertThat(meter.total()).isEqualTo(1200);
    }

    @Test
    void aBurstCountsAQuarterAtOnceAndFades() {
        seconds(1, 100);
        assertThat(meter.perSecond()).isEqualTo(25);
        seconds(1, 0);
        assertThat(meter.perSecond()).isEqualTo(18.75);
    }

    @Test
    void theRateIsZeroTwentySecondsAfterTheLastEvent() {
        seconds(1, 4);
        seconds(18, 0);
        assertThat(meter.perSecond()).isPositive();
        seconds(2, 0);
        assertThat(meter.perSecond()).isZero();
    }

    @Test
    void aTickMayTakeLongerThanASecond() {
        for (int i = 0; i < 30; i++) {
            for (int j = 0; j < 40; j++) {
                meter.count();
            }
            meter.tick(2);
        }

        assertThat(meter.perSecond()).isCloseTo(20, Offset.offset(0.1));
    }

    @Test
    void withoutEventsTheRateIsZero() {
        seconds(5, 0);
        assertThat(meter.perSecond()).isZero();
    }
}
