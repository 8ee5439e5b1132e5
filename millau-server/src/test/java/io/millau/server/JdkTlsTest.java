package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.testing.Authority;
import io.millau.core.testing.TrustAll;
import java.security.AlgorithmConstraints;
import java.security.AlgorithmParameters;
import java.security.CryptoPrimitive;
import java.security.Key;
import java.util.Set;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** HTTPS with the JDK's TLS, the default of embedders. */
class JdkTlsTest extends TlsTest {

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void theClientGetsACertificateWithAKeyTypeItSupports(String protocol) throws Exception {
        Certificate rsa =
                Authority.root("root").order().rsa().names("one.example").issue();
        certificates = CertificateSource.of(one, rsa);
        startWith(endpointThatSays("ok"));
        SSLSocket old = connect(TrustAll.context(), null, protocol);
        SSLParameters parameters = old.getSSLParameters();
        parameters.setAlgorithmConstraints(new WithoutEcdsa());
        old.setSSLParameters(parameters);
        old.startHandshake();

        assertThat(old.getSession().getPeerCertificates()[0])
                .isEqualTo(rsa.chain().get(0));
        assertThat(shown(null)).isEqualTo(one.chain().get(0));
    }

    private static final class WithoutEcdsa implements AlgorithmConstraints {
        @Override
        public boolean permits(Set<CryptoPrimitive> primitives, String algorithm, AlgorithmParameters parameters) {
            return !algorithm.contains("ECDSA");
        }

        @Override
        public boolean permits(Set<CryptoPrimitive> primitives, Key key) {
            return true;
        }

        @Override
        public boolean permits(
                Set<CryptoPrimitive> primitives, String algorithm, Key key, AlgorithmParameters parameters) {
            return permits(primitives, algorithm, parameters);
        }
    }
}
