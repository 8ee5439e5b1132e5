package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.millau.acme.testing.Pebble;
import io.millau.acme.testing.RequiresPebble;
import io.millau.core.Certificate;
import io.millau.core.testing.CapturedLog;
import io.millau.core.testing.MovableClock;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.shredzone.acme4j.toolbox.JSON;

/** An acme-dns server whose records a real CA finds. */
@RequiresPebble
class AcmeDnsTest {

    private static final String NAME = "shop.millau-proxy.org";
    private static final String TARGET = "d420c923.auth.millau-proxy.org";
    private static final String PASSWORD = "htB9mR9DYgcu9bX_afHF62erXaH2TS7bg9KW3F7Z";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Pebble ca = Pebble.start();
    private final MovableClock clock = new MovableClock();
    private final MemoryStore store = new MemoryStore(clock);
    private final Certificate certificate = Certificate.selfSigned("localhost");
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final HttpClient client = HttpClient.newHttpClient();
    private HttpsServer server;
    private volatile int status = 200;

    @BeforeEach
    void start() throws Exception {
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context()));
        server.createContext("/", this::handle);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
        ca.close();
    }

    private SSLContext context() throws Exception {
        char[] password = "acme-dns".toCharArray();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        keys.setKeyEntry("own", certificate.key(), password, new java.security.cert.Certificate[] {
            certificate.chain().get(0)
        });
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, password);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context;
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            asked.add(path);
            String response = "{}";
            if (path.equals("/register")) {
                response = "{\"allowfrom\":[],\"fulldomain\":\"" + TARGET + "\",\"password\":\"" + PASSWORD
                        + "\",\"subdomain\":\"d420c923\",\"username\":\"c36f50e8\"}";
            } else {
                assertThat(exchange.getRequestHeaders().getFirst("X-Api-User")).isEqualTo("c36f50e8");
                assertThat(exchange.getRequestHeaders().getFirst("X-Api-Key")).isEqualTo(PASSWORD);
                JSON update = JSON.parse(body);
                assertThat(update.get("subdomain").asString()).isEqualTo("d420c923");
                publish(update.get("txt").asString());
            }
            byte[] bytes = response.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        } catch (Exception e) {
            throw new IOException(e);
        }
    }

    /** As if the operator had added the CNAME record. */
    private void publish(String text) throws IOException, InterruptedException {
        client.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + ca.dnsManagement() + "/set-txt"))
                        .POST(BodyPublishers.ofString(
                                "{\"host\":\"_acme-challenge." + NAME + ".\",\"value\":\"" + text + "\"}"))
                        .build(),
                BodyHandlers.discarding());
    }

    private AcmeCertificates certificates() {
        return AcmeCertificates.builder(store)
                .directories(List.of(ca.directory()))
                .trusted(Stream.concat(ca.trusted().stream(), certificate.chain().stream())
                        .toList())
                .clock(clock)
                .dns(DnsChallenge.parse(
                        "acme-dns://localhost:" + server.getAddress().getPort()))
                .start();
    }

    @Test
    void theOperatorAddsOneRecordAndFromThenOnItGoesByItself() throws Exception {
        try (CapturedLog log = new CapturedLog()) {
            try (AcmeCertificates certificates = certificates()) {
                certificates.wanted(Set.of("*." + NAME));
                await().atMost(PATIENCE)
                        .until(() -> !log.about("No certificate name=*." + NAME).isEmpty());
                assertThat(log.about("No certificate"))
                        .singleElement()
                        .asString()
                        .contains("add the DNS record _acme-challenge." + NAME + " CNAME " + TARGET + ".")
                        .doesNotContain(PASSWORD);
                assertThat(ca.ordered()).isEqualTo(1);
                assertThat(asked).containsExactly("/register");

                clock.forward(Duration.ofMinutes(2));
                await().atMost(PATIENCE)
                        .until(() -> !certificates.find("a." + NAME).isEmpty());
                assertThat(asked).containsExactly("/register", "/update");
            }
            // the registration is in the store, for the host itself, too
            try (AcmeCertificates certificates = certificates()) {
                certificates.wanted(Set.of("*." + NAME, NAME));
                await().atMost(PATIENCE).until(() -> !certificates.find(NAME).isEmpty());
                assertThat(asked).containsExactly("/register", "/update", "/update");
            }
        }
    }

    @Test
    void aServerThatFailsIsNamed() {
        status = 500;
        try (CapturedLog log = new CapturedLog();
                AcmeCertificates certificates = certificates()) {
            certificates.wanted(Set.of("*." + NAME));
            await().atMost(PATIENCE)
                    .until(() -> !log.about("No certificate name=*." + NAME).isEmpty());
            assertThat(log.about("No certificate"))
                    .singleElement()
                    .asString()
                    .contains(
                            "dns-01 failed: https://localhost:"
                                    + server.getAddress().getPort(),
                            "status 500")
                    .doesNotContain(PASSWORD);
        }
        assertThat(ca.issued()).isZero();
    }
}
