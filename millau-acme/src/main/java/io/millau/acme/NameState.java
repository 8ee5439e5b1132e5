package io.millau.acme;

import io.millau.core.Certificate;
import io.millau.core.CertificateStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The state of one name, and its next step. Safe for use by several threads; {@link #shown} takes no lock. Callers pass
 * the time.
 */
final class NameState {

    enum Step {
        /** Read the store. */
        READ,
        /** Order a certificate. */
        ORDER,
        /** Ask the CA when to renew. */
        ASK
    }

    static final String ORIGIN = "ACME";
    private static final String NOT_SERVED =
            "is ordered once a service of this host has an instance that can be reached";

    private static final Duration FIRST_PAUSE = Duration.ofMinutes(1);
    private static final Duration LONGEST_PAUSE = Duration.ofHours(12);

    /** Limits a CA's Retry-After, which may exceed the longest pause. */
    private static final Duration LONGEST_RETRY_AFTER = Duration.ofDays(7);

    private static final Duration ASK_SOONEST = Duration.ofHours(1);
    private static final Duration ASK_FIRST = Duration.ofHours(6);
    private static final Duration ASK_LATEST = Duration.ofDays(1);

    private final String name;
    private volatile List<Certificate> shown = List.of();
    private @Nullable StoredCertificate certificate;
    private Optional<Renewal.Window> window = Optional.empty();
    private double jitter;

    private boolean wanted;
    private boolean served;
    private boolean busy;
    private boolean stored = true;
    private Instant readAt = Instant.MIN;
    private Instant orderAt = Instant.MIN;
    private Instant askAt = Instant.MAX;

    private final Map<String, Instant> pauses = new HashMap<>();
    private int failures;
    private String lastFailure = "";
    private @Nullable String trouble;

    /** Until the step succeeds at which the store failed; null if none did. */
    private @Nullable StoreTrouble storeTrouble;

    private record StoreTrouble(Step step, String text) {}

    NameState(String name) {
        this.name = name;
    }

    String name() {
        return name;
    }

    /** The certificates to use for the name; never blocks. */
    List<Certificate> shown() {
        return shown;
    }

    synchronized Optional<StoredCertificate> certificate() {
        return Optional.ofNullable(certificate);
    }

    /**
     * If the name is wanted again, the store is read again.
     *
     * @param served whether a service with an endpoint has the name; until then no first certificate is ordered
     */
    synchronized void want(boolean wanted, boolean served) {
        if (wanted && !this.wanted) {
            readAt = Instant.MIN;
        }
        this.wanted = wanted;
        this.served = served;
        storeTrouble = wanted ? storeTrouble : null;
    }

    /**
     * The next step to run now, if any. The caller must call {@link #done} after it.
     *
     * @param mayOrder whether it may be {@link Step#ORDER}
     */
    synchronized @Nullable Step begin(Instant now, boolean mayOrder) {
        Step next = wanted && !busy ? step(now) : null;
        Step step = next == Step.ORDER && !(mayOrder && (served || certificate != null)) ? null : next;
        busy |= step != null;
        return step;
    }

    private @Nullable Step step(Instant now) {
        if (!now.isBefore(readAt)) {
            return Step.READ;
        }
        if (readAt.equals(Instant.MAX) && !now.isBefore(orderAt) && !now.isBefore(due())) {
            return Step.ORDER;
        }
        return !now.isBefore(askAt) ? Step.ASK : null;
    }

    synchronized void done() {
        busy = false;
    }

    /** Whether this state can be removed. */
    synchronized boolean isOver(Instant now) {
        return !wanted
                && !busy
                && !now.isBefore(orderAt)
                && (certificate == null || !now.isBefore(certificate.expires()));
    }

    private Instant due() {
        return certificate == null ? Instant.MIN : renewal();
    }

    /** When the certificate is to be renewed. */
    synchronized Instant renewal() {
        return certificate == null
                ? Instant.MIN
                : Renewal.due(certificate.begins(), certificate.expires(), window, jitter);
    }

    /** The store failed. */
    synchronized void storeFailed(Step step, String trouble, Instant readAt) {
        storeTrouble = new StoreTrouble(step, trouble);
        this.readAt = readAt;
    }

    /**
     * A step had no trouble with the store.
     *
     * @return whether there is none any more: after a read, another step that failed may have become needless
     */
    synchronized boolean storeWorks(Step step, Instant now) {
        Step failed = storeTrouble == null ? null : storeTrouble.step;
        if (step == failed || step == Step.READ && step(now) != failed) {
            storeTrouble = null;
        }
        return storeTrouble == null;
    }

    synchronized boolean isWanted() {
        return wanted;
    }

    /** Schedules the next read of the store, because another replica is ordering. */
    synchronized void readAt(Instant at) {
        readAt = at;
    }

    /** The store was read. */
    synchronized void read(Optional<StoredCertificate> found, Instant now) {
        readAt = Instant.MAX;
        found.ifPresent(certificate -> take(certificate, now));
    }

    /**
     * Uses a certificate of the store, if it is better than the current one.
     *
     * @return whether it is used
     */
    synchronized boolean take(StoredCertificate found, Instant now) {
        if (certificate == null) {
            show(found, now);
            trouble = null;
            return true;
        }
        if (!found.replaces(certificate)) {
            return false;
        }
        settle(found, now);
        return true;
    }

    /** An order succeeded. */
    synchronized void obtained(StoredCertificate obtained, boolean stored, Instant now) {
        settle(obtained, now);
        this.stored = stored;
        readAt = stored ? Instant.MAX : now.plus(FIRST_PAUSE);
    }

    /** Uses a new certificate and clears earlier failures. */
    private void settle(StoredCertificate obtained, Instant now) {
        show(obtained, now);
        // Prevents endless orders of certificates that are due as soon as they are issued.
        orderAt = now.plus(FIRST_PAUSE);
        pauses.clear();
        failures = 0;
        lastFailure = "";
        trouble = null;
    }

    private void show(StoredCertificate certificate, Instant now) {
        this.certificate = certificate;
        window = Optional.empty();
        askAt = now.plus(random(ASK_SOONEST, ASK_FIRST));
        jitter = ThreadLocalRandom.current().nextDouble();
        shown = List.of(certificate.certificate());
    }

    /** The certificate, if it still has to be stored. */
    synchronized Optional<StoredCertificate> unstored() {
        return stored ? Optional.empty() : certificate();
    }

    synchronized void stored() {
        stored = true;
    }

    /**
     * The CA was asked when to renew.
     *
     * @param suggestion empty if it made none
     */
    synchronized void suggested(Optional<Renewal.Window> suggestion, Instant now) {
        if (suggestion.isPresent()) {
            window = suggestion;
        }
        Instant wished = suggestion.flatMap(Renewal.Window::askAgain).orElse(now.plus(ASK_FIRST));
        askAt = within(wished, now.plus(ASK_SOONEST), now.plus(ASK_LATEST));
    }

    /** Pauses orders of this name at a directory, a week at most. */
    synchronized void pause(String issuer, Instant until, Instant now) {
        pauses.put(issuer, within(until, now, now.plus(LONGEST_RETRY_AFTER)));
    }

    /** Until when orders of this name at a directory are paused. */
    synchronized Instant pausedUntil(String issuer) {
        return pauses.getOrDefault(issuer, Instant.MIN);
    }

    /**
     * An order failed. The pause before the next one doubles with every failure.
     *
     * @param mayOrder when a directory accepts orders again
     * @return whether it is the same failure as before
     */
    synchronized boolean failed(String message, Instant mayOrder, Instant now) {
        failures++;
        trouble = message;
        Duration pause = pause(failures - 1);
        Instant next = now.plus(
                random(pause.multipliedBy(3).dividedBy(4), pause.multipliedBy(5).dividedBy(4)));
        orderAt = within(mayOrder, next, now.plus(LONGEST_RETRY_AFTER));
        String summary = LogMessages.summary(message);
        boolean repeats = summary.equals(lastFailure);
        lastFailure = summary;
        return repeats;
    }

    /**
     * The mean pause after a failure.
     *
     * @param before the number of failures before it
     */
    static Duration pause(int before) {
        Duration doubled = FIRST_PAUSE.multipliedBy(1L << Math.min(before, 10));
        return doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
    }

    /**
     * Takes over a stored failure.
     *
     * @return whether orders have to wait because of it
     */
    synchronized boolean mustWait(StoredFailure noted, Instant now) {
        boolean waits = noted.until().isAfter(now);
        if (waits) {
            orderAt = within(noted.until(), now, now.plus(LONGEST_PAUSE));
            failures = Math.max(failures, noted.failures());
        }
        return waits;
    }

    /** The number of failed orders since the last successful one. */
    synchronized int failures() {
        return failures;
    }

    /** The status, for display. */
    synchronized CertificateStatus status() {
        StoredCertificate there = certificate;
        if (there == null && !served) {
            return CertificateStatus.waiting(Set.of(name), ORIGIN, NOT_SERVED);
        }
        String reason = storeTrouble == null ? trouble : storeTrouble.text;
        Instant next = orderAt.isAfter(due()) ? orderAt : due();
        return there == null
                ? CertificateStatus.of(Set.of(name), ORIGIN, null, null, next.equals(Instant.MIN) ? null : next, reason)
                : CertificateStatus.of(
                        there.certificate().names(),
                        ORIGIN,
                        there.certificate().issuer(),
                        there.expires(),
                        next,
                        reason);
    }

    /** The earliest time of the next order. */
    synchronized Instant orderAt() {
        return orderAt;
    }

    private static Instant within(Instant wished, Instant earliest, Instant latest) {
        Instant late = wished.isBefore(earliest) ? earliest : wished;
        return late.isBefore(latest) ? late : latest;
    }

    private static Duration random(Duration from, Duration to) {
        return Duration.ofMillis(ThreadLocalRandom.current().nextLong(from.toMillis(), to.toMillis()));
    }
}
