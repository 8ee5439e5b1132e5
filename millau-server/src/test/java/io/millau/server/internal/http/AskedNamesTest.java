package io.millau.server.internal.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import org.junit.jupiter.api.Test;

class AskedNamesTest {

    @Test
    void aNameIsMadeOnce() {
        assertThat(AskedNames.of("X-Asked"))
                .isEqualTo(new HttpString("x-asked"))
                .isSameAs(AskedNames.of("X-Asked"));
    }

    @Test
    void whatCanNotBeANameIsNone() {
        assertThat(AskedNames.of("grün-Ω")).isNull();
        assertThat(AskedNames.of("grün-Ω")).isNull();
        assertThat(AskedNames.first(new HeaderMap(), "grün-Ω")).isNull();
    }

    /** More names than places, as a program may ask for any. */
    @Test
    void namesThatShareAPlaceAreToldApart() {
        HeaderMap fields = new HeaderMap();
        for (int i = 0; i < 1000; i++) {
            fields.put(new HttpString("X-" + i), String.valueOf(i));
        }
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 1000; i++) {
                assertThat(AskedNames.first(fields, "x-" + i)).isEqualTo(String.valueOf(i));
            }
        }
        assertThat(AskedNames.of("x".repeat(10_000))).isNotNull().isNotSameAs(AskedNames.of("x".repeat(10_000)));
    }
}
