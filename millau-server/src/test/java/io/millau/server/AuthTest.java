package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Service;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code millau.auth}: another server decides who may come in. */
class AuthTest extends ProxyTest {

    /** Knows who has the right cookie, and sends others to the login page. */
    private final ScriptedEndpoint auth = endpoint(connection -> {
        for (Message asked = connection.readRequest(); asked != null; asked = connection.readRequest()) {
            connection.send(
                    "session=right".equals(asked.field("Cookie"))
                            ? "HTTP/1.1 200 OK\r\nX-Auth-User: alice\r\nX-Other: x\r\nContent-Length: 2\r\n\r\nok"
                            : "HTTP/1.1 302 Found\r\nLocation: /login?to=%2Fbooks\r\nSet-Cookie: csrf=1\r\nSet-Cookie: b=2\r\n"
                                    + "Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Type: text/html\r\n"
                                    + "Content-Length: 5\r\n\r\nlogin");
        }
    });

    private final ScriptedEndpoint endpoint = endpointThatSays("ok");

    private static String url(ScriptedEndpoint server) {
        return server.endpoint() + "/verify?a=b";
    }

    private Service guarded(ScriptedEndpoint by) {
        return app(endpoint.endpoint())
                .auth(url(by))
                .authHeaders("X-Auth-User", "X-Auth-Groups")
                .build();
    }

    private Message get(String target, String... fields) throws Exception {
        return client().send("GET " + target + " HTTP/1.1\r\nHost: shop.example\r\n" + String.join("", fields) + "\r\n")
                .read();
    }

    @Test
    void whoLogsInByTheLoginPageMayComeIn() throws Exception {
        ScriptedEndpoint login = closing(ScriptedEndpoint.thatResponds(
                "HTTP/1.1 302 Found\r\nLocation: /books\r\nSet-Cookie: session=right\r\nContent-Length: 0\r\n\r\n"));
        startWith(
                guarded(auth),
                Service.named("login")
                        .path("/login")
                        .endpoints(login.endpoint())
                        .build());

        Message refused = get("/books");
        assertThat(refused.status()).isEqualTo(302);
        assertThat(refused.field("Location")).isEqualTo("/login?to=%2Fbooks");
        assertThat(refused.all("Set-Cookie")).containsExactlyInAnyOrder("csrf=1", "b=2");
        assertThat(refused.field("Content-Type")).isEqualTo("text/html");
        assertThat(refused.field("X-Hop")).isNull();
        assertThat(refused.field("Keep-Alive")).isNull();
        assertThat(refused.body()).isEqualTo("login");
        assertThat(endpoint.requests).isEmpty();

        Message loggedIn = get(refused.field("Location"));
        assertThat(loggedIn.field("Location")).isEqualTo("/books");

        Message page = get(
                "/books",
                "Cookie: " + loggedIn.field("Set-Cookie") + "\r\n",
                "X-Auth-User: root\r\nX_Auth_User: root\r\nX-Auth-Groups: admins\r\nX-Own: 1\r\n");
        assertThat(page.status()).isEqualTo(200);
        Message request = endpoint.requests.get(0);
        assertThat(request.all("X-Auth-User")).containsExactly("alice");
        assertThat(request.field("X_Auth_User")).isNull();
        assertThat(request.field("X-Auth-Groups")).isNull();
        assertThat(request.field("X-Other")).isNull();
        assertThat(request.field("X-Own")).isEqualTo("1");
        assertThat(request.field("X-Millau-Auth")).isNull();
    }

    @Test
    void theQuestionHasTheHeadOfTheRequestAndSaysWhatItIsAbout() throws Exception {
        startWith(guarded(auth));
        client().send(
                        "POST /a%20b?c=d HTTP/1.1\r\nHost: shop.example:81\r\nAuthorization: Bearer t\r\nX-One: 1\r\nX-One: 2\r\n"
                                + "X-Forwarded-Uri: /forged\r\nX_Forwarded_Method: FORGED\r\nIf-None-Match: \"x\"\r\nTE: trailers\r\n"
                                + "Connection: TE, X-Hop\r\nX-Hop: 1\r\nContent-Length: 4\r\n\r\nbody")
                .read();

        Message asked = auth.requests.get(0);
        assertThat(asked.startLine()).isEqualTo("GET /verify?a=b HTTP/1.1");
        assertThat(asked.field("Host")).isEqualTo(auth.endpoint().toString().replace("http://", ""));
        assertThat(asked.all("X-Forwarded-Method")).containsExactly("POST");
        assertThat(asked.all("X-Forwarded-Proto")).containsExactly("http");
        assertThat(asked.all("X-Forwarded-Host")).containsExactly("shop.example:81");
        assertThat(asked.all("X-Forwarded-Uri")).containsExactly("/a%20b?c=d");
        assertThat(asked.all("X-Forwarded-For")).containsExactly("127.0.0.1");
        assertThat(asked.field("Authorization")).isEqualTo("Bearer t");
        assertThat(asked.all("X-One")).containsExactly("1", "2");
        for (String name : new String[] {"X_Forwarded_Method", "If-None-Match", "TE", "X-Hop"}) {
            assertThat(asked.field(name)).as(name).isNull();
        }
        assertThat(asked.field("Content-Length")).isNotEqualTo("4");
        assertThat(asked.body()).isEmpty();
    }

    @Test
    void aBodyIsSentAfterTheVerdict() throws Exception {
        startWith(guarded(auth));
        String body = "x".repeat(300_000);
        client().send("POST / HTTP/1.1\r\nHost: a\r\nCookie: session=right\r\nContent-Length: " + body.length()
                        + "\r\n\r\n" + body)
                .read();

        assertThat(auth.requests.get(0).body()).isEmpty();
        assertThat(endpoint.requests.get(0).body()).isEqualTo(body);
    }

    @Test
    void aWebSocketIsAskedAboutToo() throws Exception {
        ScriptedEndpoint socket = endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello");
            connection.hang();
        });
        startWith(app(socket.endpoint()).auth(url(auth)).build());
        String upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n";

        assertThat(client().send(upgrade + "\r\n").read().status()).isEqualTo(302);
        RawClient client = client().send(upgrade + "Cookie: session=right\r\n\r\n");
        assertThat(client.readHead().status()).isEqualTo(101);
        assertThat(auth.requests)
                .allSatisfy(asked -> assertThat(asked.field("Upgrade")).isNull());
    }

    @Test
    void overHttp2ItIsTheSame() throws Exception {
        startWith(guarded(auth));
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));

        client.headers(1, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a");
        assertThat(client.next(1).payload()).contains("/login?to=");
        client.headers(
                3,
                true,
                ":method",
                "GET",
                ":scheme",
                "http",
                ":path",
                "/",
                ":authority",
                "a",
                "cookie",
                "session=right");
        assertThat(client.next(3).payload()).startsWith("\u0088");
        assertThat(endpoint.requests).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nonsense\r\n\r\n",
                "HTTP/1.1 401 Unauthorized\r\nContent-Length: 10\r\n\r\ncut",
                "HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n"
            })
    void withoutAnAnswerNobodyComesIn(String response) throws Exception {
        startWith(guarded(endpoint(connection -> {
            connection.readRequest();
            connection.send(response);
        })));

        Message refused = get("/", "Cookie: session=right\r\n");
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.field("Retry-After")).isEqualTo("5");
        assertThat(endpoint.requests).isEmpty();
    }

    @Test
    void aServerThatNeverAnswersLetsNobodyInAndKeepsNoConnection() throws Exception {
        AtomicInteger open = new AtomicInteger();
        ScriptedEndpoint silent = endpoint(connection -> {
            open.incrementAndGet();
            connection.readRequest();
            try {
                connection.wire().in().read();
            } finally {
                open.decrementAndGet();
            }
        });
        startWith(guarded(silent));
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < 210; i++) {
            clients.add(client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        }
        for (RawClient client : clients) {
            assertThat(client.read().status()).isEqualTo(503);
        }
        await().atMost(Duration.ofSeconds(60)).until(() -> open.get() == 0);
        assertThat(endpoint.requests).isEmpty();
    }

    @Test
    void aServerThatIsGoneLetsNobodyIn() throws Exception {
        startWith(guarded(auth));
        replaceWith(app(endpoint.endpoint()).auth(endpointThatRefuses() + "/").build());
        assertThat(get("/").status()).isEqualTo(503);
        assertThat(endpoint.requests).isEmpty();
    }

    @Test
    void aRefusalOfMoreThan64KibIsNotPassedOnAndAnyLengthOfAPermission() throws Exception {
        startWith(guarded(endpoint(connection -> {
            Message asked = connection.readRequest();
            String status = asked.field("X-Status");
            connection.send("HTTP/1.1 " + status + " X\r\nContent-Length: 65537\r\n\r\n" + "x".repeat(65537));
        })));

        assertThat(get("/", "X-Status: 403\r\n").status()).isEqualTo(503);
        assertThat(get("/", "X-Status: 200\r\n").status()).isEqualTo(200);
    }

    /** The login server is behind this proxy, and its own service has the label, too. */
    @Test
    void aLoopIsRecognised() throws Exception {
        startWith(guarded(auth));
        services.replace(app(endpoint.endpoint())
                .auth("http://127.0.0.1:" + millau.port() + "/verify")
                .build());

        Message refused = get("/");

        assertThat(refused.status()).isEqualTo(508);
        assertThat(refused.body()).isEqualTo("The URL in millau.auth leads to a service that has millau.auth itself\n");
        assertThat(endpoint.requests).isEmpty();
    }
}
