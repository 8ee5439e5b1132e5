package io.millau.acme;

import io.millau.core.internal.Der;
import io.millau.core.internal.Issuer;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;

/** A request for a certificate (PKCS #10, RFC 2986), as an order is finalized with (RFC 8555, 7.4). Pure functions. */
final class SigningRequest {

    private static final byte[] VERSION_0 = Der.integer(BigInteger.ZERO);
    private static final byte[] NO_SUBJECT = Der.sequence();
    private static final byte[] EXTENSION_REQUEST = Der.objectIdentifier("1.2.840.113549.1.9.14");
    private static final int ATTRIBUTES = 0xa0;

    private SigningRequest() {}

    /** @param name the certificate's only DNS name */
    static byte[] of(String name, KeyPair keys) {
        byte[] extensions = Der.sequence(Issuer.alternativeName(name));
        byte[] request = Der.sequence(
                VERSION_0,
                NO_SUBJECT,
                keys.getPublic().getEncoded(),
                Der.value(ATTRIBUTES, Der.sequence(EXTENSION_REQUEST, Der.value(Der.SET, extensions))));
        try {
            return Issuer.signed(request, keys.getPrivate());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a Java runtime without ECDSA", e);
        }
    }
}
