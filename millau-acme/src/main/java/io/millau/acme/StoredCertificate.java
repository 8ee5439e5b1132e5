package io.millau.acme;

import io.millau.core.Certificate;
import io.millau.core.internal.Pem;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Instant;

/**
 * A certificate in the store. Key and chain are in one value, so that they always belong together. Immutable.
 *
 * @param issuer the directory that issued it, see {@link Directory#issuer}
 * @param url of the certificate at the directory
 * @param proof the type of challenge that succeeded, to be used first next time
 */
record StoredCertificate(String issuer, String url, ChallengeType proof, Certificate certificate) {

    private static final String URL = "url";
    private static final String PROOF = "challenge";

    byte[] bytes() {
        String text = Header.line(URL, url)
                + Header.line(PROOF, proof)
                + Pem.text(certificate.key())
                + Pem.text(certificate.chain());
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** @throws IllegalArgumentException if it can't be read, its key and chain don't match, or it isn't for the name */
    static StoredCertificate parse(String issuer, String name, byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        Certificate certificate = Certificate.parse(text, text);
        if (!certificate.fits(name)) {
            throw new IllegalArgumentException("it is for " + certificate.names() + ", expected " + name);
        }
        ChallengeType proof =
                Header.find(text, PROOF).flatMap(ChallengeType::of).orElse(ChallengeType.HTTP);
        return new StoredCertificate(issuer, Header.get(text, URL), proof, certificate);
    }

    /** Whether to use this one instead of another of the same name: they differ, and this one expires no earlier. */
    boolean replaces(StoredCertificate other) {
        return !certificate.equals(other.certificate) && !expires().isBefore(other.expires());
    }

    Instant begins() {
        return leaf().getNotBefore().toInstant();
    }

    Instant expires() {
        return certificate.expires();
    }

    X509Certificate leaf() {
        return certificate.chain().get(0);
    }
}
