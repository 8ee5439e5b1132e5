package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.Overview;
import io.millau.core.TrafficListener;
import io.millau.core.testing.TrustAll;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** HTTPS with HTTP/1.1 and HTTP/2; a subclass for each TLS provider. */
abstract class TlsTest extends ProxyTest {

    private static final int LARGE = 8 * 1024 * 1024 + 1;

    static Certificate one;
    private static Certificate two;

    /** The server names for which certificates were looked up, one or more times in each handshake. */
    private final List<String> named = new CopyOnWriteArrayList<>();

    volatile CertificateSource certificates = CertificateSource.of(one);

    @BeforeAll
    static void makeCertificates() throws Exception {
        one = Certificate.selfSigned("one.example");
        two = Certificate.selfSigned("two.example");
    }

    @Override
    public Millau.Builder builder() {
        return super.builder().https("127.0.0.1:0").certificates(name -> {
            named.add(String.valueOf(name));
            return certificates.find(name);
        });
    }

    private int port() {
        return millau.addresses().get(1).getPort();
    }

    private HttpClient client(HttpClient.Version version) throws Exception {
        return HttpClient.newBuilder()
                .sslContext(TrustAll.context())
                .version(version)
                .build();
    }

    private HttpRequest.Builder request() {
        return HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + port() + "/"))
                .timeout(Duration.ofSeconds(60));
    }

    final SSLSocket connect(SSLContext context, @Nullable String serverName, String... protocols) throws Exception {
        SSLSocket socket =
                (SSLSocket) context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port());
        closing(socket);
        SSLParameters parameters = socket.getSSLParameters();
        if (serverName != null) {
            parameters.setServerNames(List.of(new SNIHostName(serverName)));
        }
        if (protocols.length > 0) {
            parameters.setProtocols(protocols);
        }
        socket.setSSLParameters(parameters);
        return socket;
    }

    private SSLSocket http2Socket() throws Exception {
        SSLSocket socket = connect(TrustAll.context(), null);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"h2"});
        socket.setSSLParameters(parameters);
        return socket;
    }

    private RawClient rawClient() throws Exception {
        return closing(new RawClient(connect(TrustAll.context(), null)));
    }

    final X509Certificate shown(@Nullable String serverName, String... protocols) throws Exception {
        SSLSocket socket = connect(TrustAll.context(), serverName, protocols);
        socket.startHandshake();
        return (X509Certificate) socket.getSession().getPeerCertificates()[0];
    }

    @ParameterizedTest
    @EnumSource
    void theForwardedSchemeIsHttps(HttpClient.Version version) throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        HttpResponse<String> response = client(version).send(request().build(), HttpResponse.BodyHandlers.ofString());

        assertThat(response.body()).isEqualTo("ok");
        assertThat(response.version()).isEqualTo(version);
        assertThat(endpoint.requests.get(0).field("X-Forwarded-Proto")).isEqualTo("https");
    }

    @Test
    void listenersAreToldOfBothPorts() throws Exception {
        List<TrafficListener.Ingress> told = new ArrayList<>();
        closing(builder()
                .listener(new TrafficListener() {
                    @Override
                    public void started(Overview overview) {
                        told.addAll(overview.ingresses());
                    }
                })
                .start());
        assertThat(told).extracting(TrafficListener.Ingress::protocol).containsExactly("http", "https");
    }

    @ParameterizedTest
    @EnumSource
    void largeBodiesGoBothWays(HttpClient.Version version) throws Exception {
        startWith(endpoint(connection -> {
            Message request = connection.readRequest();
            connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Length: " + request.body().length() + "\r\n\r\n");
            connection.send(request.body());
        }));
        byte[] bytes = new byte[LARGE];
        new Random(1).nextBytes(bytes);
        HttpResponse<byte[]> response = client(version)
                .send(
                        request()
                                .POST(HttpRequest.BodyPublishers.ofByteArray(bytes))
                                .build(),
                        HttpResponse.BodyHandlers.ofByteArray());

        assertThat(response.body()).isEqualTo(bytes);
    }

    @Test
    void anUploadContinuesWhenARecordWasNotReadCompletely() throws Exception {
        // HTTP/2 frames and TLS records differ in size. The unread rest of a decrypted record was not processed before
        // more data came from the socket, so the upload hung for ever.
        startWith(endpoint(connection -> {
            Message request = connection.readRequest();
            String length = String.valueOf(request.body().length());
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + length.length() + "\r\n\r\n" + length);
        }));
        RawHttp2Client client = closing(new RawHttp2Client(http2Socket(), 65_535));
        client.headers(1, false, ":method", "POST", ":scheme", "https", ":path", "/", ":authority", "a");
        for (int sent = 0; sent < 60_000; sent += 6_000) {
            client.send(RawHttp2Client.DATA, sent == 54_000 ? RawHttp2Client.END_STREAM : 0, 1, new byte[6_000]);
        }
        assertThat(client.body(1)).isEqualTo("60000");
    }

    @ParameterizedTest
    @EnumSource
    void manyRequestsShareAConnection(HttpClient.Version version) throws Exception {
        startWith(endpointThatSays("ok"));
        HttpClient client = client(version);
        int handshakes = 0;
        for (int i = 0; i < 50; i++) {
            assertThat(client.send(request().build(), HttpResponse.BodyHandlers.ofString())
                            .body())
                    .isEqualTo("ok");
            handshakes = i == 0 ? named.size() : handshakes;
        }
        assertThat(named).hasSize(handshakes);
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrder() throws Exception {
        startWith(endpoint(connection -> {
            for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
                String path = request.startLine().split(" ")[1];
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + path.length() + "\r\n\r\n" + path);
            }
        }));
        RawClient client = rawClient();
        StringBuilder requests = new StringBuilder();
        for (int i = 0; i < 100; i++) {
            requests.append("GET /").append(i).append(" HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        client.send(requests.toString());

        for (int i = 0; i < 100; i++) {
            assertThat(client.read().body()).isEqualTo("/" + i);
        }
    }

    @Test
    void anUpgradedConnectionIsTunnelled() throws Exception {
        startWith(endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
            connection.wire().in().transferTo(connection.wire().out());
        }));
        RawClient client =
                rawClient().send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly");
        assertThat(client.readHead().status()).isEqualTo(101);
        assertThat(client.wire().readExactly(5)).isEqualTo("early");

        String sent = "0123456789".repeat(300_000);
        ScriptedEndpoint.daemon("sender", () -> {
            try {
                client.send(sent);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        assertThat(client.wire().readExactly(sent.length())).isEqualTo(sent);
    }

    @Test
    void theClientMayUpdateItsKeys() throws Exception {
        startWith(endpointThatSays("ok"));
        SSLSocket socket = connect(TrustAll.context(), null, "TLSv1.3");
        RawClient client = closing(new RawClient(socket));
        assertThat(client.get("/").body()).isEqualTo("ok");
        socket.startHandshake();
        assertThat(client.get("/").body()).isEqualTo("ok");
    }

    @Test
    void renegotiationIsRejected() throws Exception {
        startWith(endpointThatSays("ok"));
        SSLSocket socket = connect(TrustAll.context(), null, "TLSv1.2");
        RawClient client = closing(new RawClient(socket));
        assertThat(client.get("/").body()).isEqualTo("ok");
        socket.startHandshake();
        assertThatThrownBy(() -> client.get("/")).isInstanceOfAny(IOException.class, AssertionError.class);
    }

    @Test
    void manyStreamsOfLargeBodiesShareAConnection() throws Exception {
        String body = "0123456789".repeat(100_000);
        startWith(endpoint(connection -> {
            while (connection.readRequest() != null) {
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
            }
        }));
        HttpClient client = client(HttpClient.Version.HTTP_2);
        List<CompletableFuture<HttpResponse<String>>> responses = Stream.generate(
                        () -> client.sendAsync(request().build(), HttpResponse.BodyHandlers.ofString()))
                .limit(20)
                .toList();

        for (CompletableFuture<HttpResponse<String>> response : responses) {
            assertThat(response.get(60, TimeUnit.SECONDS).body()).isEqualTo(body);
        }
    }

    @Test
    void aRequestMayComeByteByByte() throws Exception {
        startWith(endpointThatSays("ok"));
        RawClient client = rawClient();
        for (byte b : "GET / HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII)) {
            client.send(String.valueOf((char) b));
        }
        assertThat(client.read().body()).isEqualTo("ok");
    }

    @Test
    void aClientThatLeavesIsNoticed() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        startWith(endpointThatHangs(arrived));
        RawClient client = rawClient().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        arrived.await();
        client.close();

        assertThat(traffic.await(4)).element(2).asString().contains("client gone");
    }

    @Test
    void connectionCloseOfAClientIsHonoured() throws Exception {
        startWith(endpointThatSays("ok"));
        RawClient client = rawClient().send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assertThat(client.read().body()).isEqualTo("ok");
        assertThat(client.ended()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void theCertificateIsChosenByServerName(String protocol) throws Exception {
        certificates = name -> List.of(name != null && name.equals("two.example") ? two : one);
        startWith(endpointThatSays("ok"));

        assertThat(shown("two.example", protocol)).isEqualTo(two.chain().get(0));
        assertThat(shown("TWO.example", protocol)).isEqualTo(two.chain().get(0));
        assertThat(shown("one.example", protocol)).isEqualTo(one.chain().get(0));
        assertThat(shown(null, protocol)).isEqualTo(one.chain().get(0));
    }

    @Test
    void aChangedCertificateAppliesFromTheNextHandshakeOn() throws Exception {
        startWith(endpointThatSays("ok"));
        RawClient client = rawClient();
        assertThat(client.get("/").body()).isEqualTo("ok");

        certificates = CertificateSource.of(two);
        assertThat(shown(null)).isEqualTo(two.chain().get(0));
        assertThat(client.get("/").body()).isEqualTo("ok");
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void withoutACertificateASelfSignedOneIsUsed(String protocol) throws Exception {
        certificates = name -> "one.example".equals(name) ? List.of(one) : List.of();
        startWith(endpointThatSays("ok"));

        X509Certificate shown = shown("two.example", protocol);
        assertThat(shown.getIssuerX500Principal()).isEqualTo(shown.getSubjectX500Principal());
        assertThat(shown.getSubjectX500Principal().getName()).isEqualTo("CN=millau.invalid");
        assertThat(shown("one.example", protocol)).isEqualTo(one.chain().get(0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void aSessionIsResumed(String protocol) throws Exception {
        startWith(endpointThatSays("ok"));
        SSLContext context = TrustAll.context();
        Set<Long> created = new HashSet<>();
        for (int i = 0; i < 5; i++) {
            SSLSocket socket = connect(context, null, protocol);
            RawClient client = closing(new RawClient(socket));
            assertThat(client.get("/").body()).isEqualTo("ok");
            created.add(socket.getSession().getCreationTime());
            client.close();
        }
        assertThat(created).hasSize(1);
    }

    @Test
    void oldProtocolsAreRejected() throws Exception {
        startWith(endpointThatSays("ok"));
        // Raw bytes, since the client's JDK does not offer TLS 1.1 either: a ClientHello of TLS 1.1 without extensions.
        RawClient client = closing(new RawClient(port()));
        client.send("\26\3\1\0\55\1\0\0\51\3\2" + "r".repeat(32) + "\0\0\2\0\57\1\0");
        assertThat(client.wire().in().read()).isEqualTo(21); // an alert
    }
}
