package io.millau.acme;

import io.millau.core.internal.LogText;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs the steps of names. Logs every failure, and throws none. Safe for use by several threads. Blocks. */
final class NameWorker {

    private static final Logger LOG = LoggerFactory.getLogger(AcmeCertificates.class);

    /** When to read the store again, after another replica was found ordering, and after the store failed. */
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(2);

    private static final Duration READ_AGAIN = Duration.ofSeconds(10);

    private static final Object SWEEP = "sweep";

    private final StoredCertificates certificates;
    private final Challenges challenges;
    private final Issuance issuance;
    private final Clock clock;
    private final Outage storeOutage =
            new Outage("The store of certificates", "Certificates read before stay in use; it is retried.");

    NameWorker(StoredCertificates certificates, Challenges challenges, Issuance issuance, Clock clock) {
        this.certificates = certificates;
        this.challenges = challenges;
        this.issuance = issuance;
        this.clock = clock;
    }

    void take(NameState.Step step, NameState state) {
        try {
            switch (step) {
                case READ -> read(state);
                case ORDER -> order(state);
                case ASK -> ask(state);
            }
            if (state.storeWorks(step, clock.instant())) {
                forget(state);
            }
        } catch (InterruptedException e) {
            // Being closed.
        } catch (IOException e) {
            String reason = LogMessages.ofStore(e);
            storeOutage.failed(state, reason);
            state.storeFailed(
                    step,
                    "the store of certificates fails: " + reason,
                    clock.instant().plus(READ_AGAIN));
        } catch (Throwable e) {
            // Errors too: a failing name must be retried, and must not stop the others.
            LOG.error("Certificate task failed name={} step={}", state.name(), step, e);
            state.failed(e.toString(), Instant.MIN, clock.instant());
            state.readAt(state.orderAt());
        } finally {
            state.done();
        }
    }

    private void read(NameState state) throws IOException {
        Optional<StoredCertificate> unstored = state.unstored();
        if (unstored.isPresent()) {
            certificates.put(state.name(), unstored.get());
            state.stored();
        }
        state.read(certificates.find(state.name()), clock.instant());
    }

    private void order(NameState state) throws IOException, InterruptedException {
        try {
            if (!issuance.obtain(state)) {
                state.readAt(clock.instant().plus(LOOK_AGAIN));
            }
        } catch (OrderException e) {
            failed(state, e);
        }
    }

    private void failed(NameState state, OrderException failure) {
        String reason = String.valueOf(failure.getMessage());
        boolean repeats = state.failed(reason, issuance.mayOrder(state), clock.instant());
        Instant next = state.orderAt().truncatedTo(ChronoUnit.SECONDS);
        if (repeats) {
            LOG.debug(
                    "No certificate name={} again={} failures={} reason={}",
                    state.name(),
                    next,
                    state.failures(),
                    LogText.value(reason));
        } else {
            LOG.warn("No certificate name={} again={} reason={}", state.name(), next, LogText.value(reason));
            LOG.debug("What failed", failure);
        }
    }

    private void ask(NameState state) throws IOException, InterruptedException {
        Optional<Renewal.Window> window = Optional.empty();
        try {
            window = issuance.window(state);
        } catch (OrderException e) {
            LOG.debug("Asking the CA when to renew {} failed", state.name(), e);
        } finally {
            state.suggested(window, clock.instant());
        }
    }

    /** A name has no step that failed and is still to be done. */
    void forget(NameState state) {
        storeOutage.over(state);
    }

    /** Removes expired values from the store. */
    void sweep() {
        try {
            challenges.sweep();
            certificates.sweep(clock.instant());
            storeOutage.over(SWEEP);
        } catch (IOException e) {
            storeOutage.failed(SWEEP, LogMessages.ofStore(e));
        } catch (Throwable e) {
            LOG.error("Expired values could not be removed from the store", e);
        }
    }
}
