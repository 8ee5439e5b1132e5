package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class WaitingLineTest {

    private final WaitingLine line = new WaitingLine();

    @Test
    void asManyWaitAsMay() {
        assertThat(join(1)).isNotNull();
        assertThat(join(1)).isNull();
        assertThat(join(2)).isNotNull();
        assertThat(line.size()).isEqualTo(2);
    }

    @Test
    void whoHasAPlaceAndIsAboutToLeaveDoesNotCount() {
        WaitingLine.Waiter first = join(1);
        first.looks();
        assertThat(join(1)).isNotNull();
        first.leave();
        assertThat(line.size()).isEqualTo(1);
    }

    /** Of 16 clients at 8 places, one was refused: places and line were counted at two moments. */
    @Test
    void countsAgainIfSomeoneLeftMeanwhile() {
        AtomicReference<WaitingLine.Waiter> first = new AtomicReference<>(join(1));
        assertThat(line.join(() -> {}, () -> {
                    WaitingLine.Waiter leaves = first.getAndSet(null);
                    if (leaves != null) {
                        leaves.leave();
                    }
                    return 1;
                }))
                .isNotNull();
        assertThat(line.size()).isEqualTo(1);
    }

    private WaitingLine.Waiter join(int most) {
        return line.join(() -> {}, () -> most);
    }
}
