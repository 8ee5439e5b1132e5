package io.millau.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the certificates of HTTPS come from: files, labels, ACME, code.
 *
 * <p>Asked in every new handshake, by several threads at once, so it must not block; what it says applies from the next
 * handshake on, and connections that are open live on.
 */
@FunctionalInterface
public interface CertificateSource {

    /**
     * The certificates to prove a name with, best first; the client gets the first one whose kind of key it knows. Without
     * any its handshake fails.
     *
     * @param serverName what the client asks for (SNI, RFC 6066, 3), in lower case; null if it doesn't say
     */
    List<Certificate> find(@Nullable String serverName);

    /** The same for every name. */
    static CertificateSource of(Certificate... certificates) {
        List<Certificate> all = List.of(certificates);
        return serverName -> all;
    }
}
