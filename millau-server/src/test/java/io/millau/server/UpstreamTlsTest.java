package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.core.Certificate;
import io.millau.core.Endpoint;
import io.millau.core.UpstreamTls;
import io.millau.core.testing.Authority;
import io.millau.core.testing.CapturedLog;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.EOFException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** TLS between the proxy and an endpoint. */
class UpstreamTlsTest extends ProxyTest {

    private static final Authority ROOT = Authority.root("root");
    private static final UpstreamTls VERIFIED = new UpstreamTls(Set.of(ROOT.certificate()), "app.internal");
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    @Test
    void requestsAndResponsesOfAnySizePass() throws Exception {
        String large = "0123456789".repeat(300_000);
        ScriptedEndpoint endpoint = secure(ROOT.issue("app.internal"), connection -> {
            for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
                connection.respond(request, request.body());
            }
        });
        startWith(app(endpoint.endpoint(VERIFIED)).build());

        RawClient client = client();
        for (String body : new String[] {"", "small", large}) {
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
            assertThat(client.read().body()).isEqualTo(body);
        }
        assertThat(endpoint.connections()).isEqualTo(1);
    }

    @Test
    void anUpgradedConnectionIsTunnelled() throws Exception {
        ScriptedEndpoint endpoint = secure(ROOT.issue("app.internal"), connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
            connection.wire().in().transferTo(connection.wire().out());
        });
        startWith(app(endpoint.endpoint(VERIFIED)).build());
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");

        assertThat(client.readHead().status()).isEqualTo(101);
        client.send("hello");
        assertThat(client.wire().readExactly(5)).isEqualTo("hello");
    }

    /**
     * Whoever cuts the connection could end a response early that has no length, and it looked complete. Only the alert
     * close_notify can end it (RFC 9112, 9.8).
     */
    @ParameterizedTest
    @ValueSource(strings = {"", "Connection: close\r\n"})
    void aResponseThatTheConnectionEndsIsCutWithoutCloseNotify(String fields) throws Exception {
        ScriptedEndpoint endpoint = secure(ROOT.issue("app.internal"), connection -> {
            Message request = connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\n" + fields + "\r\nhalf");
            if (request != null && request.startLine().startsWith("GET /cut")) {
                connection.closeWithoutNotify();
            }
        });
        startWith(app(endpoint.endpoint(VERIFIED)).build());

        assertThat(client().get("/").body()).isEqualTo("half");
        RawClient client = client();
        assertThatThrownBy(() -> client.get("/cut")).isInstanceOf(EOFException.class);
        assertThat(traffic.events).contains("failed app BROKEN");
    }

    @Test
    void anUnverifiedEndpointIsAFailedAttempt() throws Exception {
        ScriptedEndpoint stranger = secure(Authority.root("other").issue("app.internal"), OK);
        ScriptedEndpoint other = secure(ROOT.issue("other.internal"), OK);
        ScriptedEndpoint expired =
                secure(ROOT.order().names("app.internal").expired().issue(), OK);
        ScriptedEndpoint good = secure(ROOT.issue("app.internal"), OK);
        startWith(app(
                        stranger.endpoint(VERIFIED),
                        other.endpoint(VERIFIED),
                        expired.endpoint(VERIFIED),
                        good.endpoint(VERIFIED))
                .build());

        for (int i = 0; i < 8; i++) {
            assertThat(client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
                            .read()
                            .body())
                    .isEqualTo("ok");
        }
        assertThat(stranger.requests).isEmpty();
        assertThat(other.requests).isEmpty();
        assertThat(expired.requests).isEmpty();
    }

    /** Who reads it has to know which of the labels to look at, if it is about a label at all. */
    @Test
    void theLogSaysWhatIsWrongWithACertificate() throws Exception {
        try (CapturedLog log = new CapturedLog()) {
            for (Certificate certificate : List.of(
                    Authority.root("other").issue("app.internal"),
                    ROOT.issue("other.internal"),
                    ROOT.order().names("app.internal").expired().issue())) {
                Endpoint endpoint = secure(certificate, OK).endpoint(VERIFIED);
                services.replace(app(endpoint).build());
                try (Millau once = builder().start();
                        RawClient client = new RawClient(once.port())) {
                    assertThat(client.get("/").status()).isEqualTo(502);
                }
            }

            assertThat(log.about("Failed service=app"))
                    .satisfiesExactly(
                            line -> assertThat(line).contains("rejected: expected one of millau.upstream-ca ("),
                            line -> assertThat(line)
                                    .contains("rejected: expected one for app.internal, or millau.upstream-name ("),
                            line -> assertThat(line).contains("rejected: expected one that is valid now ("));
        }
    }

    @Test
    void withoutACaTheJdksTrustedCasApply() throws Exception {
        ScriptedEndpoint endpoint = secure(ROOT.issue("app.internal"), OK);
        startWith(app(endpoint.endpoint(new UpstreamTls(Set.of(), "app.internal")))
                .build());

        assertThat(client().get("/").status()).isEqualTo(502);
        assertThat(endpoint.requests).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1, 200", "shop_app, 502"})
    void theServerNameMayBeAnAddressButHasNoUnderscore(String name, int status) throws Exception {
        Certificate certificate =
                name.equals("127.0.0.1") ? ROOT.order().address(name).issue() : ROOT.issue(name);
        ScriptedEndpoint endpoint = secure(certificate, OK);
        startWith(app(endpoint.endpoint(new UpstreamTls(Set.of(ROOT.certificate()), name)))
                .build());

        assertThat(client().get("/").status()).isEqualTo(status);
    }

    @Test
    void anEndpointWithoutTlsIsAFailedAttempt() throws Exception {
        ScriptedEndpoint plain = endpointThatResponds("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        ScriptedEndpoint closing = endpoint(connection -> {});
        startWith(app(plain.endpoint(VERIFIED), closing.endpoint(VERIFIED)).build());

        assertThat(client().get("/").status()).isEqualTo(502);
    }

    /** With the test's own clock, so that the handshake's timeout does not take five seconds. */
    @Test
    void aHangingHandshakeIsAFailedAttempt() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        ScriptedEndpoint hanging = endpoint(connection -> {
            connection.wire().in().read();
            arrived.countDown();
            connection.hang();
        });
        startWith(app(hanging.endpoint(VERIFIED)).build());
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        arrived.await();
        ahead.addAndGet(TimeUnit.SECONDS.toNanos(6));

        assertThat(client.read().status()).isEqualTo(502);
    }

    private ScriptedEndpoint secure(Certificate certificate, String response) {
        return secure(certificate, connection -> {
            while (connection.readRequest() != null) {
                connection.send(response);
            }
        });
    }

    private ScriptedEndpoint secure(Certificate certificate, ScriptedEndpoint.Script script) {
        return closing(ScriptedEndpoint.overTls(Authority.server(certificate), script));
    }
}
