package io.millau.server.internal.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.CertificateStatus;
import io.millau.core.Endpoint;
import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.internal.Pem;
import io.millau.core.testing.Authority;
import io.millau.core.testing.CapturedLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CertificatesTest {

    private static final Authority ROOT = Authority.root("root");

    private final Obtaining obtaining = new Obtaining();
    private @Nullable Certificates certificates;

    /** A source that records which names are wanted. */
    private static final class Obtaining implements CertificateSource {
        final List<Set<String>> wanted = new CopyOnWriteArrayList<>();
        volatile Set<String> served = Set.of();
        volatile CertificateSource has = CertificateSource.of();
        volatile Set<String> orders = Set.of();
        volatile @Nullable String trouble;

        @Override
        public List<Certificate> find(@Nullable String serverName) {
            return serverName == null ? List.of() : has.find(serverName);
        }

        @Override
        public void wanted(Set<String> names, Set<String> served) {
            this.served = served;
            wanted.add(names);
        }

        @Override
        public List<CertificateStatus> status() {
            return orders.stream()
                    .map(name -> CertificateStatus.of(Set.of(name), "test", null, null, null, trouble))
                    .toList();
        }
    }

    private Certificates start(CertificateSource... sources) {
        certificates = new Certificates(List.of(sources), Clock.systemUTC());
        return certificates;
    }

    @AfterEach
    void close() {
        if (certificates != null) {
            certificates.close();
        }
    }

    @Test
    void aSourceIsAskedForNamesThatNoOtherSourceHas() {
        CertificateSource files = CertificateSource.of(
                ROOT.issue("filed.example", "*.filed.example"),
                ROOT.order().names("expired.example").expired().issue());
        Certificates all = start(files, obtaining);
        all.replace(List.of(
                Service.named("a")
                        .hosts("*", "a.example", "filed.example", "www.filed.example", "expired.example")
                        .build(),
                Service.named("b")
                        .hosts("b.example")
                        .certificate(ROOT.issue("b.example"))
                        .build(),
                Service.named("c").hosts("c.example").enabled(false).build()));
        all.start();
        awaitWanted("a.example", "expired.example");

        // Names that it has already obtained itself stay wanted.
        obtaining.has = CertificateSource.of(ROOT.issue("a.example"));
        all.replace(List.of(Service.named("a").hosts("a.example", "b.example").build()));
        awaitWanted("a.example", "b.example");
        all.replace(List.of());
        awaitWanted();
    }

    @Test
    void aSourceIsToldWhichNamesAreServed() {
        Endpoint endpoint = Endpoint.http("127.0.0.1", 8080);
        Certificates all = start(obtaining);
        all.replace(List.of(
                Service.named("runs")
                        .hosts("*", "a.example")
                        .endpoints(endpoint)
                        .build(),
                Service.named("rests").hosts("a.example", "b.example").build()));
        all.start();
        awaitWanted("a.example", "b.example");
        assertThat(obtaining.served).containsExactly("a.example");

        all.replace(List.of(
                Service.named("runs").hosts("a.example").endpoints(endpoint).build(),
                Service.named("rests").hosts("b.example").endpoints(endpoint).build()));
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(obtaining.served).containsExactlyInAnyOrder("a.example", "b.example"));
    }

    private void awaitWanted(String... names) {
        await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            assertThat(obtaining.wanted).isNotEmpty();
            assertThat(obtaining.wanted.get(obtaining.wanted.size() - 1)).containsExactlyInAnyOrder(names);
        });
    }

    @Test
    void nothingIsWantedBeforeTheServicesAreKnown() {
        Certificates all = start(obtaining);
        all.replace(List.of(Service.named("a").hosts("a.example").build()));

        assertThat(obtaining.wanted).isEmpty();
    }

    @Test
    void theBestCertificateOfAllSourcesIsUsed() {
        Certificate label = ROOT.issue("shop.example");
        Certificate later = ROOT.order()
                .names("shop.example")
                .until(Instant.now().plus(Duration.ofDays(200)))
                .issue();
        Certificate wildcard = ROOT.order()
                .names("*.example")
                .until(Instant.now().plus(Duration.ofDays(300)))
                .issue();
        obtaining.has = CertificateSource.of(later, wildcard);
        Certificates all = start(obtaining);
        all.replace(List.of(Service.named("a").certificate(label).build()));

        assertThat(all.find("shop.example")).containsExactly(later, label, wildcard);
        assertThat(all.find("else.example")).containsExactly(wildcard);
        assertThat(all.find("a.b.example")).containsExactly(label);
        assertThat(all.find(null)).containsExactly(label);
    }

    @Test
    void withoutCertificatesThereIsAFallback() {
        Certificates all = start(obtaining);

        assertThat(all.find("shop.example")).isEqualTo(all.find(null)).hasSize(1);
        assertThat(all.find(null).get(0).names()).containsExactly("millau.invalid");
    }

    /** Clients can ask for any name. */
    @Test
    void requestedNamesDoNotAccumulate() {
        Certificates all = start();
        for (int i = 0; i < 5_000; i++) {
            assertThat(all.find("x" + i + ".example")).hasSize(1);
        }
        assertThat(all.namesWithout()).isLessThanOrEqualTo(1_000);
    }

    @Test
    void aCertificateThatExpiresSoonIsReportedOnce() throws Exception {
        Certificate soon = ROOT.order()
                .names("soon.example")
                .until(Instant.now().plus(Duration.ofDays(13)))
                .issue();
        Certificate expired = ROOT.order().names("expired.example").expired().issue();
        Certificate good = ROOT.order()
                .names("good.example")
                .until(Instant.now().plus(Duration.ofDays(15)))
                .issue();
        Path folder = Files.createTempDirectory("certificates");
        Path chain = Files.writeString(folder.resolve("old.crt"), Pem.text(expired.chain()));
        Path key = Files.writeString(folder.resolve("old.key"), Pem.text(expired.key()));
        try (CapturedLog log = new CapturedLog()) {
            Certificates all = start(CertificateSource.folder(folder), obtaining);
            all.replace(List.of(
                    Service.named("shop").enabled(false).certificate(soon).build(),
                    Service.named("web").enabled(false).certificate(good).build(),
                    Service.named("later").hosts("later.example").build()));
            all.start();
            awaitWanted("later.example");
            all.replace(List.of(Service.named("shop")
                    .hosts("last.example")
                    .certificate(soon)
                    .build()));
            awaitWanted("last.example");

            assertThat(log.about("valid for 14 days more")).hasSize(2);
            assertThat(log.about("millau.cert of shop: certificate for soon.example until"))
                    .singleElement()
                    .asString()
                    .contains("expires soon; expected one that is valid for 14 days more");
            assertThat(log.about(chain + ": certificate for expired.example until").stream()
                            .filter(line -> line.contains("WARN")))
                    .singleElement()
                    .asString()
                    .contains("has expired");
        } finally {
            Files.delete(chain);
            Files.delete(key);
            Files.delete(folder);
        }
    }

    @Test
    void aRequestedSubdomainWithoutAHostIsReported() {
        try (CapturedLog log = new CapturedLog()) {
            Certificates all = start(obtaining);
            all.replace(List.of(Service.named("web").hosts("shop.example").build()));
            all.start();
            for (int i = 0; i < 3; i++) {
                all.find("www.shop.example");
                all.find("www.else.example");
                all.find("shop.example");
            }

            await().atMost(Duration.ofSeconds(60))
                    .until(() -> !log.about("was asked for www.shop.example").isEmpty());
            assertThat(log.about("was asked for"))
                    .singleElement()
                    .asString()
                    .contains("web: over HTTPS was asked for www.shop.example")
                    .endsWith(
                            "add the names that you use to millau.hosts where ACME obtains certificates, or put one into CERTS");
        }
    }

    /** The page of wildcards said that it needs ACME_DNS, which it had: the certificate just does not cover such a name. */
    @Test
    void whatHasOneDotMoreThanAWildcardIsToBeListed() {
        assertThat(complaint("a.b.shop.example", obtaining))
                .contains("was asked for a.b.shop.example", "what ends in *.shop.example", "covers no further dot")
                .endsWith(
                        "add the names that you use to millau.hosts where ACME obtains certificates, or put one into CERTS");
        assertThat(complaint("anna.shop.example", obtaining)).contains("for which no certificate is obtained");
    }

    /** Who asked in the seconds before the first certificate was told for ever to set ACME_DNS. */
    @Test
    void aWildcardCertificateOnItsWayIsNoProblem() {
        obtaining.orders = Set.of("*.shop.example");

        assertThat(complaint("anna.shop.example", obtaining)).isEmpty();
    }

    @Test
    void whatIsWrongWithTheCertificatesOfAHostIsKnown() {
        Certificate own = ROOT.issue("own.shop.example");
        obtaining.trouble = "set ACME_DNS";
        obtaining.orders = Set.of("*.shop.example");
        Certificates all = start(CertificateSource.of(own), obtaining);

        Problem missing = new Problem("certificate for *.shop.example", "set ACME_DNS");
        assertThat(all.problemsOf("anna.shop.example", false)).containsExactly(missing);
        assertThat(all.problemsOf("own.shop.example", true)).isEmpty();
        assertThat(all.problemsOf("shop.example", false)).isEmpty();
        assertThat(all.problemsOf("a.b.shop.example", false)).isEmpty();
        obtaining.trouble = null;
        assertThat(all.problemsOf("anna.shop.example", true))
                .as("is being obtained")
                .isEmpty();
        assertThat(all.problemsOf("shop.example", true))
                .containsExactly(new Problem(
                        "certificate for shop.example", "no valid one is there, so clients refuse the one they get"));
    }

    /** It was said of another service, whose host is its end, and that the name should be listed, which it was. */
    @Test
    void aListedNameIsAProblemOfItsOwnServiceUntilThereIsACertificate() {
        List<Certificate> there = new CopyOnWriteArrayList<>();
        Certificates all = start(name -> there.stream()
                .filter(certificate -> name != null && certificate.fits(name))
                .toList());
        all.replace(List.of(
                Service.named("shop").hosts("shop.example").build(),
                Service.named("api").hosts("api.shop.example").build()));
        all.start();
        all.find("api.shop.example");

        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(
                        () -> assertThat(all.problems())
                                .containsExactly(
                                        new Problem(
                                                "api",
                                                "over HTTPS was asked for api.shop.example, without a certificate: none in CERTS or millau.cert fits, and ACME obtains none")));
        there.add(ROOT.issue("api.shop.example"));
        assertThat(all.problems()).isEmpty();
    }

    @Test
    void aServiceThatIsGoneIsNotBlamed() {
        Service blue = Service.named("blue").hosts("shop.example").build();
        Service green = Service.named("green").hosts("shop.example").build();
        Certificates all = start(obtaining);
        all.replace(List.of(blue, green));
        all.start();
        all.find("shop.example");
        await().atMost(Duration.ofSeconds(60))
                .until(() -> all.problems().stream()
                        .anyMatch(problem -> problem.service().equals("blue")));

        all.replace(List.of(blue.toBuilder().enabled(false).build(), green));
        assertThat(all.problems()).isEmpty();
        all.find("shop.example");
        await().atMost(Duration.ofSeconds(60))
                .until(() -> all.problems().stream()
                        .anyMatch(problem -> problem.service().equals("green")));
    }

    /** What is said of a name, if a service has the wildcard; empty if nothing. */
    private String complaint(String name, CertificateSource source) {
        try (Certificates all = new Certificates(List.of(source), Clock.systemUTC())) {
            all.replace(List.of(Service.named("web")
                    .hosts("*.shop.example", "listed.example")
                    .build()));
            all.start();
            all.find(name);
            all.find("x.listed.example");
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> all.problems().stream()
                            .anyMatch(problem -> problem.message().contains("x.listed.example")));
            return all.problems().stream()
                    .map(Problem::message)
                    .filter(message -> !message.contains("x.listed.example"))
                    .collect(Collectors.joining());
        }
    }

    /** Clients can ask for any name: such names must not hide other problems. */
    @Test
    void madeUpNamesAreOneProblem() {
        Certificates all = start(obtaining);
        all.replace(List.of(Service.named("web").hosts("shop.example").build()));
        all.start();
        for (int i = 0; i < 60; i++) {
            all.find("a" + i + ".shop.example");
        }

        await().atMost(Duration.ofSeconds(60))
                .until(() -> all.problems().stream()
                        .anyMatch(problem -> problem.message().contains(" and 57 more")));
        assertThat(all.problems()).hasSize(1);
        all.replace(List.of(Service.named("web").hosts("shop.example").weight(2).build()));
        assertThat(all.problems()).as("the hosts are unchanged").hasSize(1);
        all.replace(List.of(Service.named("web").hosts("a1.shop.example").build()));
        assertThat(all.problems()).isEmpty();
    }

    @Test
    void aSourceThatThrowsDoesNotStopTheOthers() {
        Certificates all = start(
                new CertificateSource() {
                    @Override
                    public List<Certificate> find(@Nullable String serverName) {
                        return List.of();
                    }

                    @Override
                    public void refresh() {
                        throw new IllegalStateException("broken");
                    }
                },
                obtaining);
        all.replace(List.of(Service.named("a").hosts("a.example").build()));
        all.start();

        awaitWanted("a.example");
    }

    /** A source whose origin was away broke each handshake, and logged each with a stack trace. */
    @Test
    void aSourceThatThrowsCountsAsOneWithoutCertificates() throws Exception {
        Certificate good = ROOT.issue("a.example");
        CertificateSource broken = broken();
        CertificateSource nothing = mock(CertificateSource.class); // returns null, where it is not a collection
        when(nothing.find(any())).thenReturn(null);
        Certificates all = start(broken, nothing, CertificateSource.of(good));
        all.replace(List.of(Service.named("a").hosts("a.example").build()));

        try (CapturedLog log = new CapturedLog()) {
            for (int i = 0; i < 3; i++) {
                assertThat(all.find("a.example")).containsExactly(good);
                assertThat(all.status()).isEmpty();
                assertThat(all.problemsOf("a.example", true)).isEmpty();
                assertThat(all.httpChallenge("token").get(60, TimeUnit.SECONDS)).isEmpty();
                assertThat(all.tlsChallenge("a.example").get(60, TimeUnit.SECONDS))
                        .isEmpty();
            }
            assertThat(log.about("other sources of certificates are used"))
                    .filteredOn(line -> line.toString().contains("vault"))
                    .hasSize(4);
        }
    }

    private static CertificateSource broken() {
        return new CertificateSource() {
            @Override
            public List<Certificate> find(@Nullable String serverName) {
                throw new IllegalStateException("the vault is down");
            }

            @Override
            public List<CertificateStatus> status() {
                throw new IllegalStateException("the vault is down");
            }

            @Override
            public CompletableFuture<Optional<String>> httpChallenge(String token) {
                throw new IllegalStateException("the vault is down");
            }

            @Override
            public CompletableFuture<Optional<Certificate>> tlsChallenge(String serverName) {
                return CompletableFuture.failedFuture(new IOException("the vault is down"));
            }

            @Override
            public String toString() {
                return "vault";
            }
        };
    }
}
