package io.millau.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;

/** The certificate that {@code bench/run} made, and its key. */
record Pem(PrivateKey key, X509Certificate certificate) {

    /** Reads {@code key.pem} and {@code certificate.pem}. */
    static Pem read(Path folder) throws IOException, GeneralSecurityException {
        String text = Files.readString(folder.resolve("key.pem")).replaceAll("-----[A-Z ]+-----|\\s", "");
        PrivateKey key = KeyFactory.getInstance("EC")
                .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text)));
        try (InputStream in = Files.newInputStream(folder.resolve("certificate.pem"))) {
            CertificateFactory certificates = CertificateFactory.getInstance("X.509");
            return new Pem(key, (X509Certificate) certificates.generateCertificate(in));
        }
    }
}
