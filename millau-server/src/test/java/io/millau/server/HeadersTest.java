package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which header fields are forwarded, added and removed. */
class HeadersTest extends ProxyTest {

    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private Message forwarded(String request) throws Exception {
        ScriptedEndpoint endpoint = endpointThatResponds(OK);
        startWith(endpoint);
        client().send(request).read();
        return endpoint.requests.get(0);
    }

    @Test
    void forwardedFieldsDescribeTheClient() throws Exception {
        Message request =
                forwarded("GET /a%20b?c=%64 HTTP/1.1\r\nHost: Shop.Example:81\r\nCF-Connecting-IP: 9.9.9.9\r\n"
                        + "X-Forwarded-For: 6.6.6.6\r\nx-forwarded-proto: https\r\nX-Forwarded-Host: evil\r\n"
                        + "X-Forwarded-User: root\r\nForwarded: for=6.6.6.6\r\nVia: 1.0 front\r\n\r\n");

        assertThat(request.startLine()).isEqualTo("GET /a%20b?c=%64 HTTP/1.1");
        assertThat(request.field("Host")).isEqualTo("Shop.Example:81");
        assertThat(request.field("X-Forwarded-For")).isEqualTo("127.0.0.1");
        assertThat(request.field("X-Forwarded-Proto")).isEqualTo("http");
        assertThat(request.field("X-Forwarded-Host")).isEqualTo("Shop.Example:81");
        assertThat(request.field("X-Forwarded-Port")).isEqualTo("81");
        assertThat(request.field("X-Forwarded-User")).isNull();
        assertThat(request.field("Forwarded")).isNull();
        assertThat(request.field("CF-Connecting-IP")).isEqualTo("9.9.9.9");
        assertThat(request.all("Via")).containsExactly("1.0 front", "1.1 millau");
    }

    @Test
    void theForwardedPortDefaultsToThatOfTheScheme() throws Exception {
        assertThat(forwarded("GET / HTTP/1.1\r\nHost: a\r\n\r\n").field("X-Forwarded-Port"))
                .isEqualTo("80");
    }

    @Test
    void hopByHopFieldsOfARequestAreRemoved() throws Exception {
        Message request = forwarded("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Mine, Host, Cookie\r\n"
                + "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: gzip, trailers;q=1\r\nX-Mine: 1\r\n"
                + "Proxy-Authorization: Basic x\r\nUpgrade: h2c\r\nCookie: a=b\r\nX-Other: 2\r\n\r\n");

        for (String gone :
                new String[] {"Keep-Alive", "Proxy-Connection", "X-Mine", "Proxy-Authorization", "Upgrade"}) {
            assertThat(request.field(gone)).as(gone).isNull();
        }
        assertThat(request.field("X-Other")).isEqualTo("2");
        assertThat(request.field("Cookie")).isEqualTo("a=b");
        assertThat(request.field("Host")).isEqualTo("a");
    }

    @Test
    void teIsReducedToTrailers() throws Exception {
        Message request = forwarded("GET / HTTP/1.1\r\nHost: a\r\nTE: deflate, trailers\r\nConnection: TE\r\n\r\n");

        assertThat(request.field("TE")).isEqualTo("trailers");
        assertThat(request.field("Connection")).isEqualTo("TE");
    }

    @Test
    void hopByHopFieldsOfAResponseAreRemoved() throws Exception {
        startWith(endpointThatResponds("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Mine, keep-alive\r\n"
                + "Keep-Alive: timeout=5\r\nX-Mine: 1\r\nX-Other: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
                + "Upgrade: h2c\r\n\r\nok"));
        Message response = client().get("/");

        assertThat(response.field("Connection")).isNull();
        assertThat(response.field("Keep-Alive")).isNull();
        assertThat(response.field("X-Mine")).isNull();
        assertThat(response.field("Upgrade")).isNull();
        assertThat(response.field("X-Other")).isEqualTo("2");
        assertThat(response.all("Set-Cookie")).containsExactly("a=1", "b=2");
        assertThat(response.field("Via")).isNull();
        assertThat(response.field("X-Backend-Server")).isNull();
        assertThat(response.field("Date")).isNull();
    }

    @Test
    void debugHeadersDependOnTheirSettingAndNotOnTheLogLevel() throws Exception {
        services.replace(app(endpointThatSays("ok").endpoint()).build());
        millau = closing(builder().hostName("edge-1").debugHeaders().start());
        Message response = client().get("/");

        assertThat(response.field("Via")).isEqualTo("1.1 millau");
        assertThat(response.field("X-Backend-Server")).isEqualTo("app");
        assertThat(response.field("X-Served-By")).isEqualTo("edge-1");
        assertThat(response.field("X-Request-Id")).isNotNull();
        assertThat(response.body()).isEqualTo("ok");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/?", "/a?", "/a??", "/a?b", "/a"})
    void anEmptyQueryIsNotTheSameAsNone(String target) throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        RawClient client = client();
        client.get(target);
        client.get(target);
        try (RawHttp2Client http2 = new RawHttp2Client(millau.port())) {
            http2.headers(1, true, ":method", "GET", ":scheme", "http", ":path", target, ":authority", "a");
            http2.body(1);
        }

        assertThat(endpoint.requests)
                .hasSize(3)
                .allSatisfy(request -> assertThat(request.startLine()).isEqualTo("GET " + target + " HTTP/1.1"));
    }

    @Test
    void anAbsoluteTargetBecomesAPath() throws Exception {
        Message request = forwarded("GET http://a:1234/x?y HTTP/1.1\r\nHost: a:1234\r\n\r\n");

        assertThat(request.startLine()).isEqualTo("GET /x?y HTTP/1.1");
        assertThat(request.field("Host")).isEqualTo("a:1234");
    }

    @Test
    void unusualPathsAreForwardedUnchanged() throws Exception {
        assertThat(forwarded("GET /a;b=c/../d//e/%2F?x=1&x=%00 HTTP/1.1\r\nHost: a\r\n\r\n")
                        .startLine())
                .isEqualTo("GET /a;b=c/../d//e/%2F?x=1&x=%00 HTTP/1.1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde",
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nabcde",
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                "GET / HTTP/1.1\r\n\r\n",
                "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nX: a\u0000b\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n",
            })
    void anAmbiguousRequestReachesNoService(String request) throws Exception {
        ScriptedEndpoint endpoint = endpointThatResponds(OK);
        startWith(endpoint);

        assertThat(client().send(request).read().status()).isEqualTo(400);
        assertThat(endpoint.requests).isEmpty();
    }

    /** CGI and WSGI read underscores and hyphens in the same way. */
    @Test
    void fieldsThatServicesTakeForOursAreNotForwarded() throws Exception {
        Message request = forwarded("GET / HTTP/1.1\r\nHost: a\r\nX-Real-IP: 6.6.6.6\r\nX_Real_IP: 6.6.6.6\r\n"
                + "X_Forwarded_For: 6.6.6.6\r\nx_forwarded_anything: 1\r\nClient_Cert: x\r\nClient-Cert_Chain: x\r\n"
                + "X_Request_Id: x\r\nFORWARDED: for=6.6.6.6\r\nX_Forwarded: kept\r\nClient_Name: kept\r\n\r\n");

        assertThat(request.toString()).doesNotContain("6.6.6.6", "Client_Cert", "Cert_Chain", "_Id", "anything");
        assertThat(request.field("X-Real-IP")).isEqualTo("127.0.0.1");
        assertThat(request.field("X_Forwarded")).isEqualTo("kept");
        assertThat(request.field("Client_Name")).isEqualTo("kept");
    }

    /** RFC 9112, 3.2.2. */
    @Test
    void theHostOfATargetInAbsoluteFormCounts() throws Exception {
        Message request = forwarded("GET http://b/x?y HTTP/1.1\r\nHost: a\r\n\r\n");

        assertThat(request.startLine()).isEqualTo("GET /x?y HTTP/1.1");
        assertThat(request.field("Host")).isEqualTo("b");
        assertThat(request.field("X-Forwarded-Host")).isEqualTo("b");
    }

    @Test
    void connectIsNotImplemented() throws Exception {
        startWith(endpointThatResponds(OK));

        assertThat(client().send("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")
                        .read()
                        .status())
                .isEqualTo(501);
    }
}
