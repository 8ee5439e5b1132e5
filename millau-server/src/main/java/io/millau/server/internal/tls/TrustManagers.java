package io.millau.server.internal.tls;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Collection;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** Trust managers of the JDK, which verify certificates (RFC 5280, 6) against given CAs. */
final class TrustManagers {

    private TrustManagers() {}

    /** Trust managers that trust these CAs only. */
    static TrustManager[] trusting(Collection<X509Certificate> certificates) throws GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        try {
            trusted.load(null, null);
        } catch (IOException e) {
            throw new GeneralSecurityException(e); // it reads nothing
        }
        int number = 0;
        for (X509Certificate certificate : certificates) {
            trusted.setCertificateEntry(String.valueOf(number++), certificate);
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(trusted);
        return factory.getTrustManagers();
    }
}
