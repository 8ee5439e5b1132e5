package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.acme.testing.Pebble;
import io.millau.acme.testing.RequiresPebble;
import io.millau.core.Certificate;
import io.millau.core.testing.CapturedLog;
import io.millau.core.testing.FreePorts;
import io.millau.core.testing.MovableClock;
import java.net.URI;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** CAs that are down, reject requests or send invalid responses, failing stores, and renewal despite all that. */
@RequiresPebble
class AcmeTroubleTest {

    private static final String NAME = "shop.millau-proxy.org";
    private static final String OTHER = "other.millau-proxy.org";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration LONGEST_PAUSE = Duration.ofHours(16);

    private static Pebble ca;

    private final MovableClock clock = new MovableClock();
    private final MemoryStore store = new MemoryStore(clock);
    private final long issuedBefore = ca.issued();
    private final ChallengeServers challengeServers = new ChallengeServers();
    private final CapturedLog log = new CapturedLog();
    private Front front;

    @BeforeEach
    void open() throws Exception {
        ca.startAgain();
        front = new Front(ca);
    }

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
        log.close();
        challengeServers.close();
        front.close();
    }

    private AcmeCertificates start(URI... directories) {
        AcmeCertificates certificates = AcmeCertificates.builder(store)
                .directories(List.of(directories))
                .trusted(Stream.concat(ca.trusted().stream(), front.trusted().stream())
                        .toList())
                .clock(clock)
                .start();
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

    private static Certificate awaitOther(AcmeCertificates certificates, String name, Certificate before) {
        await(name).atMost(PATIENCE).until(() -> !certificates.find(name).equals(List.of(before)));
        return certificates.find(name).get(0);
    }

    private void awaitLogged(String part) {
        await(part).atMost(PATIENCE).until(() -> !log.about(part).isEmpty());
    }

    @Test
    void aCaThatIsDownAtTheStartIsUsedOnceItIsUp() throws Exception {
        challengeServers.http(ca);
        ca.stop();
        try (AcmeCertificates certificates = start(ca.directory())) {
            certificates.wanted(Set.of(NAME));
            awaitLogged("No certificate name=" + NAME);
            assertThat(log.about("No certificate")).singleElement().asString().contains("WARN", "can't be reached");
            assertThat(certificates.status()).singleElement().satisfies(missing -> {
                assertThat(missing.names()).containsExactly(NAME);
                assertThat(missing.trouble()).contains("can't be reached");
                assertThat(missing.renewal())
                        .isAfter(clock.instant())
                        .isBefore(clock.instant().plusSeconds(76));
                assertThat(missing.expires()).isNull();
            });
            ca.startAgain();
            clock.forward(Duration.ofMinutes(2));
            Certificate obtained = awaitCertificate(certificates, NAME);
            assertThat(certificates.status()).singleElement().satisfies(there -> {
                assertThat(there.trouble()).isNull();
                assertThat(there.issuer()).isEqualTo(obtained.issuer()).startsWith("Pebble");
                assertThat(there.expires()).isEqualTo(obtained.expires());
                assertThat(there.renewal()).isBetween(clock.instant(), obtained.expires());
            });
            assertThat(log.about("Back what=")).hasSize(1);
        }
    }

    @Test
    void aCertificateIsRenewedAfterTwoThirdsOfItsLifetime() throws Exception {
        challengeServers.http(ca);
        try (AcmeCertificates certificates = start(ca.directory())) {
            certificates.wanted(Set.of(NAME));
            Certificate first = awaitCertificate(certificates, NAME);
            clock.forward(Duration.ofDays(57));
            await().during(Duration.ofMillis(1200)).atMost(PATIENCE).until(() -> issued() == 1);
            clock.forward(Duration.ofDays(4));
            Certificate second = awaitOther(certificates, NAME, first);
            assertThat(second.key()).isNotEqualTo(first.key());
            assertThat(issued()).isEqualTo(2);
        }
    }

    @Test
    void theOldCertificateIsUsedWhileTheCaIsDown() throws Exception {
        challengeServers.http(ca);
        try (AcmeCertificates certificates = start(ca.directory())) {
            certificates.wanted(Set.of(NAME));
            Certificate first = awaitCertificate(certificates, NAME);
            ca.stop();
            clock.forward(Duration.ofDays(61));
            awaitLogged("No certificate name=" + NAME);
            assertThat(certificates.find(NAME)).containsExactly(first);
            ca.startAgain();
            clock.forward(Duration.ofMinutes(2));
            awaitOther(certificates, NAME, first);
        }
    }

    @Test
    void aRenewalThatTheCaSuggestsIsDone() throws Exception {
        challengeServers.http(ca);
        AtomicReference<String> window = new AtomicReference<>(window(Duration.ofDays(50)));
        front.rewrite((path, body) -> path.equals("/dir")
                ? body.replaceFirst("\\{", "{\"renewalInfo\": \"" + front.base() + "/renewal-info\",")
                : body);
        // Retry-After counts from the real time: five hours after the request by the test's clock.
        front.play(path -> path.startsWith("/renewal-info/")
                ? new Front.Response(200, "application/json", window.get(), "Retry-After", "43200")
                : null);
        try (AcmeCertificates certificates = start(front.directory())) {
            certificates.wanted(Set.of(NAME));
            Certificate first = awaitCertificate(certificates, NAME);
            clock.forward(Duration.ofHours(7));
            await().atMost(PATIENCE).until(() -> front.asked("/renewal-info/") == 1);
            clock.forward(Duration.ofHours(4));
            await().during(Duration.ofMillis(1200)).atMost(PATIENCE).until(() -> front.asked("/renewal-info/") == 1);
            assertThat(certificates.find(NAME)).containsExactly(first);

            window.set(window(Duration.ofDays(-2)));
            clock.forward(Duration.ofHours(20));
            awaitOther(certificates, NAME, first);
            // An order with a rejected nonce is sent again unchanged.
            assertThat(front.payloads().stream()
                            .filter(payload -> payload.contains("\"replaces\""))
                            .distinct())
                    .hasSize(1);
        }
    }

    private String window(Duration fromNow) {
        return String.format(
                "{\"suggestedWindow\": {\"start\": \"%s\", \"end\": \"%s\"}}",
                clock.instant().plus(fromNow), clock.instant().plus(fromNow).plus(Duration.ofDays(1)));
    }

    @Test
    void aCaThatLimitsUsIsNotAskedBeforeItsRetryAfter() throws Exception {
        challengeServers.http(ca);
        front.play(path -> new Front.Response(
                429,
                "application/problem+json",
                "{\"type\": \"urn:ietf:params:acme:error:rateLimited\", \"detail\": \"too many orders\"}",
                "Retry-After",
                "10800"));
        try (AcmeCertificates certificates = start(front.directory())) {
            certificates.wanted(Set.of(NAME));
            awaitLogged("No certificate name=" + NAME);
            assertThat(log.about("No certificate"))
                    .singleElement()
                    .asString()
                    .contains("too many orders", "not before");
            long asked = front.asked("/");
            front.play(null);
            clock.forward(Duration.ofHours(2));
            await().during(Duration.ofMillis(1200)).atMost(PATIENCE).until(() -> front.asked("/") == asked);
            clock.forward(Duration.ofHours(2));
            awaitCertificate(certificates, NAME);
        }
    }

    /** After a restart it was asked again at once. */
    @ParameterizedTest
    @ValueSource(strings = {"/order-plz", "/my-order/", "/authZ/", "/chalZ/", "/finalize-order/", "/certZ/"})
    void whatACaLimitsAtAnyStepOutlivesARestart(String step) throws Exception {
        challengeServers.http(ca);
        front.play(path -> path.startsWith(step)
                ? new Front.Response(
                        429,
                        "application/problem+json",
                        "{\"type\": \"urn:ietf:params:acme:error:rateLimited\", \"detail\": \"too many\"}",
                        "Retry-After",
                        "10800")
                : null);
        try (AcmeCertificates certificates = start(front.directory())) {
            certificates.wanted(Set.of(NAME));
            awaitLogged("No certificate name=" + NAME);
        }
        long asked = front.asked("/");
        front.play(null);
        try (AcmeCertificates certificates = start(front.directory())) {
            certificates.wanted(Set.of(NAME));
            awaitLogged("every directory asks to retry later (not before ");
            clock.forward(Duration.ofHours(2));
            await().during(Duration.ofMillis(1200)).atMost(PATIENCE).until(() -> front.asked("/") == asked);
            clock.forward(Duration.ofHours(2));
            awaitCertificate(certificates, NAME);
        }
    }

    /** Each attempt made another account, since its key could not be stored. */
    @ParameterizedTest
    @ValueSource(strings = {"/account/key", "/account/new-key"})
    void aFullStoreMakesNoFurtherAccounts(String value) throws Exception {
        challengeServers.http(ca);
        store.full(name -> name.endsWith(value));
        try (AcmeCertificates certificates = start(front.directory())) {
            certificates.wanted(Set.of(NAME));
            awaitLogged("No certificate name=" + NAME);
            String account = issuer() + "/account/key";
            Optional<byte[]> keys = store.get(issuer() + "/account/new-key");
            assertThat(store.get(account)).isEmpty();
            assertThat(front.asked("/sign-me-up") > 0).isEqualTo(keys.isPresent());

            store.repair();
            clock.forward(Duration.ofMinutes(2));
            awaitCertificate(certificates, NAME);
            Account made = Account.parse(store.get(account).orElseThrow());
            assertThat(store.get(issuer() + "/account/new-key")).isEmpty();
            if (keys.isPresent()) {
                assertThat(made.keys().getPrivate())
                        .isEqualTo(Account.keys(keys.get()).getPrivate());
            }
        }
    }

    /** The front's name in the store. */
    private String issuer() {
        URI directory = front.directory();
        return (directory.getRawAuthority() + "_" + directory.getRawPath()).replaceAll("[^a-z0-9.-]+", "_");
    }

    @Test
    void afterAnInvalidResponseTheNextCaIsUsed() throws Exception {
        challengeServers.http(ca);
        Map<String, Front.Response> invalid = Map.of(
                "HTTP 500",
                new Front.Response(500, "text/plain", "oops"),
                "asks to retry later: HTTP 503 (not before ",
                new Front.Response(503, "text/html", "busy", "Retry-After", "600"),
                "text/html",
                new Front.Response(200, "text/html", "<html>Welcome to nginx!</html>"),
                "Unexpected token",
                new Front.Response(200, "application/json", "{\"newNonce\": "),
                "unknown protocol: gopher",
                new Front.Response(200, "application/json", "{\"newNonce\": \"gopher://x/\"}"),
                "exceeds 524288 bytes",
                new Front.Response(200, "application/json", " ".repeat(1_000_000)));
        try (AcmeCertificates certificates = start(front.directory(), ca.directory())) {
            Set<String> names = new HashSet<>();
            for (Map.Entry<String, Front.Response> entry : invalid.entrySet()) {
                front.play(path -> entry.getValue());
                String name = "host" + names.size() + ".millau-proxy.org";
                names.add(name);
                certificates.wanted(Set.copyOf(names));
                awaitCertificate(certificates, name);
                assertThat(log.about("The ACME directory " + front.directory()))
                        .last()
                        .asString()
                        .contains("WARN", entry.getKey());
            }
        }
    }

    @Test
    void afterAnUnreachableDirectoryTheNextIsUsed() throws Exception {
        challengeServers.http(ca);
        URI dead = URI.create("https://localhost:" + FreePorts.next() + "/dir");
        try (AcmeCertificates certificates = start(dead, ca.directory())) {
            certificates.wanted(Set.of(NAME));
            awaitCertificate(certificates, NAME);
            assertThat(log.about("The ACME directory " + dead))
                    .singleElement()
                    .asString()
                    .contains("can't be reached");
            certificates.wanted(Set.of(NAME, OTHER));
            awaitCertificate(certificates, OTHER);
            assertThat(log.about("The ACME directory " + dead)).hasSize(1);
        }
        try (AcmeCertificates certificates = start(dead, ca.directory())) {
            certificates.wanted(Set.of(NAME, OTHER));
            awaitCertificate(certificates, NAME);
            awaitCertificate(certificates, OTHER);
        }
        assertThat(issued()).isEqualTo(2);
    }

    @Test
    void aNameThatFailsValidationIsLoggedOnceAndDisturbsNoOther() throws Exception {
        try (AcmeCertificates certificates = start(ca.directory(), front.directory())) {
            certificates.wanted(Set.of(NAME));
            awaitLogged("No certificate name=" + NAME);
            assertThat(log.about("No certificate name=" + NAME))
                    .singleElement()
                    .asString()
                    .contains("http-01 failed", "on port 80?", "tls-alpn-01 failed", "on port 443");
            assertThat(front.asked("/")).isZero();

            clock.forward(Duration.ofMinutes(2));
            await().atMost(PATIENCE).until(() -> certificates.failures(NAME) == 2);
            assertThat(log.about("No certificate name=" + NAME)).hasSize(1);
            challengeServers.http(ca);
            certificates.wanted(Set.of(NAME, OTHER));
            awaitCertificate(certificates, OTHER);
            clock.forward(LONGEST_PAUSE);
            awaitCertificate(certificates, NAME);
            awaitLogged("failures=2");
        }
    }

    @Test
    void aRestartDoesNotRepeatAnOrderThatHasJustFailed() throws Exception {
        try (AcmeCertificates certificates = start(ca.directory())) {
            certificates.wanted(Set.of(NAME));
            awaitLogged("No certificate name=" + NAME);
        }
        challengeServers.http(ca);
        try (AcmeCertificates certificates = start(ca.directory())) {
            certificates.wanted(Set.of(NAME));
            awaitLogged("Not ordered, since an order has just failed name=" + NAME);
            assertThat(certificates.find(NAME)).isEmpty();
            clock.forward(Duration.ofMinutes(2));
            awaitCertificate(certificates, NAME);
            assertThat(store.names("").stream().filter(name -> name.endsWith("/failure")))
                    .hasSize(1);
            clock.forward(Duration.ofHours(7));
            await().atMost(PATIENCE).until(() -> store.names("").stream().noneMatch(name -> name.endsWith("/failure")));
        }
    }

    /** The name's own certificate could be read in between, and each time the log said that the store was back. */
    @Test
    void aStoreThatCannotBeReadInPartIsOneTrouble() throws Exception {
        challengeServers.http(ca);
        AtomicInteger reads = new AtomicInteger();
        store.unreadable(name -> name.endsWith("/failure") && reads.incrementAndGet() > 0);
        try (AcmeCertificates certificates = start(ca.directory())) {
            certificates.wanted(Set.of(NAME));
            for (int i = 0; i < 4; i++) {
                int before = reads.get();
                await().atMost(PATIENCE).until(() -> {
                    clock.forward(Duration.ofSeconds(20));
                    return reads.get() > before;
                });
            }
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(troubles(certificates).get(NAME))
                            .startsWith("the store of certificates fails: value ")
                            .endsWith(" can't be decrypted"));
            store.repair();
            clock.forward(Duration.ofSeconds(20));
            awaitCertificate(certificates, NAME);
        }
        assertThat(log.about("The store of certificates")).hasSize(2);
    }

    /** Until the renewal, for weeks, the status said that the store fails. */
    @Test
    void troubleWithTheStoreIsOverWhenAnotherReplicaHasObtained() throws Exception {
        challengeServers.http(ca);
        MemoryStore ofOther = store.replica();
        ofOther.unreadable(name -> name.endsWith("/failure"));
        try (AcmeCertificates failing = AcmeCertificates.builder(ofOther)
                .directories(List.of(ca.directory()))
                .trusted(ca.trusted())
                .clock(clock)
                .start()) {
            failing.wanted(Set.of(NAME));
            await().atMost(PATIENCE).until(() -> troubles(failing).containsKey(NAME));
            try (AcmeCertificates obtaining = start(ca.directory())) {
                obtaining.wanted(Set.of(NAME));
                awaitCertificate(obtaining, NAME);
                await().atMost(PATIENCE).until(() -> {
                    clock.forward(Duration.ofSeconds(20));
                    return !failing.find(NAME).isEmpty() && troubles(failing).isEmpty();
                });
            }
        }
        assertThat(log.about("Back what=\"The store of certificates\"")).hasSize(1);
    }

    /** The reasons of two names took turns, with a line every ten seconds. */
    @Test
    void eachReasonIsSaidOnceThoughItHasTheName() throws Exception {
        AtomicInteger reads = new AtomicInteger();
        store.unreadable(name -> name.endsWith("/failure") && reads.incrementAndGet() > 0);
        try (AcmeCertificates certificates = start(ca.directory())) {
            certificates.wanted(Set.of(NAME, OTHER));
            for (int i = 0; i < 4; i++) {
                int before = reads.get();
                await().atMost(PATIENCE).until(() -> {
                    clock.forward(Duration.ofSeconds(20));
                    return reads.get() > before + 1;
                });
            }
        }
        assertThat(log.about("The store of certificates")).hasSize(2);
    }

    private static Map<String, String> troubles(AcmeCertificates certificates) {
        Map<String, String> all = new TreeMap<>();
        certificates
                .status()
                .forEach(status -> status.names().forEach(name -> all.put(name, String.valueOf(status.trouble()))));
        all.values().removeIf("null"::equals);
        return all;
    }

    @Test
    void aFailingStoreIsLoggedOnceAndKnownCertificatesStay() throws Exception {
        challengeServers.http(ca);
        try (AcmeCertificates certificates = start(ca.directory())) {
            certificates.wanted(Set.of(NAME));
            Certificate certificate = awaitCertificate(certificates, NAME);
            store.breakDown();
            certificates.wanted(Set.of(NAME, OTHER));
            awaitLogged("The store of certificates");
            assertThat(certificates.find(NAME)).containsExactly(certificate);
            assertThat(troubles(certificates))
                    .containsEntry(OTHER, "the store of certificates fails: the store is broken");
            store.repair();
            clock.forward(Duration.ofSeconds(20));
            awaitCertificate(certificates, OTHER);
            assertThat(log.about("The store of certificates"))
                    .hasSize(2)
                    .element(1)
                    .asString()
                    .contains("Back what=");
        }
    }
}
