package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.cert.CertPathBuilderException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.shredzone.acme4j.exception.AcmeNetworkException;

class OrderExceptionTest {

    @Test
    void aDirectoryThatIsNotTrustedIsToldApartFromOneThatIsAway() {
        SSLHandshakeException untrusted = new SSLHandshakeException("PKIX path building failed");
        untrusted.initCause(
                new CertPathBuilderException("unable to find valid certification path to requested target"));

        assertThat(OrderException.of(new AcmeNetworkException(untrusted)))
                .hasMessage(
                        "can't be reached: unable to find valid certification path to requested target; if its CA is"
                                + " not a public one, give that as ACME_CA");
        assertThat(OrderException.of(new AcmeNetworkException(new SSLHandshakeException("no common version"))))
                .hasMessage("can't be reached: no common version");
    }
}
