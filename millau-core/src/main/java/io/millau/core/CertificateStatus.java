package io.millau.core;

import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The status of a certificate at one moment, or of one that is needed but missing. Immutable.
 *
 * <pre>{@code
 * List<String> alerts = new ArrayList<>();
 * for (CertificateStatus certificate : overview.certificates()) {
 *     Instant expires = certificate.expires(); // null if it is missing
 *     if (expires == null || expires.isBefore(Instant.now().plus(Duration.ofDays(7)))) {
 *         alerts.add(certificate.names() + " from " + certificate.origin() + ": " + certificate.trouble());
 *     }
 * }
 * }</pre>
 */
public interface CertificateStatus {

    /** The host names that it is for. */
    Set<String> names();

    /** Where it comes from: a service's label, a file, an ACME directory. */
    String origin();

    /** Its issuer; null if there is no certificate yet. */
    @Nullable
    String issuer();

    /** When it expires; null if there is no certificate yet. */
    @Nullable
    Instant expires();

    /** When it is next renewed or ordered; null if this isn't automatic. */
    @Nullable
    Instant renewal();

    /** Why it is missing or not renewed; null if there is no problem. */
    @Nullable
    String trouble();

    /** Whether it is missing because nobody needs it yet; {@link #trouble} says what it waits for. */
    default boolean isWaiting() {
        return false;
    }

    /**
     * The status of an existing certificate.
     *
     * @param renewal when it is renewed; null if this isn't automatic
     */
    static CertificateStatus of(Certificate certificate, String origin, @Nullable Instant renewal) {
        return of(certificate.names(), origin, certificate.issuer(), certificate.expires(), renewal, null);
    }

    /** A status with these values, with a copy of the names; statuses made here are equal if their values are. */
    static CertificateStatus of(
            Set<String> names,
            String origin,
            @Nullable String issuer,
            @Nullable Instant expires,
            @Nullable Instant renewal,
            @Nullable String trouble) {
        return new Statuses.OfCertificate(Set.copyOf(names), origin, issuer, expires, renewal, trouble, false);
    }

    /**
     * The status of a certificate that nobody needs yet.
     *
     * @param until what it waits for, as its {@link #trouble}
     */
    static CertificateStatus waiting(Set<String> names, String origin, String until) {
        return new Statuses.OfCertificate(Set.copyOf(names), origin, null, null, null, until, true);
    }
}
