package io.millau.server.internal.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GzipPoolTest {

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "32, 2, 7", "64, 2, 15", "64, 1, 30", "1024, 2, 64", "1024, 64, 7", "100000, 2, 64"})
    void aSmallHeapHasRoomForFew(long heapMegabytes, int threads, int most) {
        assertThat(GzipPool.most(heapMegabytes * 1024 * 1024, threads)).isEqualTo(most);
    }
}
