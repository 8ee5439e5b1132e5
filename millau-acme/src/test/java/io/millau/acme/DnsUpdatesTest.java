package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.acme.testing.Pebble;
import io.millau.acme.testing.RequiresPebble;
import io.millau.core.Certificate;
import io.millau.core.testing.CapturedLog;
import io.millau.core.testing.FreePorts;
import io.millau.core.testing.MovableClock;
import io.millau.core.testing.RequiresCommands;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xbill.DNS.Name;

/** Wildcard certificates of a real CA, which asks a real name server for what an update has put there. */
@RequiresPebble
@RequiresCommands(Bind.NAMED)
class DnsUpdatesTest {

    private static final String ZONE = "millau-proxy.org";
    private static final String WILDCARD = "*." + ZONE;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private static Path shared;

    private static Bind bind;
    private static Pebble ca;

    @TempDir
    private Path folder;

    private final MovableClock clock = new MovableClock();
    private final MemoryStore store = new MemoryStore(clock);
    private final long issuedBefore = ca.issued();
    private Path secret;

    @BeforeAll
    static void start() throws Exception {
        bind = Bind.primary(
                shared.resolve("primary"),
                0,
                "_acme-challenge.moved CNAME _acme-challenge.proofs\n"
                        + "_acme-challenge.loop CNAME _acme-challenge.loop\n",
                ZONE);
        ca = Pebble.with().dnsServer(bind.port()).start();
    }

    @AfterAll
    static void stop() throws Exception {
        ca.close();
        bind.close();
    }

    @BeforeEach
    void writeSecret() throws Exception {
        secret = Files.writeString(folder.resolve("tsig"), Bind.SECRET + "\n");
    }

    private String url(Bind server) {
        return "rfc2136://127.0.0.1:" + server.port() + "?key=" + Bind.KEY + "&algorithm=hmac-sha256&secret-file="
                + secret;
    }

    private AcmeCertificates start(String url) {
        return AcmeCertificates.builder(store)
                .directories(List.of(ca.directory()))
                .trusted(ca.trusted())
                .clock(clock)
                .dns(DnsChallenge.parse(url))
                .start();
    }

    private long issued() {
        return ca.issued() - issuedBefore;
    }

    private static Certificate awaitCertificate(AcmeCertificates certificates, String name) {
        await(name).atMost(PATIENCE).until(() -> !certificates.find(name).isEmpty());
        return certificates.find(name).get(0);
    }

    @Test
    void oneWildcardCertificateServesAllSubdomains() throws Exception {
        try (CapturedLog log = new CapturedLog();
                AcmeCertificates certificates = start(url(bind))) {
            certificates.wanted(Set.of(WILDCARD, ZONE, "shop." + ZONE, "*", "*.com"));

            Certificate wildcard = awaitCertificate(certificates, "shop." + ZONE);
            assertThat(wildcard.names()).containsExactly(WILDCARD);
            assertThat(certificates.find("blog." + ZONE)).containsExactly(wildcard);
            assertThat(certificates.find("a.blog." + ZONE)).isEmpty();
            assertThat(awaitCertificate(certificates, ZONE).names()).containsExactly(ZONE);
            await().atMost(PATIENCE)
                    .untilAsserted(
                            () -> assertThat(log.about("challenge=dns-01")).hasSize(2));
        }
        assertThat(issued()).isEqualTo(2);
        assertThat(bind.texts("_acme-challenge." + ZONE)).isEmpty();

        try (AcmeCertificates restarted = start(url(bind))) {
            restarted.wanted(Set.of(WILDCARD, ZONE));
            awaitCertificate(restarted, "other." + ZONE);
            awaitCertificate(restarted, ZONE);
        }
        assertThat(issued()).isEqualTo(2);
    }

    /** It was forgotten as soon as a wildcard was wanted, and clients got another one until that was there. */
    @Test
    void aListedNameKeepsItsCertificateWhileTheWildcardCannotBeHad() throws Exception {
        String name = "www.kept." + ZONE;
        Certificate before;
        try (AcmeCertificates certificates = start(url(bind))) {
            certificates.wanted(Set.of(name));
            before = awaitCertificate(certificates, name);
        }
        try (CapturedLog log = new CapturedLog();
                AcmeCertificates certificates = start(url(bind).replace(Bind.KEY, "other-key"))) {
            certificates.wanted(Set.of(name, "*.kept." + ZONE));
            assertThat(awaitCertificate(certificates, name)).isEqualTo(before);
            await().atMost(PATIENCE)
                    .until(() ->
                            !log.about("No certificate name=*.kept." + ZONE).isEmpty());
            assertThat(certificates.find(name)).containsExactly(before);
        }
        clock.forward(Duration.ofMinutes(20)); // the failed order's pause
        try (AcmeCertificates certificates = start(url(bind))) {
            certificates.wanted(Set.of(name, "*.kept." + ZONE));
            awaitCertificate(certificates, "other.kept." + ZONE);
            clock.forward(Duration.ofDays(70)); // the wildcard alone is renewed
            await().atMost(PATIENCE).until(() -> issued() == 3);
        }
    }

    @Test
    void replicasOrderOneWildcardCertificate() {
        try (AcmeCertificates one = start(url(bind));
                AcmeCertificates other = start(url(bind))) {
            one.wanted(Set.of("*.shared." + ZONE));
            other.wanted(Set.of("*.shared." + ZONE));
            Certificate certificate = awaitCertificate(one, "a.shared." + ZONE);
            assertThat(awaitCertificate(other, "a.shared." + ZONE)).isEqualTo(certificate);
        }
        assertThat(issued()).isEqualTo(1);
    }

    @Test
    void itIsRenewedByTheSameProof() {
        try (AcmeCertificates certificates = start(url(bind))) {
            certificates.wanted(Set.of("*.renewed." + ZONE));
            Certificate first = awaitCertificate(certificates, "a.renewed." + ZONE);
            clock.forward(Duration.ofDays(75));
            await().atMost(PATIENCE)
                    .until(() -> !certificates.find("a.renewed." + ZONE).equals(List.of(first)));
        }
        assertThat(issued()).isEqualTo(2);
    }

    /** The record of another zone may be easier to change. */
    @Test
    void aliasesAreFollowed() {
        try (AcmeCertificates certificates = start(url(bind))) {
            certificates.wanted(Set.of("*.moved." + ZONE));
            awaitCertificate(certificates, "a.moved." + ZONE);
        }
    }

    @Test
    void theKeyMayBeWhatTsigKeygenWrites() throws Exception {
        Files.writeString(
                secret,
                "key \"" + Bind.KEY + "\" {\n\talgorithm hmac-sha256;\n\tsecret \"" + Bind.SECRET + "\";\n};\n");
        try (AcmeCertificates certificates = start(url(bind))) {
            certificates.wanted(Set.of("*.keygen." + ZONE));
            awaitCertificate(certificates, "a.keygen." + ZONE);
        }
    }

    private void assertFails(String url, String name, String... reasons) {
        try (CapturedLog log = new CapturedLog();
                AcmeCertificates certificates = start(url)) {
            certificates.wanted(Set.of(name));
            await().atMost(PATIENCE)
                    .until(() -> !log.about("No certificate name=" + name).isEmpty());
            assertThat(log.about("No certificate name=" + name))
                    .singleElement()
                    .asString()
                    .contains(reasons)
                    .doesNotContain(Bind.SECRET);
        }
        assertThat(issued()).isZero();
    }

    @Test
    void failuresSayWhatToDo() throws Exception {
        assertFails(
                url(bind).replace(Bind.KEY, "other-key"),
                "*.a." + ZONE,
                "the name server 127.0.0.1:" + bind.port(),
                "it rejects the signature");
        assertFails(url(bind), "*.b.millau-proxy.com", "it has no zone for _acme-challenge.b.millau-proxy.com.");
        assertFails(url(bind), "*.loop." + ZONE, "too many CNAME records");
        assertFails(
                url(bind),
                "*.denied." + ZONE,
                "it refuses the update: expected that the key " + Bind.KEY + ". may change TXT records",
                "in the zone " + ZONE);
        assertFails(
                "rfc2136://127.0.0.1:" + FreePorts.next() + "?key=k&secret-file=" + secret, "*.c." + ZONE, "refused");
        Files.writeString(secret, "no key at all");
        assertFails(url(bind), "*.d." + ZONE, secret + " has no key: expected it in Base64");
        Files.delete(secret);
        assertFails(url(bind), "*.e." + ZONE, "the key can't be read from " + secret);
    }

    /** Authorities ask any name server of a zone; one that gets its copy a moment later would fail the challenge. */
    @Test
    void theRecordIsAwaitedAtTheOtherNameServers() throws Exception {
        int port = FreePorts.next();
        try (Bind primary = Bind.primary(folder.resolve("primary"), port, "", "slow.org");
                Bind secondary = Bind.secondary(folder.resolve("secondary"), port, primary, "slow.org")) {
            DnsUpdates updates = new DnsUpdates(
                    new DnsUpdates.Server("127.0.0.1", primary.port()),
                    Name.fromString(Bind.KEY, Name.root),
                    "hmac-sha256",
                    secret,
                    port);
            for (int i = 0; i < 5; i++) {
                Challenges.Response response = updates.publish("slow.org", "digest" + i, new Deadline(PATIENCE));
                assertThat(secondary.texts("_acme-challenge.slow.org")).contains("\"digest" + i + "\"");
                response.close();
            }
        }
    }
}
