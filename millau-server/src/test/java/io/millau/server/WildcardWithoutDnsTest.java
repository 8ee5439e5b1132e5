package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.acme.AcmeCertificates;
import io.millau.core.CertificateSource;
import io.millau.core.Service;
import io.millau.core.Store;
import io.millau.core.testing.Authority;
import io.millau.core.testing.CapturedLog;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A service with a wildcard, whose certificate nobody can get. */
class WildcardWithoutDnsTest extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String ADVICE = "a wildcard can be proved by DNS alone: set ACME_DNS";

    @TempDir
    Path data;

    @Override
    public Millau.Builder builder() {
        AcmeCertificates acme = closing(AcmeCertificates.builder(Store.files(data))
                .directories(
                        List.of(URI.create("https://localhost:1/directory"))) // private, so .example can be certified
                .start());
        return super.builder()
                .https("127.0.0.1:0")
                .telemetry("127.0.0.1:0")
                .certificates(CertificateSource.of(Authority.root("root").issue("*.files.example")))
                .certificates(acme);
    }

    @Test
    void theOperatorIsToldBeforeAnyClientAsks() throws Exception {
        try (CapturedLog log = new CapturedLog()) {
            startWith(app(endpointThatSays("ok").endpoint())
                    .hosts("*.shop.example", "*.files.example")
                    .build());

            await().atMost(PATIENCE)
                    .until(() ->
                            !log.about("No certificate name=*.shop.example").isEmpty());
            assertThat(log.about("No certificate")).singleElement().asString().contains("WARN", ADVICE);
            assertThat(millau.explain(URI.create("https://Anna.shop.example:8443/")))
                    .contains("\nProblem: certificate for *.shop.example: " + ADVICE);
            assertThat(millau.explain(URI.create("https://a.files.example/"))).doesNotContain("certificate for");
            try (RawClient telemetry = new RawClient(millau.telemetryPort())) {
                assertThat(telemetry.get("/status.json").body())
                        .containsOnlyOnce(ADVICE)
                        .contains("\"problems\":[]"); // those of a service make millau wait fail
            }

            services.replace(Service.named("web").hosts("*.files.example").build());
            await().atMost(PATIENCE)
                    .until(() -> !millau.explain(URI.create("https://anna.shop.example/"))
                            .contains(ADVICE));
        }
    }
}
