package io.millau.server.internal.tls;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Collection;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** Creates trust managers of the JDK, which verify certificates (RFC 5280, 6). Safe for use by several threads. */
final class TrustManagers {

    private TrustManagers() {}

    /** Creates trust managers that trust these certificates and no others. */
    static TrustManager[] trusting(Collection<X509Certificate> certificates) throws GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        try {
            trusted.load(null, null);
        } catch (IOException e) {
            throw new GeneralSecurityException(e); // can't happen: nothing is read
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
