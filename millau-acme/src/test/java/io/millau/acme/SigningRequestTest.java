package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.KeyPair;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.junit.jupiter.api.Test;

class SigningRequestTest {

    @Test
    void anotherLibraryReadsIt() throws Exception {
        KeyPair keys = Keys.generate();

        PKCS10CertificationRequest request = new PKCS10CertificationRequest(SigningRequest.of("*.shop.example", keys));

        assertThat(request.isSignatureValid(new JcaContentVerifierProviderBuilder().build(keys.getPublic())))
                .isTrue();
        assertThat(request.getSubject().getRDNs()).isEmpty();
        assertThat(GeneralNames.fromExtensions(request.getRequestedExtensions(), Extension.subjectAlternativeName))
                .isEqualTo(new GeneralNames(new GeneralName(GeneralName.dNSName, "*.shop.example")));
    }
}
