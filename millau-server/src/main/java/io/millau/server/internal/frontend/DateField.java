package io.millau.server.internal.frontend;

import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The Date of responses that this proxy makes itself (RFC 9110, 6.6.1). Its text is kept for a second. Safe for use by several threads. */
public final class DateField {

    /** Of RFC 9110, 5.6.7; the JDK's own format has days of one digit. */
    private static final DateTimeFormatter FORMAT = DateTimeFormatter.ofPattern(
                    "EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US)
            .withZone(ZoneOffset.UTC);

    private record Known(long second, String text) {}

    private final InstantSource clock;

    /** Threads that find it outdated at the same time make the same text. */
    private volatile @Nullable Known known;

    public DateField(InstantSource clock) {
        this.clock = clock;
    }

    /** Adds it to the fields of a response that has none yet. */
    public void addTo(HeaderMap headers) {
        if (!headers.contains(Headers.DATE)) {
            headers.put(Headers.DATE, text());
        }
    }

    String text() {
        long second = Math.floorDiv(clock.millis(), 1000);
        Known last = known;
        if (last == null || last.second != second) {
            last = new Known(second, FORMAT.format(Instant.ofEpochSecond(second)));
            known = last;
        }
        return last.text;
    }
}
