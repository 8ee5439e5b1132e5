package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.core.testing.CapturedLog;
import io.millau.core.testing.TrustAll;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is believed to tell who a client is: TRUSTED, and the PROXY protocol, with which the peers here have any address. */
class ProxiesInFrontTest extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private static final String CLIENT = "203.0.113.7";
    private static final byte[] SIGNATURE = "\r\n\r\n\0\r\nQUIT\n".getBytes(StandardCharsets.ISO_8859_1);

    private final List<String> clients = new CopyOnWriteArrayList<>();
    private ScriptedEndpoint endpoint;

    @BeforeEach
    void startEndpoint() {
        endpoint = endpointThatResponds(OK);
    }

    private void start(String trusted, String proxyProtocol, Service... declared) throws Exception {
        services.replace(
                declared.length == 0 ? new Service[] {app(endpoint.endpoint()).build()} : declared);
        millau = closing(builder()
                .https("127.0.0.1:0")
                .telemetry("127.0.0.1:0")
                .trusted(trusted)
                .proxyProtocol(proxyProtocol)
                .listener(new TrafficListener() {
                    @Override
                    public void requestEnded(Ended request) {
                        clients.add(request.request().address());
                    }
                })
                .start());
    }

    private Message forwarded() {
        return endpoint.requests.get(endpoint.requests.size() - 1);
    }

    private static String request(String fields) {
        return "GET / HTTP/1.1\r\nHost: shop.example\r\n" + fields + "\r\n";
    }

    private static String from(String peer) {
        return "PROXY TCP" + (peer.contains(":") ? 6 : 4) + " " + peer + " " + peer + " 50000 80\r\n";
    }

    // TRUSTED

    /** Clients were sent to a port where nobody listens, without a word. */
    @Test
    void aRedirectToHttpsThatIsNowhereIsSaidOnce() throws Exception {
        services.replace(
                app(endpointThatSays("ok").endpoint()).redirectToHttps(true).build());
        millau = closing(builder().trusted("127.0.0.2").start());
        try (CapturedLog log = new CapturedLog()) {
            for (int i = 0; i < 2; i++) {
                assertThat(client().get("/").field("Location")).startsWith("https://");
            }
            assertThat(log.about("though nothing listens for HTTPS here")).hasSize(1);
        }
    }

    /** The proxy in front has HTTPS. */
    @Test
    void aRedirectOfATrustedProxyLeadsToThatOne() throws Exception {
        services.replace(
                app(endpointThatSays("ok").endpoint()).redirectToHttps(true).build());
        millau = closing(builder().trusted("127.0.0.1").start());
        try (CapturedLog log = new CapturedLog()) {
            assertThat(client().send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: http\r\n\r\n")
                            .read()
                            .field("Location"))
                    .isEqualTo("https://a/");
            assertThat(log.about("though nothing listens for HTTPS here")).isEmpty();
        }
    }

    @Test
    void nobodyIsBelievedByDefault() throws Exception {
        start("", "");
        client().send(request("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\n"
                        + "X-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\n"))
                .read();

        assertThat(forwarded().all("X-Forwarded-For")).containsExactly("127.0.0.1");
        assertThat(forwarded().all("X-Real-IP")).containsExactly("127.0.0.1");
        assertThat(forwarded().all("X-Forwarded-Proto")).containsExactly("http");
        assertThat(forwarded().all("X-Forwarded-Host")).containsExactly("shop.example");
        assertThat(forwarded().all("X-Forwarded-Port")).containsExactly("80");
        assertThat(forwarded().field("Forwarded")).isNull();
    }

    /** The fields received, the client, and what the service is told: addresses, scheme, host and port. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "X-Forwarded-For: 203.0.113.7; X-Forwarded-Proto: https"
                        + "| 203.0.113.7 | 203.0.113.7, 10.0.0.1 | https | shop.example | 443",
                "X-Forwarded-For: 6.6.6.6, 203.0.113.7; X-Forwarded-For: 10.0.0.2; X-Forwarded-Proto: https"
                        + "| 203.0.113.7 | 6.6.6.6, 203.0.113.7, 10.0.0.2, 10.0.0.1 | https | shop.example | 443",
                "X-Forwarded-For: 203.0.113.7:50000 | 203.0.113.7 | 203.0.113.7:50000, 10.0.0.1 | http | shop.example | 80",
                "X-Forwarded-For: 2001:DB8:0:0:0:0:0:1 | 2001:db8::1 | 2001:DB8:0:0:0:0:0:1, 10.0.0.1 | http | shop.example | 80",
                "X-Forwarded-For: [2001:db8::1]:443 | 2001:db8::1 | [2001:db8::1]:443, 10.0.0.1 | http | shop.example | 80",
                "X-Forwarded-For: 10.0.0.9, 10.0.0.2 | 10.0.0.9 | 10.0.0.9, 10.0.0.2, 10.0.0.1 | http | shop.example | 80",
                "X-Forwarded-For: 203.0.113.7, unknown | 10.0.0.1 | 203.0.113.7, unknown, 10.0.0.1 | http | shop.example | 80",
                "X-Forwarded-For: ' , ' | 10.0.0.1 | 10.0.0.1 | http | shop.example | 80",
                "X-Other: 1 | 10.0.0.1 | 10.0.0.1 | http | shop.example | 80",
                // Only the CDN's and the balancer's words count, not those of the client.
                "X-Forwarded-For: 6.6.6.6, 203.0.113.7, 10.0.0.2; X-Forwarded-Proto: http, https, http"
                        + "| 203.0.113.7 | 6.6.6.6, 203.0.113.7, 10.0.0.2, 10.0.0.1 | https | shop.example | 443",
                "X-Forwarded-Proto: wss | 10.0.0.1 | 10.0.0.1 | https | shop.example | 443",
                "X-Forwarded-Proto: gopher | 10.0.0.1 | 10.0.0.1 | http | shop.example | 80",
                "X-Forwarded-Host: www.example:8443; X-Forwarded-Proto: https"
                        + "| 10.0.0.1 | 10.0.0.1 | https | www.example:8443 | 8443",
                "X-Forwarded-Host: www.example; X-Forwarded-Port: 444 | 10.0.0.1 | 10.0.0.1 | http | www.example | 444",
                "X-Forwarded-Host: a b/c; X-Forwarded-Port: 0x50 | 10.0.0.1 | 10.0.0.1 | http | shop.example | 80",
            })
    void aTrustedPeerIsBelieved(String fields, String client, String addresses, String scheme, String host, String port)
            throws Exception {
        start("10.0.0.0/8", "127.0.0.1");
        client().send(from("10.0.0.1") + request(fields.replace("; ", "\r\n").replace("'", "") + "\r\n"))
                .read();

        assertThat(forwarded().all("X-Forwarded-For")).containsExactly(addresses);
        assertThat(forwarded().all("X-Real-IP")).containsExactly(client);
        assertThat(forwarded().all("X-Forwarded-Proto")).containsExactly(scheme);
        assertThat(forwarded().all("X-Forwarded-Host")).containsExactly(host);
        assertThat(forwarded().all("X-Forwarded-Port")).containsExactly(port);
        assertThat(forwarded().field("Forwarded")).isNull();
        await().atMost(PATIENCE).until(() -> clients.equals(List.of(client)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "for=203.0.113.7;proto=https;host=www.example"
                        + "| 203.0.113.7 | 203.0.113.7, 10.0.0.1 | https | www.example"
                        + "| for=203.0.113.7;proto=https;host=www.example, for=10.0.0.1",
                "For=\"[2001:db8::1]:4711\" ; Proto=https ;by=_me| 2001:db8::1 | 2001:db8::1, 10.0.0.1 | https | shop.example"
                        + "| For=\"[2001:db8::1]:4711\" ; Proto=https ;by=_me, for=10.0.0.1",
                "for=6.6.6.6;proto=http, for=203.0.113.7;proto=https, for=10.0.0.2"
                        + "| 203.0.113.7 | 6.6.6.6, 203.0.113.7, 10.0.0.2, 10.0.0.1 | https | shop.example"
                        + "| for=6.6.6.6;proto=http, for=203.0.113.7;proto=https, for=10.0.0.2, for=10.0.0.1",
                "for=_hidden, for=unknown| 10.0.0.1 | _hidden, unknown, 10.0.0.1 | http | shop.example"
                        + "| for=_hidden, for=unknown, for=10.0.0.1",
                "for=\"6.6.6.6, for=203.0.113.7| 10.0.0.1 | 10.0.0.1 | http | shop.example | ",
                "for = 6.6.6.6| 10.0.0.1 | 10.0.0.1 | http | shop.example | ",
            })
    void theStandardFieldIsBelievedToo(
            String field, String client, String addresses, String scheme, String host, String extended)
            throws Exception {
        start("10.0.0.0/8", "127.0.0.1");
        client().send(from("10.0.0.1") + request("Forwarded: " + field + "\r\n"))
                .read();

        assertThat(forwarded().all("X-Real-IP")).containsExactly(client);
        assertThat(forwarded().all("X-Forwarded-For")).containsExactly(addresses);
        assertThat(forwarded().all("X-Forwarded-Proto")).containsExactly(scheme);
        assertThat(forwarded().all("X-Forwarded-Host")).containsExactly(host);
        assertThat(forwarded().field("Forwarded")).isEqualTo(extended);
    }

    @Test
    void xForwardedForCountsMoreThanForwarded() throws Exception {
        start("private", "");
        client().send(request("Forwarded: for=6.6.6.6\r\nX-Forwarded-For: 203.0.113.7\r\n"))
                .read();

        assertThat(forwarded().field("X-Real-IP")).isEqualTo("203.0.113.7");
        assertThat(forwarded().field("Forwarded")).isNull();
    }

    @Test
    void aPeerThatIsNotTrustedIsNotBelieved() throws Exception {
        start("10.0.0.0/8", "127.0.0.1");
        client().send(from(CLIENT) + request("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n"))
                .read();

        assertThat(forwarded().all("X-Forwarded-For")).containsExactly(CLIENT);
        assertThat(forwarded().all("X-Forwarded-Proto")).containsExactly("http");
    }

    @Test
    void eachRequestOfAConnectionHasItsClient() throws Exception {
        start("private", "");
        RawClient client = client();
        client.send(request("X-Forwarded-For: 203.0.113.1\r\n")).read();
        client.send(request("")).read();
        client.send(request("X-Forwarded-For: 203.0.113.2\r\n")).read();

        await().atMost(PATIENCE).until(() -> clients.equals(List.of("203.0.113.1", "127.0.0.1", "203.0.113.2")));
    }

    // HTTPS in front

    private Service redirecting() {
        return app(endpoint.endpoint())
                .redirectToHttps(true)
                .hsts(Duration.ofDays(1))
                .build();
    }

    @Test
    void aClientThatUsesHttpsInFrontIsNotRedirected() throws Exception {
        start("private", "", redirecting());

        Message response =
                client().send(request("X-Forwarded-Proto: https\r\n")).read();
        assertThat(response.startLine()).isEqualTo("HTTP/1.1 200 OK");
        assertThat(response.field("Strict-Transport-Security")).isEqualTo("max-age=86400");

        Message plain = client().send(request("X-Forwarded-Proto: http\r\nX-Forwarded-Host: www.example\r\n"))
                .read();
        assertThat(plain.startLine()).isEqualTo("HTTP/1.1 308 Permanent Redirect");
        assertThat(plain.field("Location")).isEqualTo("https://www.example/");
        assertThat(plain.field("Strict-Transport-Security")).isNull();
    }

    @Test
    void aRedirectThatMayLoopIsLogged() throws Exception {
        start("", "", redirecting());
        try (CapturedLog log = new CapturedLog()) {
            assertThat(client().send(request("X-Forwarded-Proto: https\r\n"))
                            .read()
                            .startLine())
                    .isEqualTo("HTTP/1.1 308 Permanent Redirect");
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(log.about("may loop"))
                            .singleElement()
                            .asString()
                            .contains("Redirect to HTTPS may loop client=127.0.0.1 host=shop.example reason=\"its"
                                    + " X-Forwarded-Proto says https, but TRUSTED does not name this address\""));
        }
    }

    // The PROXY protocol

    @ParameterizedTest
    @CsvSource({
        "PROXY TCP4 203.0.113.7 192.0.2.1 50000 80, 203.0.113.7, http, 80",
        "PROXY TCP4 203.0.113.7 192.0.2.1 50000 8080, 203.0.113.7, http, 8080",
        "PROXY TCP4 203.0.113.7 192.0.2.1 50000 443, 203.0.113.7, https, 443",
        "PROXY TCP6 2001:db8::7 2001:db8::1 50000 80, 2001:db8::7, http, 80",
        "PROXY UNKNOWN, 127.0.0.1, http, 80",
        "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535, 127.0.0.1, http, 80"
    })
    void version1TellsTheClient(String header, String client, String scheme, String port) throws Exception {
        start("", "127.0.0.1");
        assertThat(client().send(header + "\r\n" + request("")).read().body()).isEqualTo("ok");

        assertThat(forwarded().field("X-Forwarded-For")).isEqualTo(client);
        assertThat(forwarded().field("X-Real-IP")).isEqualTo(client);
        assertThat(forwarded().field("X-Forwarded-Proto")).isEqualTo(scheme);
        assertThat(forwarded().field("X-Forwarded-Port")).isEqualTo(port);
        await().atMost(PATIENCE).until(() -> clients.equals(List.of(client)));
    }

    private static byte[] version2(int command, int family, byte[] content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write(SIGNATURE);
        out.write(command);
        out.write(family);
        out.writeShort(content.length);
        out.write(content);
        return bytes.toByteArray();
    }

    private static byte[] addresses(String peer, String local, int port, byte[] extensions) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write(InetAddress.getByName(peer).getAddress());
        out.write(InetAddress.getByName(local).getAddress());
        out.writeShort(50_000);
        out.writeShort(port);
        out.write(extensions);
        return bytes.toByteArray();
    }

    private Message sendAfter(byte[] header) throws Exception {
        RawClient client = client();
        client.socket().getOutputStream().write(header);
        return client.send(request("")).read();
    }

    @Test
    void version2TellsTheClient() throws Exception {
        start("", "127.0.0.1");
        byte[] none = {};
        byte[] tls = {3, 0, 1, 9, 0x20, 0, 5, 1, 0, 0, 0, 0};

        sendAfter(version2(0x21, 0x11, addresses(CLIENT, "192.0.2.1", 80, none)));
        assertThat(forwarded().field("X-Real-IP")).isEqualTo(CLIENT);
        assertThat(forwarded().field("X-Forwarded-Proto")).isEqualTo("http");

        sendAfter(version2(0x21, 0x21, addresses("2001:db8::7", "2001:db8::1", 8080, tls)));
        assertThat(forwarded().field("X-Real-IP")).isEqualTo("2001:db8::7");
        assertThat(forwarded().field("X-Forwarded-Proto")).isEqualTo("https");
        assertThat(forwarded().field("X-Forwarded-Port")).isEqualTo("8080");

        sendAfter(version2(0x20, 0, none));
        assertThat(forwarded().field("X-Real-IP")).isEqualTo("127.0.0.1");

        sendAfter(version2(0x21, 0x31, new byte[216])); // a Unix socket
        assertThat(forwarded().field("X-Real-IP")).isEqualTo("127.0.0.1");
    }

    @Test
    void aHeaderMayArriveByteByByte() throws Exception {
        start("", "127.0.0.1");
        RawClient client = client();
        client.socket().setTcpNoDelay(true);
        for (char c : (from(CLIENT) + request("")).toCharArray()) {
            client.send(String.valueOf(c));
        }
        assertThat(client.read().body()).isEqualTo("ok");
        assertThat(forwarded().field("X-Real-IP")).isEqualTo(CLIENT);
    }

    @Test
    void aHeaderComesBeforeTls() throws Exception {
        start("", "127.0.0.1");
        Socket socket = closing(new Socket(
                InetAddress.getLoopbackAddress(), millau.addresses().get(1).getPort()));
        socket.getOutputStream().write(from(CLIENT).getBytes(StandardCharsets.US_ASCII));
        SSLSocket tls =
                (SSLSocket) TrustAll.context().getSocketFactory().createSocket(socket, "shop.example", 443, true);
        assertThat(new RawClient(tls).send(request("")).read().body()).isEqualTo("ok");
        assertThat(forwarded().field("X-Real-IP")).isEqualTo(CLIENT);
        assertThat(forwarded().field("X-Forwarded-Proto")).isEqualTo("https");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aHeaderComesBeforeHttp2(boolean secure) throws Exception {
        start("10.0.0.0/8", "127.0.0.1");
        Socket socket = closing(new Socket(
                InetAddress.getLoopbackAddress(),
                millau.addresses().get(secure ? 1 : 0).getPort()));
        socket.getOutputStream().write(from("10.0.0.1").getBytes(StandardCharsets.US_ASCII));
        if (secure) {
            SSLSocket tls =
                    (SSLSocket) TrustAll.context().getSocketFactory().createSocket(socket, "shop.example", 443, true);
            SSLParameters parameters = tls.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"h2"});
            tls.setSSLParameters(parameters);
            tls.startHandshake();
            socket = tls;
        }
        RawHttp2Client http2 = closing(new RawHttp2Client(socket, 65_535));
        for (int stream = 1; stream < 5; stream += 2) {
            String client = stream == 1 ? CLIENT : "198.51.100.1";
            http2.headers(
                    stream,
                    true,
                    ":method",
                    "GET",
                    ":scheme",
                    "http",
                    ":path",
                    "/",
                    ":authority",
                    "shop.example",
                    "x-forwarded-for",
                    client,
                    "x-forwarded-proto",
                    "https");
            assertThat(http2.body(stream)).isEqualTo("ok");
            assertThat(forwarded().field("X-Forwarded-For")).isEqualTo(client + ", 10.0.0.1");
            assertThat(forwarded().field("X-Forwarded-Proto")).isEqualTo("https");
        }
        await().atMost(PATIENCE).until(() -> clients.equals(List.of(CLIENT, "198.51.100.1")));
    }

    @ParameterizedTest
    @CsvSource({
        "'GET / HTTP/1.1\r\n\r\n', 'no PROXY header, expected one from this peer (PROXY_PROTOCOL)'",
        "'PROXY TCP4 localhost 192.0.2.1 1 80\r\n', 'PROXY header \"PROXY TCP4 localhost 192.0.2.1 1 80\", expected one like PROXY TCP4 192.0.2.1 192.0.2.2 50000 443'",
        "'PROXY TCP4 192.0.2.1 192.0.2.1 1 65536\r\n', 'PROXY header \"PROXY TCP4 192.0.2.1 192.0.2.1 1 65536\", expected one like PROXY TCP4 192.0.2.1 192.0.2.2 50000 443'",
        "'PROXY UDP4 192.0.2.1 192.0.2.1 1 80\r\n', 'PROXY header \"PROXY UDP4 192.0.2.1 192.0.2.1 1 80\", expected one like PROXY TCP4 192.0.2.1 192.0.2.2 50000 443'",
    })
    void whoHasToSendAHeaderIsNotServedWithoutOne(String bytes, String reason) throws Exception {
        start("", "127.0.0.1");
        try (CapturedLog log = new CapturedLog()) {
            RawClient client = client().send(bytes);
            assertThat(endedOrReset(client)).isTrue();
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(log.about("Bad request"))
                            .singleElement()
                            .asString()
                            .contains("client=127.0.0.1")
                            .contains(reason.replace("\"", "\\\"")));
        }
        assertThat(endpoint.requests).isEmpty();
    }

    private static boolean endedOrReset(RawClient client) {
        try {
            return client.ended();
        } catch (IOException e) {
            return true;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"version 1", "version 2"})
    void aMalformedLengthEndsTheConnection(String version) throws Exception {
        start("", "127.0.0.1");
        RawClient client = client();
        if (version.equals("version 1")) {
            client.send("PROXY UNKNOWN " + "x".repeat(200));
        } else {
            client.socket().getOutputStream().write(version2(0x21, 0x11, new byte[5000]));
        }
        assertThat(endedOrReset(client)).isTrue();
    }

    @Test
    void whoIsNotToSendAHeaderIsNotServedWithOne() throws Exception {
        start("", "10.0.0.0/8");
        assertThat(client().send(from("6.6.6.6") + request("")).read().startLine())
                .isEqualTo("HTTP/1.1 400 Bad Request");
        assertThat(sendAfter(version2(0x21, 0x11, addresses(CLIENT, "192.0.2.1", 80, new byte[0])))
                        .startLine())
                .isEqualTo("HTTP/1.1 400 Bad Request");
        assertThat(client().get("/").body()).isEqualTo("ok");
    }

    @Test
    void aHeaderThatDoesNotComeIsWaitedForTenSeconds() throws Exception {
        start("", "127.0.0.1");
        RawClient client = client().send("PROXY TCP4 ");
        RawClient other = client();
        other.send(from(CLIENT) + request("")).read(); // accepted later, so the first one is being read
        ahead.addAndGet(Duration.ofSeconds(11).toNanos());
        assertThat(endedOrReset(client)).isTrue();
    }

    // What users are told

    @Test
    void theStatusSaysWhoIsBelievedAndWhetherABalancerHidesTheClients() throws Exception {
        start("", "");
        RawClient telemetry = new RawClient(millau.telemetryPort());
        assertThat(telemetry.get("/status.json").body()).contains("\"trusted\":\"\"", "\"soleClient\":null");
        RawClient client = client();
        for (int i = 0; i < 101; i++) {
            client.get("/");
        }
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(telemetry.get("/status.json").body()).contains("\"soleClient\":\"127.0.0.1\""));
        telemetry.close();
    }

    @Test
    void anExplanationSaysWhoIsBelieved() throws Exception {
        start("private", "10.0.0.0/8");
        assertThat(millau.explain(java.net.URI.create("http://shop.example/")))
                .contains(
                        "X-Forwarded-For is believed from private; PROXY protocol headers are required from 10.0.0.0/8\n");
    }
}
