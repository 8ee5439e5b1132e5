package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.core.Certificate;
import io.millau.core.internal.Pem;
import io.millau.core.testing.MovableClock;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StoredCertificateTest {

    private static final String NAME = "shop.millau-proxy.org";

    private final MovableClock clock = new MovableClock();
    private final MemoryStore store = new MemoryStore(clock);
    private final StoredCertificates certificates = new StoredCertificates(store, List.of("first_dir", "second_dir"));

    private static StoredCertificate of(String issuer) {
        return new StoredCertificate(issuer, "https://ca/cert/1", ChallengeType.TLS, Certificate.selfSigned(NAME));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void aWrittenCertificateCanBeRead() {
        StoredCertificate certificate = of("first_dir");
        assertThat(new String(certificate.bytes(), StandardCharsets.UTF_8))
                .startsWith("url: https://ca/cert/1\nchallenge: tls-alpn-01\n-----BEGIN PRIVATE KEY-----\n");
        assertThat(StoredCertificate.parse("first_dir", NAME, certificate.bytes()))
                .isEqualTo(certificate);
    }

    @Test
    void aKeyAndAChainOfDifferentOrdersAreRejected() {
        String mixed =
                "url: https://ca/cert/1\n" + Pem.text(of("x").certificate().key())
                        + Pem.text(of("x").certificate().chain());
        assertThatThrownBy(() -> StoredCertificate.parse("x", NAME, bytes(mixed)))
                .hasMessageContaining("the key is not the certificate's");
    }

    @Test
    void aCertificateForAnotherNameIsRejected() {
        assertThatThrownBy(() -> StoredCertificate.parse("x", "other.org", of("x").bytes()))
                .hasMessage("it is for [" + NAME + "], expected other.org");
    }

    @Test
    void aDamagedCertificateIsSetAsideAndAnotherOneFound() throws Exception {
        StoredCertificate good = of("second_dir");
        certificates.put(NAME, good);
        store.put("first_dir/" + NAME + "/certificate", bytes("\u0000nonsense"));
        assertThat(certificates.find(NAME)).contains(good);
        assertThat(store.names("first_dir/")).containsExactly("first_dir/" + NAME + "/certificate.aside");
    }

    @Test
    void damageCausesNoException() throws Exception {
        Random random = new Random(1);
        byte[] good = of("first_dir").bytes();
        for (int i = 0; i < 100; i++) {
            byte[] damaged = Arrays.copyOf(good, random.nextInt(good.length) + 1);
            for (int flips = random.nextInt(4); flips >= 0; flips--) {
                damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
            }
            store.put("first_dir/" + NAME + "/certificate", damaged);
            assertThatCode(() -> certificates.find(NAME)).doesNotThrowAnyException();
        }
    }

    @Test
    void expiredCertificatesAreSweptAMonthLater() throws Exception {
        certificates.put(NAME, of("first_dir"));
        clock.forward(Duration.ofDays(380));
        certificates.sweep(clock.instant());
        assertThat(certificates.find(NAME)).isPresent();
        clock.forward(Duration.ofDays(30));
        certificates.sweep(clock.instant());
        assertThat(store.names("")).isEmpty();
    }
}
