package io.millau.acme;

import io.millau.core.internal.Der;
import java.nio.ByteBuffer;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Optional;

/** The name by which a CA is asked about renewing a certificate (RFC 9773, 4.1). Pure functions. */
final class CertificateId {

    private static final String AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";

    /** Its first part: [0] of RFC 5280, 4.2.1.1. */
    private static final int KEY_IDENTIFIER = 0x80;

    private CertificateId() {}

    /** @return empty if the certificate doesn't say which key has signed it */
    static Optional<String> of(X509Certificate certificate) {
        byte[] extension = certificate.getExtensionValue(AUTHORITY_KEY_IDENTIFIER);
        if (extension == null) {
            return Optional.empty();
        }
        ByteBuffer parts = Der.Value.read(
                        Der.Value.read(ByteBuffer.wrap(extension)).content())
                .content();
        while (parts.hasRemaining()) {
            Der.Value part = Der.Value.read(parts);
            if (part.tag() == KEY_IDENTIFIER) {
                ByteBuffer serial =
                        ByteBuffer.wrap(certificate.getSerialNumber().toByteArray());
                return Optional.of(text(part.content()) + "." + text(serial));
            }
        }
        return Optional.empty();
    }

    private static String text(ByteBuffer bytes) {
        byte[] array = new byte[bytes.remaining()];
        bytes.get(array);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(array);
    }
}
