package io.millau.acme;

import io.millau.core.Store;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The certificates in the store, of all directories. Safe for use by several threads; every method may block. */
final class StoredCertificates {

    private static final Logger LOG = LoggerFactory.getLogger(AcmeCertificates.class);

    private final Store store;
    private final List<String> issuers;

    StoredCertificates(Store store, List<String> issuers) {
        this.store = store;
        this.issuers = issuers;
    }

    /** The one of a name that lives longest. What can't be used is set aside: there will be another one. */
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
        } catch (IllegalArgumentException e) {
            LOG.warn("{} in the store can't be used, it is set aside and ordered again: {}", value, e.getMessage());
            store.setAside(value);
            return Optional.empty();
        }
    }

    void put(String name, StoredCertificate certificate) throws IOException {
        store.put(value(certificate.issuer(), name), certificate.bytes());
    }

    /** What to lock while a certificate is ordered for a name, at whichever directory. */
    String lock(String name) {
        return value(issuers.get(0), name);
    }

    private static String value(String issuer, String name) {
        return issuer + "/" + name + "/certificate";
    }
}
