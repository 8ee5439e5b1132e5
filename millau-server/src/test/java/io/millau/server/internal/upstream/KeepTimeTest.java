package io.millau.server.internal.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class KeepTimeTest {

    private final KeepTime keepTime = new KeepTime();

    private static long millis(long millis) {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    @Test
    void untilAConnectionIsClosedAnyIsTrusted() {
        assertThat(keepTime.trusted(0)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void theEarliestCloseCounts() {
        keepTime.closed(millis(5000), 0);
        keepTime.closed(millis(100), 1);
        keepTime.closed(millis(3000), 2);

        assertThat(keepTime.trusted(3)).isEqualTo(millis(50));
    }

    @Test
    void anEndpointThatClosesAtOnceKeepsNone() {
        keepTime.closed(millis(19), 0);

        assertThat(keepTime.trusted(1)).isZero();
    }

    /** Each request shows it again, so that an endpoint in use is not forgotten. */
    @Test
    void aCloseAboutAsEarlyConfirmsIt() {
        keepTime.closed(0, 0);
        keepTime.closed(millis(5), millis(50_000));

        assertThat(keepTime.trusted(millis(100_000))).isZero();
        assertThat(keepTime.trusted(millis(110_001))).isEqualTo(Long.MAX_VALUE);
    }

    /** It was configured to keep connections for longer. */
    @Test
    void aMuchLaterCloseDoesNotConfirmIt() {
        keepTime.closed(0, 0);
        keepTime.closed(millis(5000), millis(50_000));
        assertThat(keepTime.trusted(millis(50_001))).isZero();

        keepTime.closed(millis(5000), millis(70_000));
        assertThat(keepTime.trusted(millis(70_001))).isEqualTo(millis(2500));
    }
}
