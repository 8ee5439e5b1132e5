package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.FilterRequest;
import io.millau.core.RequestFilter;
import io.millau.core.Service;
import io.millau.core.internal.Pem;
import io.millau.core.testing.Authority;
import io.millau.core.testing.TrustAll;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The HTTPS labels; a subclass for each TLS provider. */
abstract class HttpsTest extends ProxyTest {

    private static final Authority ROOT = Authority.root("root");
    private static final Authority CLIENTS = Authority.root("clients").intermediate("of the shop");
    private static final Authority OTHERS = Authority.root("others");
    private static final X509Certificate CLIENT_CA = CLIENTS.certificate();
    private static final Certificate SHOP = ROOT.issue("shop.example");

    private final Map<String, CompletableFuture<Optional<String>>> httpChallenges = new ConcurrentHashMap<>();
    private final Map<String, CompletableFuture<Optional<Certificate>>> tlsChallenges = new ConcurrentHashMap<>();
    private boolean redirectAll;
    private RequestFilter elsewhere = FilterRequest::proceed;

    private final class Challenges implements CertificateSource {
        @Override
        public List<Certificate> find(@Nullable String serverName) {
            return List.of();
        }

        @Override
        public CompletableFuture<Optional<String>> httpChallenge(String token) {
            return httpChallenges.getOrDefault(token, CompletableFuture.completedFuture(Optional.empty()));
        }

        @Override
        public CompletableFuture<Optional<Certificate>> tlsChallenge(String serverName) {
            return tlsChallenges.getOrDefault(serverName, CompletableFuture.completedFuture(Optional.empty()));
        }
    }

    @Override
    public Millau.Builder builder() {
        Millau.Builder builder = super.builder()
                .https("127.0.0.1:0")
                .certificates(new Challenges())
                .filter(request -> elsewhere.filter(request));
        return redirectAll ? builder.redirectToHttps() : builder;
    }

    // Clients that take the port for another one

    @Test
    void plainHttpIsAnsweredInPlainHttp() throws Exception {
        startWith(service("shop", "shop.example").certificate(SHOP).build());

        Message response = closing(new RawClient(port()))
                .send("GET /x HTTP/1.1\r\nHost: shop.example\r\n\r\n")
                .read();
        assertThat(response.startLine()).isEqualTo("HTTP/1.1 400 Bad Request");
        assertThat(response.body()).isEqualTo("This port speaks HTTPS only\n");
        assertThat(response.field("Connection")).isEqualTo("close");
        assertThat(traffic.await(4)).contains("ended GET - 400 0 0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"h2", "http/1.1", "http/1.0"})
    void eachVersionOfHttpIsKnown(String protocol) throws Exception {
        startWith(service("shop", "shop.example").certificate(SHOP).build());
        SSLSocket socket = socket(ROOT.client(), "shop.example");
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"imap", protocol});
        socket.setSSLParameters(parameters);
        socket.startHandshake();

        assertThat(socket.getApplicationProtocol()).isEqualTo(protocol);
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void aClientThatSpeaksOtherProtocolsGetsAnAlert(String protocol) throws Exception {
        startWith(service("shop", "shop.example").certificate(SHOP).build());
        SSLSocket socket = socket(ROOT.client(), "shop.example", protocol);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"imap", "spdy/3"});
        socket.setSSLParameters(parameters);

        assertThatThrownBy(socket::startHandshake).hasMessageContaining("no_application_protocol");
    }

    // Certificates

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void labelsContributeCertificatesForAllHosts(String protocol) throws Exception {
        Certificate shop = ROOT.issue("shop.example");
        Certificate wildcard = ROOT.issue("*.shop.example");
        startWith(
                service("shop", "shop.example").certificate(wildcard).build(),
                Service.named("carrier").enabled(false).certificate(shop).build());

        assertThat(shown("shop.example", protocol)).isEqualTo(shop);
        assertThat(shown("www.shop.example", protocol)).isEqualTo(wildcard);
        assertThat(shown("else.example", protocol)).isIn(shop, wildcard);
        assertThat(shown(null, protocol)).isIn(shop, wildcard);
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void aClientGetsACertificateWithAKeyTypeItSupports(String protocol) throws Exception {
        Certificate ec = ROOT.issue("shop.example");
        Certificate rsa = ROOT.order().rsa().names("shop.example").issue();
        startWith(
                service("shop", "shop.example").certificate(ec).build(),
                Service.named("rsa").enabled(false).certificate(rsa).build());

        assertThat(OpenSsl.certificate(port(), "shop.example", protocol, "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256"))
                .isEqualTo(ec.chain().get(0));
        assertThat(OpenSsl.certificate(port(), "shop.example", protocol, "RSA-PSS+SHA256:RSA+SHA256"))
                .isEqualTo(rsa.chain().get(0));
    }

    /** While certificates change, each handshake uses either the old or the new one, key and chain. */
    @Test
    void certificatesAreSwappedUnderLoadWithoutAFailedHandshake() throws Exception {
        Certificate first = ROOT.issue("shop.example");
        Certificate second = ROOT.order().rsa().names("shop.example").issue();
        startWith(service("shop", "shop.example").certificate(first).build());
        RawClient open = client(ROOT.client(), "shop.example");
        assertThat(get(open, "shop.example").status()).isEqualTo(200); // the handshake has 10 s
        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture<Void> swaps = CompletableFuture.runAsync(() -> {
            for (int i = 0; !over.get(); i++) {
                services.replace(service("shop", "shop.example")
                        .certificate(i % 2 == 0 ? second : first)
                        .build());
            }
        });
        try {
            for (int i = 0; i < 100; i++) {
                try (RawClient client = new RawClient(connect(ROOT.client(), "shop.example"))) {
                    assertThat(get(client, "shop.example").status()).isEqualTo(200);
                }
            }
        } finally {
            over.set(true);
            swaps.join();
        }
        assertThat(get(open, "shop.example").status()).isEqualTo(200);
    }

    // Client certificates

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void aVerifiedClientIsServedAndItsCertificateIsForwarded(String protocol) throws Exception {
        ScriptedEndpoint endpoint = startClosed();
        Certificate own = CLIENTS.issue("client");
        RawClient client = client(ROOT.client(own), "closed.example", protocol);

        client.send(
                "GET / HTTP/1.1\r\nHost: closed.example\r\nClient-Cert: :forged:\r\nclient-cert-chain: :forged:\r\n\r\n");

        assertThat(client.read().status()).isEqualTo(200);
        Message request = endpoint.requests.get(0);
        assertThat(request.field("Client-Cert")).isEqualTo(item(own.chain().get(0)));
        assertThat(request.field("Client-Cert-Chain"))
                .isEqualTo(item(own.chain().get(1)));
        assertThat(request.toString()).doesNotContain("forged");
    }

    /** A resumed session still has the client's certificate. */
    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void aVerifiedClientMayResumeItsSession(String protocol) throws Exception {
        ScriptedEndpoint endpoint = startClosed();
        Certificate own = CLIENTS.issue("client");
        SSLContext context = ROOT.client(own);
        for (int i = 0; i < 4; i++) {
            try (RawClient client = new RawClient(connect(context, "closed.example", protocol))) {
                assertThat(get(client, "closed.example").status()).isEqualTo(200);
            }
        }

        assertThat(endpoint.requests)
                .hasSize(4)
                .allSatisfy(request -> assertThat(request.field("Client-Cert"))
                        .isEqualTo(item(own.chain().get(0))));
    }

    @Test
    void aVerifiedClientIsServedOverHttp2() throws Exception {
        ScriptedEndpoint endpoint = startClosed();
        Certificate own = CLIENTS.issue("client");
        SSLSocket socket = socket(ROOT.client(own), "closed.example");
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"h2"});
        socket.setSSLParameters(parameters);
        RawHttp2Client client = closing(new RawHttp2Client(socket, 65_535));

        client.headers(1, true, ":method", "GET", ":scheme", "https", ":path", "/", ":authority", "closed.example");
        assertThat(client.body(1)).isEqualTo("ok");
        assertThat(endpoint.requests.get(0).field("Client-Cert"))
                .isEqualTo(item(own.chain().get(0)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void anUnverifiedClientIsRejected(String protocol) throws Exception {
        ScriptedEndpoint endpoint = startClosed();
        Certificate stranger = OTHERS.issue("client");
        Certificate expired = CLIENTS.order().names("client").expired().issue();

        for (SSLContext context : List.of(ROOT.client(), ROOT.client(stranger), ROOT.client(expired))) {
            assertThatThrownBy(() -> get(client(context, "closed.example", protocol), "closed.example"))
                    .isInstanceOfAny(IOException.class, AssertionError.class);
        }
        assertThat(endpoint.requests).isEmpty();
    }

    @Test
    void aClientCertificateIsRequestedOnlyForServicesThatRequireIt() throws Exception {
        startClosed();
        String closed = OpenSsl.handshake(port(), "closed.example", "-tls1_3");
        assertThat(closed).contains("Acceptable client certificate CA names").contains("CN = clients");
        assertThat(OpenSsl.handshake(port(), "open.example", "-tls1_3"))
                .contains("No client certificate CA names sent");
    }

    @Test
    void aHostWithOtherClientCertificateRulesIs421() throws Exception {
        ScriptedEndpoint endpoint = startClosed();
        RawClient open = client(ROOT.client(), "open.example");
        RawClient closed = client(ROOT.client(CLIENTS.issue("client")), "closed.example");

        assertThat(get(open, "closed.example").status()).isEqualTo(421);
        assertThat(get(open, "www.closed.example").status()).isEqualTo(421);
        assertThat(get(closed, "open.example").status()).isEqualTo(421);
        assertThat(endpoint.requests).isEmpty();
        assertThat(get(open, "open.example").status()).isEqualTo(200);
        assertThat(get(closed, "www.closed.example").status()).isEqualTo(200);
    }

    /** A session of a host without client certificates must not be resumed for a host that requires one. */
    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void aResumedSessionDoesNotBypassClientCertificates(String protocol) throws Exception {
        startClosed();
        SSLContext context = ROOT.client();
        assertThat(get(client(context, "open.example", protocol), "open.example")
                        .status())
                .isEqualTo(200);

        assertThatThrownBy(() -> get(client(context, "closed.example", protocol), "closed.example"))
                .isInstanceOfAny(IOException.class, AssertionError.class);
        assertThat(OpenSsl.resumeAs(port(), "open.example", "closed.example", protocol))
                .doesNotContain("200 OK");
    }

    @Test
    void aHostWithClientCertificatesIsRedirectedToHttps() throws Exception {
        ScriptedEndpoint endpoint = startClosed();
        Message response = get(client(), "closed.example");

        assertThat(response.status()).isEqualTo(308);
        assertThat(response.field("Location")).isEqualTo("https://closed.example/");
        assertThat(endpoint.requests).isEmpty();
    }

    /** A plain request waits for a starting instance; meanwhile its host begins to require client certificates. */
    @Test
    void aWaitingRequestIsNotServedOnceItsHostRequiresClientCertificates() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(service("shop", "open.example").build());
        ScriptedEndpoint starting = closing(ScriptedEndpoint.thatRefuses());
        services.replace(Service.named("closed")
                .hosts("closed.example")
                .endpoints(starting.endpoint())
                .build());
        RawClient waiting = client().send("GET / HTTP/1.1\r\nHost: closed.example\r\n\r\n");
        assertThat(get(client(), "closed.example", Duration.ofMillis(300))).isNull();

        services.replace(Service.named("closed")
                .hosts("closed.example")
                .clientCa(Set.of(CLIENT_CA))
                .endpoints(endpoint.endpoint())
                .build());
        assertThat(waiting.read().status()).isEqualTo(502);
        assertThat(endpoint.requests).isEmpty();
    }

    /** The client proved who it is where it was asked to, and a filter sends its request elsewhere. */
    @Test
    void aFilterMayChangeTheHostOfAVerifiedClientButNotOfOthers() throws Exception {
        elsewhere = request -> switch (request.path()) {
            case "/to-open" -> request.rewriteHost("open.example").proceed();
            case "/to-closed" -> request.rewriteHost("closed.example").proceed();
            case "/prefers-closed" -> request.preferHost("closed.example").proceed();
            default -> request.proceed();
        };
        ScriptedEndpoint endpoint = startClosed();
        RawClient open = client(ROOT.client(), "open.example");
        RawClient closed = client(ROOT.client(CLIENTS.issue("client")), "closed.example");
        String fields = " HTTP/1.1\r\nHost: open.example\r\n\r\n";

        assertThat(closed.send("GET /to-open HTTP/1.1\r\nHost: closed.example\r\n\r\n")
                        .read()
                        .status())
                .isEqualTo(200);
        assertThat(open.send("GET /to-open" + fields).read().status()).isEqualTo(200);
        assertThat(open.send("GET /to-closed" + fields).read().status()).isEqualTo(421);
        assertThat(open.send("GET /prefers-closed" + fields).read().status()).isEqualTo(421);
        assertThat(endpoint.requests).hasSize(2);
    }

    /** Null if there is no response in that time, because the request waits. */
    private static @Nullable Message get(RawClient client, String host, Duration atMost) throws IOException {
        client.socket().setSoTimeout((int) atMost.toMillis());
        try {
            return get(client, host);
        } catch (SocketTimeoutException e) {
            return null;
        }
    }

    private ScriptedEndpoint startClosed() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(
                app(endpoint.endpoint())
                        .hosts("open.example")
                        .certificate(ROOT.issue("open.example", "closed.example"))
                        .build(),
                Service.named("closed")
                        .hosts("closed.example")
                        .clientCa(Set.of(CLIENT_CA))
                        .endpoints(endpoint.endpoint())
                        .build());
        return endpoint;
    }

    private static String item(X509Certificate certificate) {
        try {
            return ":" + Base64.getEncoder().encodeToString(certificate.getEncoded()) + ":";
        } catch (CertificateEncodingException e) {
            throw new AssertionError(e);
        }
    }

    // Redirects and HSTS

    @ParameterizedTest
    @CsvSource({
        "shop.example,      /a%20b?c=d, https://shop.example/a%20b?c=d",
        "shop.example:8080, /,          https://shop.example:PORT/",
        "[::1]:8080,        /,          https://[::1]:PORT/",
        "[::1],             /,          https://[::1]/",
    })
    void aServiceMayRedirectPlainRequestsToHttps(String host, String target, String location) throws Exception {
        startWith(service("shop", "*")
                .redirectToHttps(true)
                .hsts(Duration.ofDays(365))
                .build());

        Message response = client().send(
                        "POST " + target + " HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 0\r\n\r\n")
                .read();

        assertThat(response.status()).isEqualTo(308);
        assertThat(response.field("Location")).isEqualTo(location.replace("PORT", String.valueOf(port())));
        assertThat(response.field("Strict-Transport-Security")).isNull();
    }

    /** Docker publishes 8443 for 443: the port was lost. */
    @ParameterizedTest
    @CsvSource({
        "8443, shop.example,      https://shop.example:8443/",
        "8443, shop.example:8080, https://shop.example:8443/",
        "8443, [fd00::1]:8080,    https://[fd00::1]:8443/",
        "443,  shop.example:8080, https://shop.example/",
    })
    void aRedirectHasThePublishedPort(int published, String host, String location) throws Exception {
        services.replace(service("shop", "*").redirectToHttps(true).build());
        millau = closing(builder().publishedHttpsPort(published).start());

        assertThat(client().send("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
                        .read()
                        .field("Location"))
                .isEqualTo(location);
    }

    @Test
    void aRequestWithoutAValidHostIsNotRedirected() throws Exception {
        startWith(service("shop", "*").redirectToHttps(true).build());

        assertThat(client().send("GET / HTTP/1.0\r\n\r\n").read().status()).isEqualTo(400);
        assertThat(client().send("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n").read().status())
                .isEqualTo(400);
    }

    @Test
    void allPlainRequestsMayBeRedirectedToHttps() throws Exception {
        redirectAll = true;
        startWith(service("shop", "*").build());

        assertThat(get(client(), "shop.example").status()).isEqualTo(308);
        assertThat(get(client(ROOT.client(), "shop.example"), "shop.example").status())
                .isEqualTo(200);
    }

    @Test
    void hstsIsSentOverHttpsOnly() throws Exception {
        startWith(service("shop", "*").hsts(Duration.ofDays(365)).build());

        assertThat(get(client(ROOT.client(), "shop.example"), "shop.example").field("Strict-Transport-Security"))
                .isEqualTo("max-age=31536000");
        assertThat(get(client(), "shop.example").field("Strict-Transport-Security"))
                .isNull();
    }

    // Challenges

    private static final String TOKEN = "0123456789abcdef-_XYZ0";

    @Test
    void anHttpChallengeIsServedBeforeAnyServiceAndNeverRedirected() throws Exception {
        redirectAll = true;
        httpChallenges.put(TOKEN, CompletableFuture.completedFuture(Optional.of(TOKEN + ".print")));
        startWith(service("shop", "*").redirectToHttps(true).build());

        Message response = client().send(
                        "GET /.well-known/acme-challenge/" + TOKEN + " HTTP/1.1\r\nHost: whoever\r\n\r\n")
                .read();
        assertThat(response.status()).isEqualTo(200);
        assertThat(response.body()).isEqualTo(TOKEN + ".print");
        // Unknown tokens go to the service, which may use ACME itself.
        for (String other : List.of("0123456789abcdef-_XYZ1", "short", "../x")) {
            assertThat(client().send("GET /.well-known/acme-challenge/" + other + " HTTP/1.1\r\nHost: whoever\r\n\r\n")
                            .read()
                            .body())
                    .isEqualTo("ok");
        }
    }

    @Test
    void aChallengeMayBeAnsweredLate() throws Exception {
        CompletableFuture<Optional<String>> late = new CompletableFuture<>();
        httpChallenges.put(TOKEN, late);
        startWith(service("shop", "*").build());
        RawClient asking = client().send("GET /.well-known/acme-challenge/" + TOKEN + " HTTP/1.1\r\nHost: a\r\n\r\n");
        assertThat(get(client(), "a").body()).isEqualTo("ok");

        late.complete(Optional.of("late"));
        assertThat(asking.read().body()).isEqualTo("late");
        httpChallenges.put(TOKEN, CompletableFuture.failedFuture(new IOException("store away")));
        assertThat(client().send("GET /.well-known/acme-challenge/" + TOKEN + " HTTP/1.1\r\nHost: a\r\n\r\n")
                        .read()
                        .body())
                .isEqualTo("ok");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aTlsChallengeGetsItsCertificateAndThenTheConnectionIsClosed(boolean late) throws Exception {
        Certificate challenge = ROOT.issue("shop.example");
        CompletableFuture<Optional<Certificate>> response = new CompletableFuture<>();
        tlsChallenges.put("shop.example", response);
        startWith(service("shop", "shop.example")
                .certificate(ROOT.issue("shop.example"))
                .build());
        if (!late) {
            response.complete(Optional.of(challenge));
        }
        SSLSocket socket = socket(ROOT.client(), "shop.example");
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"acme-tls/1"});
        socket.setSSLParameters(parameters);
        CompletableFuture<Void> handshake = CompletableFuture.runAsync(() -> {
            try {
                socket.startHandshake();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        if (late) {
            assertThat(get(client(ROOT.client(), "shop.example"), "shop.example")
                            .status())
                    .isEqualTo(200);
            response.complete(Optional.of(challenge));
        }
        handshake.join();

        assertThat(socket.getApplicationProtocol()).isEqualTo("acme-tls/1");
        assertThat(socket.getSession().getPeerCertificates()[0])
                .isEqualTo(challenge.chain().get(0));
        assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }

    // Helpers

    private Service.Builder service(String name, String host) {
        return Service.named(name).hosts(host).certificate(SHOP).endpoints(ok().endpoint());
    }

    private @Nullable ScriptedEndpoint ok;

    private ScriptedEndpoint ok() {
        if (ok == null) {
            ok = endpointThatSays("ok");
        }
        return ok;
    }

    private int port() {
        return millau.addresses().get(1).getPort();
    }

    private static Message get(RawClient client, String host) throws IOException {
        return client.send("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").read();
    }

    private RawClient client(SSLContext context, String serverName, String... protocols) throws Exception {
        return closing(new RawClient(connect(context, serverName, protocols)));
    }

    private SSLSocket socket(SSLContext context, @Nullable String serverName, String... protocols) throws Exception {
        return closing(connect(context, serverName, protocols));
    }

    private SSLSocket connect(SSLContext context, @Nullable String serverName, String... protocols) throws Exception {
        SSLContext trusting = context;
        Socket plain = new Socket(InetAddress.getLoopbackAddress(), port());
        SSLSocket socket = (SSLSocket) trusting.getSocketFactory()
                .createSocket(plain, serverName == null ? "127.0.0.1" : serverName, port(), true);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setServerNames(serverName == null ? List.of() : List.of(new SNIHostName(serverName)));
        if (protocols.length > 0) {
            parameters.setProtocols(protocols);
        }
        socket.setSSLParameters(parameters);
        return socket;
    }

    private Certificate shown(@Nullable String serverName, String protocol) throws Exception {
        SSLSocket socket = socket(TrustAll.context(), serverName, protocol);
        socket.startHandshake();
        X509Certificate leaf = (X509Certificate) socket.getSession().getPeerCertificates()[0];
        return millau.snapshot().services().stream()
                .map(Service::certificate)
                .filter(certificate ->
                        certificate != null && certificate.chain().get(0).equals(leaf))
                .findFirst()
                .orElseThrow(() -> new AssertionError("none of ours: " + Pem.text(List.of(leaf))));
    }
}
