package io.millau.core;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Provides certificates for HTTPS, in addition to those of labels: from files, ACME or code.
 *
 * <p>{@link #find} is called in every new handshake, by several threads at once. It must not block, and neither must
 * other methods unless they say so. Changes apply from the next handshake on; open connections stay open.
 *
 * <pre>{@code
 * CertificateSource folder = CertificateSource.folder(Path.of("/etc/gateway/certificates")); // shop.crt, shop.key
 * builder.https(":8443").certificates(folder).redirectToHttps();
 * }</pre>
 */
@FunctionalInterface
public interface CertificateSource {

    /**
     * Returns the certificates that fit a name; may be empty. Of those of all sources the best is used, see {@link
     * Certificate#bestFirst}.
     *
     * @param serverName the name in the client's SNI (RFC 6066, 3), in lower case; null asks for the default
     *     certificates, for clients that send no name or one without a certificate
     */
    List<Certificate> find(@Nullable String serverName);

    /**
     * Called when the set of served names without a certificate from labels or files changes. A source that can obtain
     * certificates should do so for these names, and no others. Wildcards such as {@code *.shop.example} are among them.
     */
    default void wanted(Set<String> names) {}

    /**
     * The same, with what is known of the names; this is what Millau calls. A source should obtain no first certificate for a name
     * that isn't served: its instances may all be down, or it may be another proxy's. Those that it has, it should renew.
     *
     * @param served those of the names that a service with an endpoint has
     */
    default void wanted(Set<String> names, Set<String> served) {
        wanted(names);
    }

    /** Checks for changed certificates. Called every second, by a thread that may block. */
    default void refresh() {}

    /**
     * The certificates that the operator has to replace before they expire, each with the place where it is configured.
     * Called every second, by a thread that may block.
     */
    default Map<Certificate, String> configured() {
        return Map.of();
    }

    /**
     * The status of this source's certificates, including those that it can't obtain. May block; not called on I/O
     * threads.
     */
    default List<CertificateStatus> status() {
        return configured().entrySet().stream()
                .map(entry -> CertificateStatus.of(entry.getKey(), entry.getValue(), null))
                .toList();
    }

    /**
     * The response to an HTTP challenge (RFC 8555, 8.3); empty if the token is unknown.
     *
     * @param token from the path of a request; any client may have sent it
     */
    default CompletableFuture<Optional<String>> httpChallenge(String token) {
        return CompletableFuture.completedFuture(Optional.empty());
    }

    /**
     * The certificate for a TLS challenge (RFC 8737); empty if the name has none.
     *
     * @param serverName from a handshake; any client may have started it
     */
    default CompletableFuture<Optional<Certificate>> tlsChallenge(String serverName) {
        return CompletableFuture.completedFuture(Optional.empty());
    }

    /**
     * The certificates in a folder: pairs of {@code NAME.crt}, a chain, and {@code NAME.key}, in PEM. Changes apply
     * within seconds. A pair that can't be read is logged, and its last readable version stays in use. Doesn't throw,
     * even if the folder can't be read. Reads it at once, so it may block.
     */
    static CertificateSource folder(Path folder) {
        return new CertificateFolder(Objects.requireNonNull(folder, "folder"));
    }

    /** Certificates that don't change. */
    static CertificateSource of(Certificate... certificates) {
        return of(Arrays.asList(Objects.requireNonNull(certificates, "certificates")));
    }

    /** Certificates that don't change. */
    static CertificateSource of(Collection<Certificate> certificates) {
        Objects.requireNonNull(certificates, "certificates")
                .forEach(certificate -> Objects.requireNonNull(certificate, "certificate"));
        return new CertificateIndex(certificates);
    }
}
