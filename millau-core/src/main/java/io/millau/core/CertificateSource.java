package io.millau.core;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Where the certificates of HTTPS come from, beside those of labels: files, ACME, code.
 *
 * <p>Asked in every new handshake, by several threads at once, so nothing here may block; what it says applies from the next
 * handshake on, and connections that are open live on.
 */
@FunctionalInterface
public interface CertificateSource {

    /**
     * The certificates that fit a name; of those of all sources the best are shown: see {@link Certificate#bestFirst}.
     *
     * @param serverName what the client asks for (SNI, RFC 6066, 3), in lower case; null for what this source would show a
     *     client that doesn't say, or that asks for a name without a certificate
     */
    List<Certificate> find(@Nullable String serverName);

    /**
     * Tells which names are served and have no certificate from labels or files, whenever these change. A source that can
     * obtain certificates obtains those.
     */
    default void wanted(Set<String> names) {}

    /** Looks for changes at where the certificates come from. Called every second, by a thread that may block. */
    default void refresh() {}

    /**
     * Those that the operator has to replace before they expire, each with the name of the place where that is done. Called
     * every second, by a thread that may block.
     */
    default Map<Certificate, String> configured() {
        return Map.of();
    }

    /**
     * The certificates of this source as they stand, those that it can't obtain too. By any thread but an I/O thread.
     */
    default List<CertificateStatus> status() {
        return configured().entrySet().stream()
                .map(entry -> CertificateStatus.of(entry.getKey(), entry.getValue(), null))
                .toList();
    }

    /**
     * The response to an HTTP challenge (RFC 8555, 8.3), if it is one of this source's.
     *
     * @param token from the path of a request that any client may have sent
     */
    default CompletableFuture<Optional<String>> httpChallenge(String token) {
        return CompletableFuture.completedFuture(Optional.empty());
    }

    /**
     * The certificate for a TLS challenge (RFC 8737), if it is one of this source's.
     *
     * @param serverName from a handshake that any client may have begun
     */
    default CompletableFuture<Optional<Certificate>> tlsChallenge(String serverName) {
        return CompletableFuture.completedFuture(Optional.empty());
    }

    /**
     * The certificates of a folder: pairs of {@code NAME.crt}, a chain, and {@code NAME.key}, in PEM. Changes apply within
     * seconds; what can't be read is named in the log, and the others, and what was read before of the same name, stay.
     */
    static CertificateSource folder(Path folder) {
        return new CertificateFolder(folder);
    }

    /** Certificates that don't change. */
    static CertificateSource of(Certificate... certificates) {
        return of(List.of(certificates));
    }

    /** Certificates that don't change. */
    static CertificateSource of(Collection<Certificate> certificates) {
        return new CertificateIndex(certificates);
    }
}
