package io.millau.core.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FreePortsTest {

    /** Pebble got the same port for two listeners, and a build failed. */
    @Test
    void noPortIsReturnedTwice() {
        assertThat(IntStream.range(0, 250).map(any -> FreePorts.next()))
                .doesNotHaveDuplicates()
                .allMatch(port -> port > 20_000 && port < 32_100);
    }
}
