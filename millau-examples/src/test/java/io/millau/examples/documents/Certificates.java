package io.millau.examples.documents;

import io.millau.core.testing.Authority;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateEncodingException;
import java.util.Base64;

/** A CA for labels that need one. */
final class Certificates {

    static final String CA = ca();

    private Certificates() {}

    private static String ca() {
        try {
            String pem = "-----BEGIN CERTIFICATE-----\n"
                    + Base64.getMimeEncoder()
                            .encodeToString(
                                    Authority.root("Documents").certificate().getEncoded())
                    + "\n-----END CERTIFICATE-----\n";
            return Base64.getEncoder().encodeToString(pem.getBytes(StandardCharsets.US_ASCII));
        } catch (CertificateEncodingException e) {
            throw new IllegalStateException(e);
        }
    }
}
