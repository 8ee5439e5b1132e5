package io.millau.acme;

import io.millau.core.Certificate;
import io.millau.core.internal.Der;
import io.millau.core.internal.Issuer;
import java.security.GeneralSecurityException;

/** Makes the certificate for a TLS challenge (RFC 8737, 3). */
final class TlsChallenge {

    private static final byte[] ACME_IDENTIFIER = Der.objectIdentifier("1.3.6.1.5.5.7.1.31");

    private TlsChallenge() {}

    /** @param validation the SHA-256 of the key authorization */
    static Certificate certificate(String name, byte[] validation) {
        byte[] digest = Der.value(Der.OCTET_STRING, validation);
        byte[] identifier = Der.sequence(ACME_IDENTIFIER, Der.bool(true), Der.value(Der.OCTET_STRING, digest));
        try {
            return Issuer.selfSigned("acme.invalid", Issuer.alternativeName(name), identifier);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a Java runtime without ECDSA", e);
        }
    }
}
