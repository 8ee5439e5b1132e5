package io.millau.acme;

import io.millau.core.Store;
import io.millau.core.internal.LogText;
import io.millau.core.internal.Pem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The certificates in the store, of all directories. Safe for use by several threads. Every method may block. */
final class StoredCertificates {

    private static final Logger LOG = LoggerFactory.getLogger(AcmeCertificates.class);

    private static final String CERTIFICATE = "/certificate";
    private static final String FAILURE = "/failure";
    private static final String PAUSE = "/pause";

    /** How long expired certificates are kept. */
    private static final Duration KEPT = Duration.ofDays(30);

    private final Store store;
    private final List<String> issuers;

    StoredCertificates(Store store, List<String> issuers) {
        this.store = store;
        this.issuers = issuers;
    }

    /**
     * The certificate of a name that expires last. Values that can't be used are set aside, so that they are ordered
     * again.
     */
    Optional<StoredCertificate> find(String name) throws IOException {
        StoredCertificate best = null;
        for (String issuer : issuers) {
            Optional<StoredCertificate> found = find(issuer, name);
            if (found.isPresent() && (best == null || found.get().replaces(best))) {
                best = found.get();
            }
        }
        return Optional.ofNullable(best);
    }

    private Optional<StoredCertificate> find(String issuer, String name) throws IOException {
        String value = value(issuer, name);
        Optional<byte[]> bytes = store.get(value);
        if (bytes.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(StoredCertificate.parse(issuer, name, bytes.get()));
        } catch (RuntimeException e) {
            LOG.warn(
                    "Set aside, since it can't be used; ordered again stored={} reason={}",
                    LogText.value(value),
                    LogText.value(LogMessages.of(e)));
            store.setAside(value);
            return Optional.empty();
        }
    }

    void put(String name, StoredCertificate certificate) throws IOException {
        store.put(value(certificate.issuer(), name), certificate.bytes());
    }

    /** The name of the lock for ordering a certificate, at any directory. */
    String lock(String name) {
        return value(issuers.get(0), name);
    }

    /** The last stored failure of a name, by any replica, also before a restart. */
    Optional<StoredFailure> failure(String name) throws IOException {
        return store.get(failureOf(name)).flatMap(StoredFailure::parse);
    }

    void put(String name, StoredFailure failure) throws IOException {
        store.put(failureOf(name), failure.bytes());
    }

    /** Until when a directory asked for no more orders of a name, also before a restart; empty if it did not. */
    Optional<Instant> pause(String issuer, String name) throws IOException {
        return store.get(pauseOf(issuer, name)).flatMap(StoredFailure::parse).map(StoredFailure::until);
    }

    void putPause(String issuer, String name, Instant until) throws IOException {
        Instant wholeSeconds = until.truncatedTo(ChronoUnit.SECONDS).plusSeconds(1);
        store.put(pauseOf(issuer, name), new StoredFailure(0, wholeSeconds).bytes());
    }

    /** Removes failures and pauses that are over, and certificates that expired long ago. */
    void sweep(Instant now) throws IOException {
        for (String issuer : issuers) {
            for (String value : store.names(issuer + "/")) {
                Optional<byte[]> bytes = store.get(value);
                if (bytes.isPresent() && isOver(value, bytes.get(), now)) {
                    LOG.debug("{} is removed from the store", value);
                    store.remove(value);
                }
            }
        }
    }

    private static boolean isOver(String value, byte[] bytes, Instant now) {
        if (value.endsWith(FAILURE) || value.endsWith(PAUSE)) {
            return StoredFailure.parse(bytes)
                    .filter(failure -> failure.until().isAfter(now))
                    .isEmpty();
        }
        if (!value.endsWith(CERTIFICATE)) {
            return false;
        }
        try {
            List<X509Certificate> chain = Pem.certificates(new String(bytes, StandardCharsets.UTF_8));
            return chain.get(0).getNotAfter().toInstant().plus(KEPT).isBefore(now);
        } catch (RuntimeException e) {
            return false; // damaged: set aside when it is read
        }
    }

    private static String value(String issuer, String name) {
        return issuer + "/" + segment(name) + CERTIFICATE;
    }

    private static String pauseOf(String issuer, String name) {
        return issuer + "/" + segment(name) + PAUSE;
    }

    private String failureOf(String name) {
        return issuers.get(0) + "/" + segment(name) + FAILURE;
    }

    /** A segment can't have the asterisk of a wildcard. */
    private static String segment(String name) {
        return name.replace('*', '_');
    }
}
