package io.millau.core;

import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The status of a certificate, or of one that is needed but missing. Immutable.
 *
 * @param names the host names that it is for
 * @param origin where it comes from: a service's label, a file, an ACME directory
 * @param issuer its issuer; null if there is no certificate yet
 * @param expires when it expires; null if there is no certificate yet
 * @param renewal when it is next renewed or ordered; null if this isn't automatic
 * @param trouble why it is missing or not renewed; null if there is no problem
 */
public record CertificateStatus(
        Set<String> names,
        String origin,
        @Nullable String issuer,
        @Nullable Instant expires,
        @Nullable Instant renewal,
        @Nullable String trouble) {

    /** Copies the names. */
    public CertificateStatus {
        names = Set.copyOf(names);
    }

    /**
     * The status of an existing certificate.
     *
     * @param renewal when it is renewed; null if this isn't automatic
     */
    public static CertificateStatus of(Certificate certificate, String origin, @Nullable Instant renewal) {
        return new CertificateStatus(
                certificate.names(), origin, certificate.issuer(), certificate.expires(), renewal, null);
    }
}
