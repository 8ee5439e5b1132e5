package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Service;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import io.millau.testing.internal.Http2Peer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The request's id, with each protocol on both sides. */
class RequestIdTest extends ProxyTest {

    private static final String GENERATED = "[0-9a-f]{32}";
    private static final String CLIENTS_ID = "its-own/1.2_3~:@+=";

    private final ScriptedEndpoint http1 = endpointThatSays("ok");
    private final BlockingQueue<List<String>> overH2c = new LinkedBlockingQueue<>();
    private final ScriptedEndpoint h2c = endpoint(connection -> {
        Http2Peer peer = new Http2Peer(connection);
        while (true) {
            Http2Peer.Frame request = peer.wholeRequest();
            overH2c.add(peer.fields(request));
            peer.respond(request.stream(), "ok");
        }
    });

    private void start() throws Exception {
        startWith(
                app(http1.endpoint()).build(),
                Service.named("h2c")
                        .path("/h2c")
                        .endpoints(Http2Peer.endpoint(h2c))
                        .build());
    }

    /** The fields that the service received, in lower case. */
    private List<String> fieldsOfH2c() throws InterruptedException {
        List<String> fields = overH2c.poll(30, TimeUnit.SECONDS);
        assertThat(fields).isNotNull();
        return fields;
    }

    private static List<String> values(List<String> fields, String name) {
        return fields.stream()
                .filter(field -> field.toLowerCase(java.util.Locale.ROOT).startsWith(name + ":"))
                .map(field -> field.substring(name.length() + 1).strip())
                .toList();
    }

    private Message last() {
        return http1.requests.get(http1.requests.size() - 1);
    }

    @Test
    void theClientsIdIsForwarded() throws Exception {
        start();
        client().send("GET / HTTP/1.1\r\nHost: a\r\nx-request-id: " + CLIENTS_ID + "\r\n\r\n")
                .read();
        assertThat(last().all("X-Request-Id")).containsExactly(CLIENTS_ID);

        client().send("GET /h2c HTTP/1.1\r\nHost: a\r\nX-REQUEST-ID: " + CLIENTS_ID + "\r\n\r\n")
                .read();
        assertThat(values(fieldsOfH2c(), "x-request-id")).containsExactly(CLIENTS_ID);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/h2c"})
    void theIdOfAnHttp2ClientIsForwarded(String path) throws Exception {
        start();
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));
        client.headers(1, true, request(path, "x-request-id", CLIENTS_ID));
        assertThat(client.body(1)).isEqualTo("ok");

        assertThat(values(path.equals("/") ? last().fields() : fieldsOfH2c(), "x-request-id"))
                .containsExactly(CLIENTS_ID);
    }

    private static String[] request(String path, String name, String value) {
        return new String[] {
            ":method", "GET", ":scheme", "http", ":path", path, ":authority", "a", name, value,
        };
    }

    @Test
    void anIdHasAtMostTwoHundredCharacters() throws Exception {
        start();
        client().send("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: " + "x".repeat(200) + "\r\n\r\n")
                .read();
        assertThat(last().field("X-Request-Id")).isEqualTo("x".repeat(200));

        client().send("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: " + "x".repeat(201) + "\r\n\r\n")
                .read();
        assertThat(last().field("X-Request-Id")).matches(GENERATED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "two words", "a\"b", "a\tb", "\u00e4", "a\u0085", "one\r\nX-Request-Id: two"})
    void anIdWithUnsafeCharactersIsReplaced(String hostile) throws Exception {
        start();
        client().send("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: " + hostile + "\r\n\r\n")
                .read();

        assertThat(last().field("X-Request-Id")).matches(GENERATED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/h2c"})
    void anIdThatOnlyHttp2CanExpressIsReplaced(String path) throws Exception {
        start();
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));
        client.headers(1, true, request(path, "x-request-id", "a\u0080 b"));
        assertThat(client.body(1)).isEqualTo("ok");

        assertThat(values(path.equals("/") ? last().fields() : fieldsOfH2c(), "x-request-id"))
                .singleElement()
                .asString()
                .matches(GENERATED);
    }

    @Test
    void generatedIdsDiffer() throws Exception {
        start();
        RawClient client = client();
        for (int i = 0; i < 1000; i++) {
            client.get("/");
        }
        Set<String> made = new HashSet<>();
        http1.requests.forEach(request -> made.add(request.field("X-Request-Id")));

        assertThat(made).hasSize(1000).allMatch(id -> id.matches(GENERATED));
        for (int at = 0; at < 32; at++) {
            int position = at;
            assertThat(made.stream().map(id -> id.charAt(position)).distinct())
                    .as("digits at %s", at)
                    .hasSize(16);
        }
    }

    @Test
    void everyAttemptHasTheSameId() throws Exception {
        ScriptedEndpoint breaking = endpoint(ScriptedEndpoint.Connection::readRequest);
        startWith(
                Service.named("blue").endpoints(breaking.endpoint()).build(),
                Service.named("green").endpoints(http1.endpoint()).build());
        RawClient client = client();
        while (breaking.requests.isEmpty()) {
            client.get("/");
        }

        assertThat(breaking.requests.get(0).field("X-Request-Id"))
                .matches(GENERATED)
                .isEqualTo(last().field("X-Request-Id"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/h2c"})
    void traceHeadersAreForwardedUnchanged(String path) throws Exception {
        start();
        String parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        String state = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE";
        client().send("GET " + path + " HTTP/1.1\r\nHost: a\r\nTraceparent: " + parent + "\r\ntracestate: " + state
                        + "\r\ntracestate: more=1\r\n\r\n")
                .read();
        List<String> fields = path.equals("/") ? last().fields() : fieldsOfH2c();

        assertThat(values(fields, "traceparent")).containsExactly(parent);
        assertThat(values(fields, "tracestate")).containsExactly(state, "more=1");
    }

    @Test
    void theResponseHasNoId() throws Exception {
        start();

        assertThat(client().get("/").field("X-Request-Id")).isNull();
        assertThat(client().send("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\r\n\r\n")
                        .read()
                        .field("X-Request-Id"))
                .isNull();
    }
}
