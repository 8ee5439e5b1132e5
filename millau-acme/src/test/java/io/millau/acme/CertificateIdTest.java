package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import java.math.BigInteger;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class CertificateIdTest {

    private final X509Certificate certificate = mock(X509Certificate.class);

    private void hasAuthorityKeyIdentifier(String der) {
        when(certificate.getExtensionValue("2.5.29.35"))
                .thenReturn(HexFormat.of().parseHex(der.replace(" ", "")));
    }

    @Test
    void theExampleOfTheRfcHasTheIdThatIsThere() {
        hasAuthorityKeyIdentifier("04 18 30 16 80 14 69885B6B87464041E1B37B847BA0AE2CDE01C8D4");
        when(certificate.getSerialNumber()).thenReturn(new BigInteger("87654321", 16));

        assertThat(CertificateId.of(certificate)).contains("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
    }

    @Test
    void aCertificateThatDoesNotNameItsKeyHasNone() {
        assertThat(CertificateId.of(certificate)).isEmpty();

        // The issuer's serial number alone.
        hasAuthorityKeyIdentifier("04 05 30 03 82 01 07");
        assertThat(CertificateId.of(certificate)).isEmpty();
    }
}
