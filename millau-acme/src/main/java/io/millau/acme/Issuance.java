package io.millau.acme;

import io.millau.core.Store;
import io.millau.core.internal.LogText;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.exception.AcmeException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Obtains certificates. Only one replica orders for a name at a time. Directories are tried in order, each with all types of
 * challenge that fit. Safe for use by several threads. Blocks.
 */
final class Issuance {

    private static final Logger LOG = LoggerFactory.getLogger(AcmeCertificates.class);

    private static final Duration WINDOW_TIMEOUT = Duration.ofMinutes(1);
    private static final Duration STORE_RETRY = Duration.ofSeconds(2);

    private final Store store;
    private final StoredCertificates certificates;
    private final List<Directory> directories;
    private final Challenges challenges;
    private final @Nullable DnsRecords dns;
    private final Clock clock;
    private final Duration lease;
    private volatile ChallengeType lastProof;

    /**
     * @param dns for DNS challenges, which are tried first; null without them
     * @param lease how long an order may take, before another replica may start one
     */
    Issuance(
            Store store,
            StoredCertificates certificates,
            List<Directory> directories,
            Challenges challenges,
            @Nullable DnsRecords dns,
            Clock clock,
            Duration lease) {
        this.store = store;
        this.certificates = certificates;
        this.directories = directories;
        this.challenges = challenges;
        this.dns = dns;
        this.lastProof = dns == null ? ChallengeType.HTTP : ChallengeType.DNS;
        this.clock = clock;
        this.lease = lease;
    }

    /**
     * Obtains a certificate for a name and updates its state.
     *
     * @return false if another replica is ordering
     * @throws OrderException if no directory issued one
     * @throws IOException if the store fails
     */
    boolean obtain(NameState state) throws OrderException, IOException, InterruptedException {
        // The rest of the lease is for the response that is still awaited at the deadline.
        Deadline deadline = new Deadline(lease.minus(lease.dividedBy(6)));
        Optional<Store.Lock> lock = store.tryLock(certificates.lock(state.name()), lease);
        if (lock.isEmpty()) {
            return false;
        }
        try {
            Optional<StoredCertificate> meanwhile = certificates.find(state.name());
            if (meanwhile.isPresent() && state.take(meanwhile.get(), clock.instant())) {
                LOG.info(
                        "Obtained by another replica name={} expires={}",
                        state.name(),
                        meanwhile.get().expires());
                return true;
            }
            Optional<StoredFailure> failure = certificates.failure(state.name());
            if (failure.isPresent() && state.mustWait(failure.get(), clock.instant())) {
                LOG.info(
                        "Not ordered, since an order has just failed name={} until={}",
                        state.name(),
                        failure.get().until());
                return true;
            }
            readPauses(state);
            orderAndStoreFailure(state, deadline);
            return true;
        } finally {
            Threads.uninterrupted(lock.get()::close);
        }
    }

    /** What a directory said before a restart, or to another replica. */
    private void readPauses(NameState state) throws IOException {
        for (Directory directory : directories) {
            certificates
                    .pause(directory.issuer(), state.name())
                    .ifPresent(until -> state.pause(directory.issuer(), until, clock.instant()));
        }
    }

    private void orderAndStoreFailure(NameState state, Deadline deadline) throws OrderException, InterruptedException {
        try {
            order(state, deadline);
        } catch (OrderException e) {
            if (e.isChallengeFailed()) {
                note(state);
            }
            throw e;
        } catch (IOException e) {
            // A CA was contacted, so this must not be retried as soon as a failed read of the store.
            throw OrderException.atStore(e);
        }
    }

    private void note(NameState state) {
        int before = state.failures();
        try {
            certificates.put(state.name(), StoredFailure.of(before + 1, NameState.pause(before), clock.instant()));
        } catch (IOException e) {
            LOG.debug("The failure of {} can't be stored", state.name(), e);
        }
    }

    private void order(NameState state, Deadline deadline) throws OrderException, IOException, InterruptedException {
        OrderException failure = null;
        for (Directory directory : directories) {
            if (directory.serves(state.name())
                    && !state.pausedUntil(directory.issuer()).isAfter(clock.instant())) {
                try {
                    order(state, directory, deadline);
                    directory.outage().over(directory);
                    return;
                } catch (OrderException e) {
                    OrderException here = e.at(directory);
                    failure = failure == null ? here : failure.and(here);
                    e.retryAfter().ifPresent(until -> pause(state, directory, until));
                    if (e.isChallengeFailed() || deadline.left().isNegative()) {
                        break;
                    }
                    failed(state, directory, e);
                }
            }
        }
        throw failure == null
                ? OrderException.atDirectory("every directory asks to retry later (not before "
                        + mayOrder(state).truncatedTo(ChronoUnit.SECONDS) + ")")
                : failure;
    }

    private void pause(NameState state, Directory directory, Instant until) {
        state.pause(directory.issuer(), until, clock.instant());
        try {
            certificates.putPause(directory.issuer(), state.name(), until);
        } catch (IOException e) {
            LOG.debug("The pause of {} at {} can't be stored", state.name(), directory, e);
        }
    }

    private static void failed(NameState state, Directory directory, OrderException failure) {
        String reason = String.valueOf(failure.getMessage());
        if (failure.isRejected()) {
            LOG.info("Rejected directory={} name={} reason={}", directory, state.name(), LogText.value(reason));
        } else {
            directory.outage().failed(directory, reason);
        }
    }

    private void order(NameState state, Directory directory, Deadline deadline)
            throws OrderException, IOException, InterruptedException {
        OrderException failure = null;
        for (ChallengeType type : types(state)) {
            try {
                order(state, directory, type, deadline);
                return;
            } catch (OrderException e) {
                failure = failure == null ? e : failure.and(e);
                if (!e.isChallengeFailed()) {
                    break;
                }
                LOG.debug("{} can't be validated by {}", state.name(), type, e);
            }
        }
        throw Objects.requireNonNull(failure);
    }

    /** The types of challenge for a name: first the one that was valid last. */
    private Set<ChallengeType> types(NameState state) {
        if (PublicNames.isWildcard(state.name())) {
            return EnumSet.of(ChallengeType.DNS);
        }
        Set<ChallengeType> types = new LinkedHashSet<>();
        types.add(state.certificate().map(StoredCertificate::proof).orElse(lastProof));
        types.addAll(EnumSet.allOf(ChallengeType.class));
        if (dns == null) {
            types.remove(ChallengeType.DNS);
        }
        return types;
    }

    private void order(NameState state, Directory directory, ChallengeType type, Deadline deadline)
            throws OrderException, IOException, InterruptedException {
        long begun = System.nanoTime();
        CertificateOrder order = new CertificateOrder(
                directory,
                challenges,
                dns,
                clock,
                state.name(),
                type,
                state.certificate().orElse(null),
                deadline);
        StoredCertificate obtained = result(order::obtain);
        if (!PublicNames.isWildcard(state.name())) {
            lastProof = type;
        }
        int failures = state.failures();
        state.obtained(obtained, put(state.name(), obtained), clock.instant());
        LOG.info(
                "Obtained name={} expires={} directory={} challenge={} millis={} failures={} renewal={}",
                state.name(),
                obtained.expires(),
                directory,
                type,
                (System.nanoTime() - begun) / 1_000_000,
                failures,
                state.renewal().truncatedTo(ChronoUnit.SECONDS));
    }

    /** A call to a CA. */
    private interface Call<T> {
        T get() throws AcmeException, OrderException, IOException, InterruptedException;
    }

    /** Converts every exception of a CA or acme4j to an OrderException, so that it ends only this call. */
    private static <T> T result(Call<T> call) throws OrderException, IOException, InterruptedException {
        try {
            return call.get();
        } catch (AcmeException | RuntimeException e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                if (cause instanceof InterruptedIOException) {
                    throw (InterruptedException) new InterruptedException("closed").initCause(e);
                }
            }
            throw OrderException.of(e);
        }
    }

    /** The earliest time when one of the directories accepts an order. */
    Instant mayOrder(NameState state) {
        return directories.stream()
                .filter(directory -> directory.serves(state.name()))
                .map(directory -> state.pausedUntil(directory.issuer()))
                .min(Comparator.naturalOrder())
                .orElse(Instant.MIN);
    }

    /** When the CA of a name's certificate suggests renewing it; empty if it makes no suggestions. */
    Optional<Renewal.Window> window(NameState state) throws OrderException, IOException, InterruptedException {
        Optional<StoredCertificate> certificate = state.certificate();
        for (Directory directory : directories) {
            if (certificate.isPresent() && certificate.get().issuer().equals(directory.issuer())) {
                Deadline deadline = new Deadline(WINDOW_TIMEOUT);
                return result(() -> directory.window(certificate.get().leaf(), deadline));
            }
        }
        return Optional.empty();
    }

    /** @return whether it was stored. If not, the caller has to store it later, not to order it again */
    private boolean put(String name, StoredCertificate obtained) throws InterruptedException {
        for (int attempt = 1; attempt <= 3; attempt++) {
            try {
                certificates.put(name, obtained);
                return true;
            } catch (IOException e) {
                LOG.warn("Not stored yet name={} reason={}", name, LogText.value(LogMessages.of(e)));
            }
            Thread.sleep(STORE_RETRY.toMillis());
        }
        return false;
    }
}
