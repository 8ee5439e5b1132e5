package io.millau.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Certificate;
import io.millau.core.Endpoint;
import io.millau.core.internal.Pem;
import io.millau.core.testing.Authority;
import io.millau.core.testing.RequiresCommands;
import io.millau.core.testing.StandaloneServer;
import io.millau.server.ProxyTest;
import io.millau.server.TestSsl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** HTTPS of the standalone server, checked by testssl.sh, with an EC and an RSA certificate for the same name. */
@RequiresCommands("testssl")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class HttpsSurveyIT extends ProxyTest {

    private static final String NAME = "shop.example";
    private static final Authority ROOT = Authority.root("root");

    private static final Set<String> HARMLESS = Set.of("OK", "INFO", "LOW");

    /** Findings that are accepted, and why. */
    private static final Map<String, String> ACCEPTED = Map.of(
            "engine_problem", "this machine's openssl lacks GOST, which the server doesn't speak anyway",
            "sessionresumption_ticket",
                    "openssl often disconnects before the ticket arrives; TlsTest tests session resumption");

    /** Mozilla's "intermediate", Server Side TLS, guideline 5.7. */
    private static final Map<String, Set<String>> INTERMEDIATE = Map.of(
            "TLS 1.3",
            Set.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"),
            "TLS 1.2",
            Set.of(
                    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
                    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
                    "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
                    "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"));

    @TempDir
    Path folder;

    @BeforeEach
    void putCertificates() throws IOException {
        put("ec", ROOT.issue(NAME));
        put("rsa", ROOT.order().rsa().names(NAME).issue());
    }

    private void put(String name, Certificate certificate) throws IOException {
        Path certificates = Files.createDirectories(certificates());
        Files.writeString(certificates.resolve(name + ".key"), Pem.text(certificate.key()));
        Files.writeString(certificates.resolve(name + ".crt"), Pem.text(certificate.chain()));
    }

    private Path certificates() {
        return folder.resolve("certificates");
    }

    /** Conscrypt is the TLS provider of the standalone server. */
    @Test
    void testSslFindsNothingAboveLow() throws Exception {
        Path file = Files.writeString(
                folder.resolve("services.properties"),
                "shop.hosts = " + NAME + "\nshop.hsts = 31536000\nshop.endpoints = " + shop() + "\n");
        StandaloneServer server = closing(new StandaloneServer(
                folder.resolve("output"),
                Map.of("SERVICES", file.toString(), "CERTS", certificates().toString(), "ACME", "off")));
        server.awaitLine("Listens on");
        assertThat(server.output()).doesNotContain("HTTPS by the JDK alone");

        check(server.httpsPort());
    }

    /** A service that sets the headers for which services are responsible. */
    private Endpoint shop() {
        return endpointThatResponds("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                        + "Content-Security-Policy: default-src 'self'\r\nX-Content-Type-Options: nosniff\r\n\r\nok")
                .endpoint();
    }

    private static void check(int port) throws Exception {
        TestSsl judgement = TestSsl.of(NAME, port, ROOT.certificate());
        Map<Boolean, List<TestSsl.Finding>> bad = judgement.findings().stream()
                .filter(finding -> !HARMLESS.contains(finding.severity()))
                .collect(Collectors.partitioningBy(finding -> ACCEPTED.containsKey(finding.id())));
        System.out.println("testssl.sh, HTTPS of the standalone server:\n" + judgement.summary());
        System.out.println("  of them accepted   " + idsOf(bad.get(true)));

        assertThat(bad.get(false)).isEmpty();
        assertThat(judgement.protocols()).containsExactly("TLS 1.2", "TLS 1.3");
        assertThat(judgement.suites()).containsOnlyKeys("TLS 1.2", "TLS 1.3");
        judgement
                .suites()
                .forEach((protocol, suites) ->
                        assertThat(INTERMEDIATE.get(protocol)).as(protocol).containsAll(suites));
        assertThat(judgement.forwardSecret())
                .isEqualTo(
                        judgement.suites().values().stream().mapToInt(Set::size).sum());
        assertThat(judgement.finding("cert_numbers").text()).isEqualTo("2");
        assertThat(judgement.finding("ALPN_HTTP2").text()).isEqualTo("h2");
        assertThat(judgement.finding("ALPN").text()).isEqualTo("http/1.1");
        assertThat(judgement.vulnerabilities())
                .filteredOn(finding -> !ACCEPTED.containsKey(finding.id()))
                .allMatch(finding -> finding.severity().equals("OK"));
    }

    private static Set<String> idsOf(List<TestSsl.Finding> findings) {
        return findings.stream().map(TestSsl.Finding::id).collect(Collectors.toCollection(TreeSet::new));
    }
}
