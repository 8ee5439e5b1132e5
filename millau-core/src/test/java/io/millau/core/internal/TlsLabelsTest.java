package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Certificate;
import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.UpstreamTls;
import io.millau.core.testing.Authority;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The TLS labels, for clients and for endpoints. */
class TlsLabelsTest {

    private static final Authority ROOT = Authority.root("root");
    private static final Certificate SHOP = ROOT.issue("shop.example");
    private static final String CHAIN = base64(Pem.text(SHOP.chain()));
    private static final String KEY = base64(Pem.text(SHOP.key()));
    private static final String CA = base64(Pem.text(List.of(ROOT.certificate())));

    @Test
    void aCertificateAndItsKeyAreRead() {
        assertThat(settings(Map.of("cert", CHAIN, "key", KEY)).service().certificate())
                .isEqualTo(SHOP);
    }

    @Test
    void aServiceThatIsNotEnabledContributesItsCertificate() {
        Settings settings = ServiceLabels.read(Map.of("millau.cert", CHAIN, "millau.key", KEY), List.of())
                .routes()
                .get("");

        assertThat(settings.enabled()).isFalse();
        assertThat(settings.service().certificate()).isEqualTo(SHOP);
    }

    @Test
    void aCertificateWithoutItsKeyIsReported() {
        assertThat(problem(Map.of("cert", CHAIN))).isEqualTo("millau.key is missing: expected beside millau.cert");
        assertThat(problem(Map.of("key", KEY))).isEqualTo("millau.cert is missing: expected beside millau.key");
    }

    @Test
    void unreadableValuesAreReportedWithoutShowingAKey() {
        assertThat(problem(Map.of(
                        "cert", CHAIN, "key", base64(Pem.text(ROOT.issue("b").key())))))
                .isEqualTo("millau.key: the key is not the certificate's (of CN=millau test)");
        assertThat(problem(Map.of("cert", "x?", "key", KEY)))
                .isEqualTo("millau.cert: expected PEM in Base64: base64 -w0 FILE");
        assertThat(problem(Map.of("cert", CHAIN, "key", "secret?")))
                .isEqualTo("millau.key: expected PEM in Base64: base64 -w0 FILE");
        assertThat(problem(Map.of("cert", KEY, "key", KEY))).startsWith("millau.cert: expected certificates in PEM");
    }

    @Test
    void anUnreadableCertificateLeavesTheServiceUnchanged() {
        LabelReader reader = new LabelReader();
        Map<String, String> good = labels(Map.of("cert", CHAIN, "key", KEY));
        List<LabelReader.Route> before = reader.batch().read("1", "shop", good, List.of());

        LabelReader.Batch next = reader.batch();
        List<LabelReader.Route> after = next.read("1", "shop", labels(Map.of("cert", CHAIN, "key", "?")), List.of());

        assertThat(after).isEqualTo(before).hasSize(1);
        assertThat(next.finish()).singleElement().asString().contains("keeps its last good configuration");
    }

    @Test
    void anInvalidClientCaClosesTheService() {
        assertThat(settings(Map.of("client-ca", CA)).service().clientCa()).containsExactly(ROOT.certificate());
        assertThat(read(Map.of("client-ca", "x")).closed()).isTrue();
    }

    @Test
    void redirectAndHsts() {
        Service service =
                settings(Map.of("redirect", "HTTPS", "hsts", "31536000")).service();

        assertThat(service.redirectToHttps()).isTrue();
        assertThat(service.hsts()).isEqualTo(Duration.ofDays(365));
        assertThat(problem(Map.of("redirect", "true"))).isEqualTo("millau.redirect=true: expected https");
        assertThat(problem(Map.of("hsts", "1y"))).startsWith("millau.hsts=1y: expected whole seconds up to 315360000");
    }

    @ParameterizedTest
    @CsvSource({"http, true", "ftp, false", "HTTPS, true", "h2c, true", "h2, false"})
    void schemes(String scheme, boolean known) {
        assertThat(read(Map.of("scheme", scheme)).routes().get("") != null).isEqualTo(known);
    }

    @Test
    void theNameOfAnHttpsEndpointDefaultsToThatOfTheService() throws Exception {
        InetAddress address = InetAddress.getByName("10.0.0.5");

        assertThat(settings(Map.of("scheme", "https")).endpoint("1", address, "shop"))
                .isEqualTo(Endpoint.https("1", address, 80, new UpstreamTls(Set.of(), "shop")));
        assertThat(settings(Map.of("scheme", "https", "upstream-ca", CA, "upstream-name", "Api.internal"))
                        .endpoint("1", address, "shop"))
                .isEqualTo(
                        Endpoint.https("1", address, 80, new UpstreamTls(Set.of(ROOT.certificate()), "api.internal")));
        assertThat(settings(Map.of()).endpoint("1", address, "shop")).isEqualTo(Endpoint.http("1", address, 80));
        assertThat(settings(Map.of("scheme", "H2C")).endpoint("1", address, "shop"))
                .isEqualTo(Endpoint.h2c("1", address, 80));
        assertThat(problem(Map.of("upstream-name", "*"))).contains("expected one name");
    }

    private static Settings settings(Map<String, String> labels) {
        Vocabulary.Reading reading = read(labels);
        assertThat(reading.problems()).isEmpty();
        return reading.routes().get("");
    }

    private static String problem(Map<String, String> labels) {
        Vocabulary.Reading reading = read(labels);
        assertThat(reading.routes()).isEmpty();
        assertThat(reading.problems()).hasSize(1);
        return reading.problems().get(0);
    }

    private static Vocabulary.Reading read(Map<String, String> labels) {
        return ServiceLabels.read(labels(labels), List.of());
    }

    private static Map<String, String> labels(Map<String, String> own) {
        Map<String, String> all = new HashMap<>(Map.of("millau.enabled", "true", "millau.port", "80"));
        own.forEach((name, value) -> all.put("millau." + name, value));
        return all;
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
    }
}
