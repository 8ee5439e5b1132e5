package io.millau.server.internal.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.SocketException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OpenFilesTest {

    @ParameterizedTest
    @CsvSource({
        "256, 96",
        "1024, 480",
        "1048576, 524256",
        "1073741816, 1000000",
        "unlimited, 1000000",
        "20, 16",
    })
    void clientsAndEndpointsShareWhatIsNotReserved(String files, int each) {
        String limits = """
                Limit                     Soft Limit           Hard Limit           Units
                Max processes             63426                63426                processes
                Max open files            %-20s 1048576              files
                """;
        assertThat(OpenFiles.forEachSide(limits.formatted(files))).isEqualTo(each);
    }

    @Test
    void withoutALimitThereIsNone() {
        assertThat(OpenFiles.forEachSide("")).isEqualTo(1_000_000);
        assertThat(OpenFiles.forEachSide()).isPositive();
    }

    @Test
    void aFaultOfOurOwnIsRecognized() {
        assertThat(OpenFiles.areExhausted(new SocketException("Too many open files")))
                .isTrue();
        assertThat(OpenFiles.areExhausted(new IOException("Too many open files in system")))
                .isTrue();
        assertThat(OpenFiles.areExhausted(new IOException("Connection refused")))
                .isFalse();
        assertThat(OpenFiles.areExhausted(new IOException())).isFalse();
    }
}
