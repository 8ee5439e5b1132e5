package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.CertificateStatus;
import io.millau.core.testing.CapturedLog;
import io.millau.core.testing.MovableClock;
import java.net.URI;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The operator learns what a wildcard needs when the service appears: nobody was told before a client asked for such a name. */
class WildcardsWithoutDnsTest {

    private static final String WILDCARD = "*.millau-proxy.org";

    private final MovableClock clock = new MovableClock();
    private final CapturedLog log = new CapturedLog();
    private AcmeCertificates certificates;

    @BeforeEach
    void start() {
        certificates = builder().start();
    }

    /** Nothing of this contacts the directory. */
    private AcmeCertificates.Builder builder() {
        return AcmeCertificates.builder(new MemoryStore(clock))
                .directories(List.of(URI.create("https://ca.millau-proxy.org/directory")))
                .clock(clock);
    }

    @AfterEach
    void close() {
        certificates.close();
        log.close();
    }

    @Test
    void oneThatNeedsDnsIsReportedOnce() {
        certificates.wanted(Set.of(WILDCARD));
        certificates.wanted(Set.of(WILDCARD, "*"));

        assertThat(log.about("No certificate name=" + WILDCARD))
                .singleElement()
                .asString()
                .contains("WARN", "reason=\"" + onlyStatus().trouble() + "\"");
        assertThat(onlyStatus().names()).containsExactly(WILDCARD);
        assertThat(onlyStatus().trouble()).contains("by DNS alone", "set ACME_DNS", "CERTS");
        assertThat(onlyStatus().renewal()).isNull();
    }

    private CertificateStatus onlyStatus() {
        assertThat(certificates.status()).hasSize(1);
        return certificates.status().get(0);
    }

    @Test
    void itIsNoProblemWithoutAServiceOfTheName() {
        certificates.wanted(Set.of(WILDCARD));
        certificates.wanted(Set.of());
        assertThat(certificates.status()).isEmpty();

        certificates.wanted(Set.of(WILDCARD));
        assertThat(log.about("No certificate name=" + WILDCARD)).hasSize(2);
    }

    @Test
    void oneThatNoDirectoryCertifiesIsIgnored() {
        certificates.wanted(Set.of("*.shop.local", "*.10.0.0.1"));

        assertThat(certificates.status()).isEmpty();
        assertThat(log.about("No certificate")).isEmpty();
    }

    @Test
    void itIsNoProblemWhereNamesAreProvedByDns() {
        try (AcmeCertificates byDns =
                builder().dns(DnsChallenge.parse("acme-dns://localhost:1")).start()) {
            byDns.wanted(Set.of(WILDCARD), Set.of());

            assertThat(byDns.status())
                    .noneMatch(status -> String.valueOf(status.trouble()).contains("ACME_DNS"));
            assertThat(log.about("ACME_DNS")).isEmpty();
        }
    }
}
