package io.millau.server.internal.frontend;

import static org.assertj.core.api.Assertions.assertThat;

import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class DateFieldTest {

    private Instant now = Instant.parse("2030-01-01T12:00:00.9Z");
    private final DateField date = new DateField(() -> now);

    @Test
    void theTextIsMadeOnceASecond() {
        String first = date.text();
        now = now.plusMillis(99);

        assertThat(date.text()).isSameAs(first).isEqualTo("Tue, 01 Jan 2030 12:00:00 GMT");
        now = now.plusMillis(1);
        assertThat(date.text()).isEqualTo("Tue, 01 Jan 2030 12:00:01 GMT");
    }

    @Test
    void aClockThatIsSetBackIsFollowed() {
        date.text();
        now = now.minusSeconds(3600);

        assertThat(date.text()).isEqualTo("Tue, 01 Jan 2030 11:00:00 GMT");
    }

    @Test
    void theDateOfAResponseStays() {
        HeaderMap headers = new HeaderMap().put(Headers.DATE, "Mon, 31 Dec 2029 23:00:00 GMT");
        date.addTo(headers);

        assertThat(headers.get(Headers.DATE)).containsExactly("Mon, 31 Dec 2029 23:00:00 GMT");
    }
}
