package io.millau.acme;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * A name that couldn't be proved, as the store keeps it: CAs count that, whichever replica fails, and however often it is
 * started.
 *
 * @param failures how many there were in a row
 * @param until no replica should order before
 */
record StoredFailure(int failures, Instant until) {

    private static final String FAILURES = "failures";
    private static final String UNTIL = "until";

    /** How long others wait at most: who has repaired something and starts again wants to see it work. */
    private static final Duration LONGEST = Duration.ofMinutes(10);

    /** @param pause of the replica itself, which is a little longer */
    static StoredFailure of(int failures, Duration pause, Instant now) {
        Duration shorter = pause.multipliedBy(2).dividedBy(3);
        Duration noted = shorter.compareTo(LONGEST) < 0 ? shorter : LONGEST;
        return new StoredFailure(failures, now.plus(noted).truncatedTo(ChronoUnit.SECONDS));
    }

    byte[] bytes() {
        return (Header.line(FAILURES, failures) + Header.line(UNTIL, until)).getBytes(StandardCharsets.UTF_8);
    }

    /** Empty if it can't be read: as if nothing had failed. */
    static Optional<StoredFailure> parse(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        try {
            int failures = Integer.parseInt(Header.get(text, FAILURES));
            return Optional.of(new StoredFailure(failures, Instant.parse(Header.get(text, UNTIL))));
        } catch (DateTimeException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
