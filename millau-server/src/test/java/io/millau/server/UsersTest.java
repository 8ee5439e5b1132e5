package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.springframework.security.crypto.bcrypt.BCrypt;

/** {@code millau.users}: who has no password of a user gets 401. */
class UsersTest extends ProxyTest {

    private static final String ALICE = "alice:" + hash("sésame", 4);

    private static String hash(String password, int cost) {
        return BCrypt.hashpw(password, BCrypt.gensalt("$2y", cost));
    }

    private static String login(String credentials) {
        return "Authorization: Basic "
                + Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8)) + "\r\n";
    }

    private Message get(String... fields) throws Exception {
        return client().send("GET / HTTP/1.1\r\nHost: a\r\n" + String.join("", fields) + "\r\n")
                .read();
    }

    @Test
    void whoIsNoUserIsAskedForAPassword() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(app(endpoint.endpoint()).users(ALICE).build());

        for (String field : List.of("", login("alice:wrong"), login("bob:sésame"), "Authorization: Bearer x\r\n")) {
            Message refused = get(field);
            assertThat(refused.status()).isEqualTo(401);
            assertThat(refused.field("WWW-Authenticate")).isEqualTo("Basic realm=\"app\", charset=\"UTF-8\"");
            assertThat(refused.body()).isEqualTo("This service asks for a name and a password\n");
        }
        assertThat(endpoint.requests).isEmpty();
    }

    @Test
    void theServiceGetsTheNameOfTheUserAndNoPassword() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(app(endpoint.endpoint()).users(ALICE).build());

        for (int i = 0; i < 2; i++) {
            Message response = get(login("alice:sésame"), "X-Forwarded-User: root\r\nX_Forwarded_User: root\r\n");
            assertThat(response.status()).isEqualTo(200);
        }

        assertThat(endpoint.requests).hasSize(2).allSatisfy(request -> {
            assertThat(request.field("X-Forwarded-User")).isEqualTo("alice");
            assertThat(request.field("X_Forwarded_User")).isNull();
            assertThat(request.field("Authorization")).isNull();
        });
    }

    @Test
    void whoMayNotComeInIsNotAskedForAPassword() throws Exception {
        startWith(app(endpointThatSays("ok").endpoint())
                .allow("10.0.0.0/8")
                .users(ALICE)
                .build());
        assertThat(get().status()).isEqualTo(403);

        replaceWith(app(endpointThatSays("ok").endpoint())
                .limit("2/h")
                .users(ALICE)
                .canonical("b")
                .build());
        assertThat(get().status()).isEqualTo(401);
        assertThat(get(login("alice:sésame")).status()).isEqualTo(429);
    }

    @Test
    void aBodyIsSentAfterThePasswordWasChecked() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(app(endpoint.endpoint()).users(ALICE).build());
        String body = "x".repeat(300_000);
        String head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + body.length() + "\r\n";

        assertThat(client().send(head + login("alice:wrong") + "\r\n").read().status())
                .isEqualTo(401);
        assertThat(client().send(head + login("alice:sésame") + "\r\n" + body)
                        .read()
                        .status())
                .isEqualTo(200);
        assertThat(endpoint.requests.get(0).body()).isEqualTo(body);
    }

    @Test
    void aWebSocketNeedsAPasswordToo() throws Exception {
        ScriptedEndpoint endpoint = endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello");
            connection.hang();
        });
        startWith(app(endpoint.endpoint()).users(ALICE).build());
        String upgrade = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n";

        assertThat(client().send(upgrade + "\r\n").read().status()).isEqualTo(401);
        RawClient user = client().send(upgrade + login("alice:sésame") + "\r\n");
        assertThat(user.readHead().status()).isEqualTo(101);
        assertThat(user.wire().readExactly(5)).isEqualTo("hello");
        assertThat(endpoint.requests.get(0).field("X-Forwarded-User")).isEqualTo("alice");
    }

    @Test
    void overHttp2ItIsTheSame() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(app(endpoint.endpoint()).users(ALICE).build());
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));
        String[] request = {":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a"};

        client.headers(1, true, request);
        assertThat(client.next(1).payload()).contains("Basic realm=");
        List<String> withPassword = new ArrayList<>(List.of(request));
        withPassword.addAll(List.of(
                "authorization",
                login("alice:sésame").substring("Authorization: ".length()).strip()));
        client.headers(3, true, withPassword.toArray(String[]::new));
        assertThat(client.next(3).payload()).startsWith("\u0088");
        assertThat(endpoint.requests).hasSize(1);
        assertThat(endpoint.requests.get(0).field("X-Forwarded-User")).isEqualTo("alice");
        assertThat(endpoint.requests.get(0).field("Authorization")).isNull();
    }

    @Test
    void whoIsNoUserAnyMoreIsNotRemembered() throws Exception {
        var app = app(endpointThatSays("ok").endpoint());
        startWith(app.users(ALICE).build());
        assertThat(get(login("alice:sésame")).status()).isEqualTo(200);

        replaceWith(app.users("alice:" + hash("other", 4)).build());

        assertThat(get(login("alice:sésame")).status()).isEqualTo(401);
        assertThat(get(login("alice:other")).status()).isEqualTo(200);
    }

    /** Each guess takes a thread of the checks some tenths of a second. */
    @Test
    void guessedPasswordsStarveNobodyWhoIsLoggedIn() throws Exception {
        clock = ahead::get; // alice is remembered, however long this takes
        startWith(app(endpointThatSays("ok").endpoint())
                .users("alice:" + hash("secret", 12))
                .build());
        assertThat(get(login("alice:secret")).status()).isEqualTo(200);
        int guesses = 20 * Math.max(2, Runtime.getRuntime().availableProcessors());

        List<RawClient> guessers = new ArrayList<>();
        for (int i = 0; i < guesses; i++) {
            guessers.add(client().send("GET / HTTP/1.1\r\nHost: a\r\n" + login("alice:guess" + i) + "\r\n"));
        }
        for (int i = 0; i < 3; i++) {
            assertThat(get(login("alice:secret")).status()).isEqualTo(200);
        }

        TreeSet<Integer> statuses = new TreeSet<>();
        for (RawClient guesser : guessers) {
            statuses.add(guesser.read().status());
        }
        assertThat(statuses).isSubsetOf(401, 503);
    }
}
