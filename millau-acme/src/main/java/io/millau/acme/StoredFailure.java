package io.millau.acme;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * A failed validation of a name, in the store: CAs limit the number of failures, of all replicas and across restarts
 * together. Immutable.
 *
 * @param failures how many in a row
 * @param until when no replica should order
 */
record StoredFailure(int failures, Instant until) {

    private static final String FAILURES = "failures";
    private static final String UNTIL = "until";

    /** The longest wait. After fixing the cause and restarting, the operator should soon see the result. */
    private static final Duration LONGEST = Duration.ofMinutes(10);

    /** @param pause of the replica that failed; the stored one is shorter */
    static StoredFailure of(int failures, Duration pause, Instant now) {
        Duration shorter = pause.multipliedBy(2).dividedBy(3);
        Duration noted = shorter.compareTo(LONGEST) < 0 ? shorter : LONGEST;
        return new StoredFailure(failures, now.plus(noted).truncatedTo(ChronoUnit.SECONDS));
    }

    byte[] bytes() {
        return (Header.line(FAILURES, failures) + Header.line(UNTIL, until)).getBytes(StandardCharsets.UTF_8);
    }

    /** Returns empty if it can't be read. */
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
