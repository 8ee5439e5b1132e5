package io.millau.acme;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * When to renew a certificate: at two thirds of its life, a little earlier at random so that not all are renewed at the same
 * time; or when its CA suggests it (RFC 9773), then at a random time in the window, but never in the last tenth of its life.
 * Pure functions.
 */
final class Renewal {

    /** The largest part of a life by which a renewal may be earlier. */
    private static final double EARLIER = 1 / 50.0;

    private Renewal() {}

    /**
     * What a CA suggests (RFC 9773, 4.2).
     *
     * @param askAgain when the CA wants to be asked again; empty if it doesn't say
     */
    record Window(Instant start, Instant end, Optional<Instant> askAgain) {}

    /** @param jitter from 0 to 1, the same for one certificate every time */
    static Instant due(Instant begins, Instant expires, Optional<Window> window, double jitter) {
        Duration life = Duration.between(begins, expires);
        if (window.isEmpty()) {
            return begins.plus(part(life, 2 / 3.0 - EARLIER * jitter));
        }
        Instant start = window.get().start();
        Instant suggested = start.plus(part(Duration.between(start, window.get().end()), jitter));
        Instant latest = begins.plus(part(life, 0.9));
        return suggested.isBefore(latest) ? suggested : latest;
    }

    private static Duration part(Duration all, double part) {
        return Duration.ofMillis((long) (all.toMillis() * part));
    }
}
