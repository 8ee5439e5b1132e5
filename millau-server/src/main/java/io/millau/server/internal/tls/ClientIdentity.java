package io.millau.server.internal.tls;

import io.millau.server.internal.http.Http1;
import java.security.cert.Certificate;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Set;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * The identity of a client whose certificate was verified. Immutable.
 *
 * @param ca the CA certificates that were trusted to verify it
 * @param certificate its own certificate
 * @param fields its certificates as header fields, {@code Client-Cert} and {@code Client-Cert-Chain} (RFC 9440, 2)
 */
public record ClientIdentity(Set<X509Certificate> ca, X509Certificate certificate, byte[] fields) {

    /** @throws SSLPeerUnverifiedException if the client sent no certificate, or one that can't be encoded */
    static ClientIdentity of(SSLSession session, Set<X509Certificate> ca) throws SSLPeerUnverifiedException {
        Certificate[] chain = session.getPeerCertificates();
        try {
            StringBuilder fields = new StringBuilder("Client-Cert: ").append(item(chain[0]));
            for (int i = 1; i < chain.length; i++) {
                fields.append(i == 1 ? "\r\nClient-Cert-Chain: " : ", ").append(item(chain[i]));
            }
            return new ClientIdentity(
                    ca,
                    (X509Certificate) chain[0],
                    Http1.ascii(fields.append("\r\n").toString()));
        } catch (CertificateEncodingException e) {
            throw new SSLPeerUnverifiedException("certificate that can't be encoded: " + e.getMessage());
        }
    }

    /** A byte sequence (RFC 9651, 3.3.5). */
    private static String item(Certificate certificate) throws CertificateEncodingException {
        return ":" + Base64.getEncoder().encodeToString(certificate.getEncoded()) + ":";
    }
}
