package io.millau.acme;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Decides when to renew a certificate: at two thirds of its life, a little earlier at random so that not all are
 * renewed together. If its CA suggests a window (RFC 9773), at a random time in the window, but before the last tenth
 * of its life. Pure functions.
 */
final class Renewal {

    /** The largest fraction of a life by which a renewal is earlier. */
    private static final double EARLIER = 1 / 50.0;

    private Renewal() {}

    /**
     * The renewal window that a CA suggests (RFC 9773, 4.2).
     *
     * @param askAgain when to ask the CA again; empty if it doesn't say
     */
    record Window(Instant start, Instant end, Optional<Instant> askAgain) {}

    /** @param jitter from 0 to 1, always the same for one certificate */
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
