package io.millau.core;

import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A certificate, or one that is needed and missing.
 *
 * @param names what it is for
 * @param origin where it comes from: a service's label, a file, an ACME directory
 * @param issuer its issuer; null if there is no certificate yet
 * @param expires when it expires; null if there is no certificate yet
 * @param renewal when it is renewed, or ordered again; null if that is not done by itself
 * @param trouble why it is not there, or not renewed; null if all is well
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

    /** One that is there. */
    public static CertificateStatus of(Certificate certificate, String origin, @Nullable Instant renewal) {
        return new CertificateStatus(
                certificate.names(), origin, certificate.issuer(), certificate.expires(), renewal, null);
    }
}
