package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.acme.testing.Pebble;
import io.millau.acme.testing.RequiresPebble;
import io.millau.core.Certificate;
import io.millau.core.testing.CapturedLog;
import io.millau.core.testing.MovableClock;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Certificates from a real CA. */
@RequiresPebble
class AcmeCertificatesTest {

    private static final String NAME = "shop.millau-proxy.org";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static Pebble ca;

    private final MovableClock clock = new MovableClock();
    private final MemoryStore store = new MemoryStore(clock);
    private final long issuedBefore = ca.issued();
    private final ChallengeServers challengeServers = new ChallengeServers();

    @BeforeAll
    static void startCa() {
        ca = Pebble.start();
    }

    @AfterAll
    static void stopCa() {
        ca.close();
    }

    @AfterEach
    void close() throws Exception {
        challengeServers.close();
    }

    private AcmeCertificates.Builder builder() {
        return AcmeCertificates.builder(store)
                .directories(List.of(ca.directory()))
                .trusted(ca.trusted())
                .clock(clock);
    }

    private AcmeCertificates start(AcmeCertificates.Builder builder) {
        AcmeCertificates certificates = builder.start();
        challengeServers.only(certificates);
        return certificates;
    }

    private long issued() {
        return ca.issued() - issuedBefore;
    }

    private static Certificate awaitCertificate(AcmeCertificates certificates, String name) {
        await(name).atMost(PATIENCE).until(() -> !certificates.find(name).isEmpty());
        return certificates.find(name).get(0);
    }

    @Test
    void aWantedNameGetsACertificate() throws Exception {
        challengeServers.http(ca);
        try (CapturedLog log = new CapturedLog();
                AcmeCertificates certificates = start(builder().email("admin@millau-proxy.org"))) {
            assertThat(certificates.find(NAME)).isEmpty();
            certificates.wanted(Set.of(NAME));

            Certificate certificate = awaitCertificate(certificates, NAME);

            assertThat(certificate.names()).containsExactly(NAME);
            assertThat(certificate.chain()).hasSizeGreaterThan(1);
            assertThat(certificate.isValid(clock.instant())).isTrue();
            assertThat(certificates.find(null)).isEmpty();
            assertThat(certificates.find("other.millau-proxy.org")).isEmpty();
            await().atMost(PATIENCE)
                    .untilAsserted(
                            () -> assertThat(log.about("challenge=http-01")).hasSize(1));
            assertThat(log.about("accepts the directory's terms of service"))
                    .singleElement()
                    .asString()
                    .contains(ca.directory().toString(), "admin@millau-proxy.org");
        }
        assertThat(store.names("challenges/")).isEmpty();
    }

    @Test
    void tlsAlpnIsUsedIfPort80IsClosed() throws Exception {
        challengeServers.tls(ca);
        try (AcmeCertificates certificates = start(builder())) {
            certificates.wanted(Set.of(NAME));
            assertThat(awaitCertificate(certificates, NAME).names()).containsExactly(NAME);
        }
        assertThat(store.names("challenges/")).isEmpty();
    }

    @Test
    void aRestartOrdersNothing() throws Exception {
        challengeServers.http(ca);
        try (Front front = new Front(ca)) {
            AcmeCertificates.Builder builder =
                    builder().directories(List.of(front.directory())).trusted(front.trusted());
            Certificate before;
            try (AcmeCertificates certificates = start(builder)) {
                certificates.wanted(Set.of(NAME));
                before = awaitCertificate(certificates, NAME);
            }
            long asked = front.asked("/");
            assertThat(asked).isPositive();
            try (AcmeCertificates certificates = start(builder)) {
                certificates.wanted(Set.of(NAME));
                assertThat(awaitCertificate(certificates, NAME)).isEqualTo(before);
                // Long enough to check all names for due orders.
                await().during(Duration.ofMillis(1200)).atMost(PATIENCE).until(() -> front.asked("/") == asked);
            }
        }
    }

    @Test
    void fiftyNamesAreObtainedAtOnce() throws Exception {
        challengeServers.http(ca);
        Set<String> names = IntStream.range(0, 50)
                .mapToObj(i -> "host" + i + ".millau-proxy.org")
                .collect(Collectors.toSet());
        try (AcmeCertificates certificates = start(builder())) {
            certificates.wanted(names);
            await().atMost(PATIENCE)
                    .until(() -> names.stream()
                            .noneMatch(name -> certificates.find(name).isEmpty()));
        }
        assertThat(issued()).isEqualTo(50);
    }

    @Test
    void aDamagedCertificateIsSetAsideAndOrderedAgain() throws Exception {
        challengeServers.http(ca);
        Certificate before;
        try (AcmeCertificates certificates = start(builder())) {
            certificates.wanted(Set.of(NAME));
            before = awaitCertificate(certificates, NAME);
        }
        String value = store.names("").stream()
                .filter(name -> name.endsWith(NAME + "/certificate"))
                .findFirst()
                .orElseThrow();
        byte[] bytes = store.get(value).orElseThrow();
        store.put(
                value,
                new String(bytes, StandardCharsets.UTF_8).substring(0, 700).getBytes(StandardCharsets.UTF_8));
        challengeServers.removeAll();
        try (CapturedLog log = new CapturedLog();
                AcmeCertificates certificates = start(builder())) {
            certificates.wanted(Set.of(NAME));
            assertThat(awaitCertificate(certificates, NAME)).isNotEqualTo(before);
            assertThat(log.about("Set aside")).singleElement().asString().contains("WARN", value);
        }
        assertThat(store.get(value + ".aside")).isPresent();
    }

    @Test
    void invalidNamesAreNotOrdered() throws Exception {
        challengeServers.http(ca);
        try (AcmeCertificates certificates = start(builder())) {
            certificates.wanted(
                    Set.of("*", "*.millau-proxy.org", "10.0.0.1", "[::1]", "::1", "my_app.millau-proxy.org", "", NAME));
            awaitCertificate(certificates, NAME);
        }
        assertThat(issued()).isEqualTo(1);
        assertThat(store.names("").stream().filter(name -> name.endsWith("/certificate")))
                .hasSize(1);
    }

    @Test
    void theCertificateOfANameThatIsNoLongerWantedIsStillFound() throws Exception {
        challengeServers.http(ca);
        try (AcmeCertificates certificates = start(builder())) {
            certificates.wanted(Set.of(NAME));
            Certificate certificate = awaitCertificate(certificates, NAME);
            certificates.wanted(Set.of("other.millau-proxy.org"));
            awaitCertificate(certificates, "other.millau-proxy.org");
            assertThat(certificates.find(NAME)).containsExactly(certificate);

            clock.forward(Duration.ofDays(89)); // long after its renewal was due
            await().during(Duration.ofSeconds(2))
                    .atMost(PATIENCE)
                    .until(() -> certificates.find(NAME).equals(List.of(certificate)));
            clock.forward(Duration.ofDays(2));
            await().atMost(PATIENCE).until(() -> certificates.find(NAME).isEmpty());
        }
    }

    @Test
    void anAccountThatTheCaDoesNotKnowIsCreatedAgain() throws Exception {
        challengeServers.http(ca);
        try (AcmeCertificates certificates = start(builder())) {
            certificates.wanted(Set.of(NAME));
            awaitCertificate(certificates, NAME);
            ca.stop();
            ca.startAgain();
            certificates.wanted(Set.of(NAME, "other.millau-proxy.org"));
            awaitCertificate(certificates, "other.millau-proxy.org");
        }
        assertThat(store.names("").stream().filter(name -> name.contains("/account/")))
                .hasSize(2);
    }

    @Test
    void anExternalAccountIsBoundIfTheCaRequiresOne() throws Exception {
        String hmac = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
        try (Pebble choosy = Pebble.with()
                        .httpPort(ca.httpPort())
                        .externalAccount("customer-1", hmac)
                        .start();
                CapturedLog log = new CapturedLog()) {
            challengeServers.http(choosy);
            AcmeCertificates.Builder builder = AcmeCertificates.builder(store)
                    .directories(List.of(choosy.directory()))
                    .trusted(choosy.trusted())
                    .clock(clock);
            try (AcmeCertificates certificates = start(builder)) {
                certificates.wanted(Set.of(NAME));
                await().atMost(PATIENCE)
                        .until(() -> !log.about("No certificate name=" + NAME).isEmpty());
                assertThat(log.about("No certificate"))
                        .singleElement()
                        .asString()
                        .contains("external account binding");
            }
            challengeServers.removeAll();
            try (AcmeCertificates certificates = start(builder.externalAccount("customer-1", hmac))) {
                certificates.wanted(Set.of(NAME));
                awaitCertificate(certificates, NAME);
            }
        }
    }
}
