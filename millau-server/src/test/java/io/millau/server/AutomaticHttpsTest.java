package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.acme.AcmeCertificates;
import io.millau.acme.testing.Pebble;
import io.millau.acme.testing.RequiresPebble;
import io.millau.core.Store;
import io.millau.core.testing.FreePorts;
import io.millau.core.testing.MovableClock;
import io.millau.core.testing.TrustAll;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.conscrypt.OpenSSLProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A service with a host gets its certificate automatically from a real ACME server. */
@RequiresPebble
class AutomaticHttpsTest extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final String HOST = "shop.example";

    @TempDir
    Path data;

    private final int httpPort = FreePorts.next();
    private final int httpsPort = FreePorts.next();
    private boolean conscrypt;

    /** The clock that decides when a certificate is renewed. */
    private final MovableClock renewalClock = new MovableClock();

    private Pebble pebble;

    @Override
    public Millau.Builder builder() {
        AcmeCertificates acme = closing(AcmeCertificates.builder(Store.files(data))
                .directories(List.of(pebble.directory()))
                .trusted(pebble.trusted())
                .clock(renewalClock)
                .start());
        Millau.Builder builder = Millau.builder()
                .http("127.0.0.1:" + httpPort)
                .https("127.0.0.1:" + httpsPort)
                .certificates(acme)
                .source(services);
        return conscrypt ? builder.tlsProvider(new OpenSSLProvider()) : builder;
    }

    /** The CA can reach only one of the two ports: Millau uses the challenge that works there. */
    @ParameterizedTest
    @CsvSource({"true, true", "true, false", "false, true", "false, false"})
    void aServiceGetsACertificate(boolean withConscrypt, boolean port80Open) throws Exception {
        conscrypt = withConscrypt;
        pebble = closing(
                (port80Open ? Pebble.with().httpPort(httpPort) : Pebble.with().tlsPort(httpsPort)).start());
        startWith(app(endpointThatSays("ok").endpoint())
                .hosts(HOST)
                .redirectToHttps(true)
                .build());
        assertThat(isFallback(shown())).isTrue();

        await().atMost(PATIENCE).until(() -> !isFallback(shown()));
        assertThat(shown().getIssuerX500Principal().getName()).contains("Pebble Intermediate");
        assertThat(pebble.issued()).isEqualTo(1);
    }

    @Test
    void aCertificateIsRenewedUnderLoadWithoutAFailedRequest() throws Exception {
        pebble = closing(Pebble.with().httpPort(httpPort).start());
        startWith(app(endpointThatSays("ok").endpoint()).hosts(HOST).build());
        await().atMost(PATIENCE).until(() -> !isFallback(shown()));
        X509Certificate first = shown();
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger requests = new AtomicInteger();
        CompletableFuture<Void> load = CompletableFuture.runAsync(() -> {
            while (!over.get()) {
                try (RawClient client = new RawClient(connect())) {
                    assertThat(client.send("GET / HTTP/1.1\r\nHost: " + HOST + "\r\n\r\n")
                                    .read()
                                    .body())
                            .isEqualTo("ok");
                    requests.incrementAndGet();
                } catch (Exception e) {
                    throw new AssertionError("after " + requests + " requests", e);
                }
            }
        });

        await().atMost(PATIENCE).until(() -> load.isDone() || requests.get() > 100);
        renewalClock.forward(Duration.ofDays(61));
        await().atMost(PATIENCE).until(() -> load.isDone() || !shown().equals(first));
        int atRenewal = requests.get();
        await().atMost(PATIENCE).until(() -> load.isDone() || requests.get() > atRenewal + 100);
        over.set(true);
        load.join();
        System.out.println(
                "a certificate renewed: " + requests + " requests, each over a connection of its own, 0 failed");
    }

    private static boolean isFallback(X509Certificate certificate) {
        return certificate.getSubjectX500Principal().equals(certificate.getIssuerX500Principal());
    }

    private X509Certificate shown() throws Exception {
        try (SSLSocket socket = connect()) {
            socket.startHandshake();
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        }
    }

    private SSLSocket connect() throws Exception {
        SSLSocket socket = (SSLSocket)
                TrustAll.context().getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), httpsPort);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setServerNames(List.of(new SNIHostName(HOST)));
        socket.setSSLParameters(parameters);
        return socket;
    }
}
