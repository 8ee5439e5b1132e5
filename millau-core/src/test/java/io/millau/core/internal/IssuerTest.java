package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.core.Certificate;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.Test;

/** As Java verifies certificates. That an authority is one has to stand in its certificate. */
class IssuerTest {

    private static final Instant NOW = Instant.now();

    private static void verify(Certificate certificate, Issuer trusted) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("root", trusted.certificate());
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        ((X509TrustManager) factory.getTrustManagers()[0])
                .checkServerTrusted(certificate.chain().toArray(X509Certificate[]::new), "ECDHE_ECDSA");
    }

    @Test
    void itsCertificatesAreTrustedByThoseWhoTrustIt() throws Exception {
        Issuer authority = Issuer.authority("Authority");
        Certificate issued = authority.issue("shop.example", NOW.minusSeconds(60), NOW.plusSeconds(60));

        assertThatCode(() -> verify(issued, authority)).doesNotThrowAnyException();
        assertThatThrownBy(() -> verify(issued, Issuer.authority("Authority"))).hasMessageContaining("PKIX");
        assertThat(issued.names()).containsExactly("shop.example");
        assertThat(issued.issuer()).isEqualTo("Authority");
    }

    @Test
    void anExpiredOneIsNot() throws Exception {
        Issuer authority = Issuer.authority("Authority");
        Certificate expired = authority.issue("shop.example", NOW.minus(Duration.ofDays(9)), NOW.minusSeconds(60));

        assertThatThrownBy(() -> verify(expired, authority))
                .hasRootCauseMessage("NotAfter: " + expired.chain().get(0).getNotAfter());
    }
}
