package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.testing.Fault;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import io.millau.testing.internal.Http2Peer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code millau.request-header.NAME} and {@code millau.response-header.NAME}. */
class HeaderLabelsTest extends ProxyTest {

    private static final String RESPONSE =
            "HTTP/1.1 200 OK\r\nServer: x\r\nX-Key: its-own\r\nX-Key: second\r\nX-Other: 1\r\nContent-Length: 2\r\n\r\nok";

    /** The fields of the requests to an endpoint that speaks HTTP/2, each as {@code name: value}. */
    private final List<String> overHttp2 = new CopyOnWriteArrayList<>();

    private static Service changed(Endpoint... endpoints) {
        return app(endpoints)
                .requestHeader("X-Tenant", "t1")
                .requestHeader("X-Debug", "")
                .responseHeader("X-Key", "of the label")
                .responseHeader("server", "")
                .responseHeader("X-Frame-Options", "DENY")
                .build();
    }

    private Endpoint peer() {
        return Http2Peer.endpoint(endpoint(connection -> {
            Http2Peer peer = new Http2Peer(connection);
            Http2Peer.Frame request = peer.request();
            overHttp2.addAll(peer.fields(request));
            peer.headers(
                    request.stream(),
                    false,
                    ":status",
                    "200",
                    "server",
                    "x",
                    "x-key",
                    "its-own",
                    "x-key",
                    "second",
                    "x-other",
                    "1");
            peer.data(request.stream(), true, "ok");
            connection.hang();
        }));
    }

    @ParameterizedTest
    @CsvSource({"HTTP_1_1, false", "HTTP_1_1, true", "HTTP_2, false", "HTTP_2, true"})
    void headersAreSetAndRemovedOverEachProtocol(HttpClient.Version ofClient, boolean http2ToEndpoint)
            throws Exception {
        ScriptedEndpoint scripted = endpointThatResponds(RESPONSE);
        startWith(changed(http2ToEndpoint ? peer() : scripted.endpoint()));

        HttpResponse<String> response = HttpClient.newBuilder()
                .version(ofClient)
                .build()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + millau.port() + "/"))
                                .header("x-tenant", "forged")
                                .header("X_Tenant", "forged")
                                .header("X-Debug", "1")
                                .header("X-Mine", "1")
                                .build(),
                        HttpResponse.BodyHandlers.ofString());

        assertThat(response.version()).isEqualTo(ofClient);
        assertThat(response.body()).isEqualTo("ok");
        assertThat(response.headers().allValues("X-Key")).containsExactly("of the label");
        assertThat(response.headers().allValues("X-Frame-Options")).containsExactly("DENY");
        assertThat(response.headers().allValues("X-Other")).containsExactly("1");
        assertThat(response.headers().map()).doesNotContainKey("server");
        if (http2ToEndpoint) {
            assertThat(overHttp2)
                    .contains("x-tenant: t1", "x-mine: 1")
                    .doesNotContain("x-tenant: forged")
                    .noneMatch(field -> field.startsWith("x_tenant") || field.startsWith("x-debug"));
        } else {
            Message request = scripted.requests.get(0);
            assertThat(request.all("X-Tenant")).containsExactly("t1");
            assertThat(request.field("X_Tenant")).isNull();
            assertThat(request.field("X-Debug")).isNull();
            assertThat(request.field("X-Mine")).isEqualTo("1");
        }
    }

    @Test
    void aRequestThatIsRetriedHasThemOnce() throws Exception {
        ScriptedEndpoint bad = closing(ScriptedEndpoint.that(Fault.RESET_AFTER_HEAD));
        ScriptedEndpoint good = endpointThatResponds(RESPONSE);
        startWith(changed(bad.endpoint(), good.endpoint()));

        Message response = client().get("/");
        assertThat(bad.attempts()).isEqualTo(1);
        assertThat(good.requests.get(0).all("X-Tenant")).containsExactly("t1");
        assertThat(response.all("X-Key")).containsExactly("of the label");
    }

    @Test
    void anotherServiceThatRespondsInsteadHasItsOwn() throws Exception {
        ScriptedEndpoint good = endpointThatResponds(RESPONSE);
        startWith(
                Service.named("blue")
                        .requestHeader("X-Tenant", "blue")
                        .responseHeader("X-Key", "blue")
                        .endpoints(endpointThatRefuses())
                        .build(),
                Service.named("green")
                        .requestHeader("X-Other", "green")
                        .endpoints(good.endpoint())
                        .build());

        for (int i = 0; i < 2; i++) {
            assertThat(client().get("/").all("X-Key")).containsExactly("its-own", "second");
        }
        assertThat(good.requests).hasSize(2).allSatisfy(request -> {
            assertThat(request.field("X-Tenant")).isNull();
            assertThat(request.field("X-Other")).isEqualTo("green");
        });
    }

    /** A header that lets browsers keep a page for a year is not for a failure, nor for a redirect. */
    @Test
    void responsesOfTheProxyItselfStayAsTheyAre() throws Exception {
        startWith(
                Service.named("down")
                        .path("/down")
                        .responseHeader("Cache-Control", "max-age=31536000")
                        .endpoints(endpointThatRefuses())
                        .build(),
                Service.named("closed")
                        .path("/closed")
                        .allow("192.0.2.1")
                        .responseHeader("Cache-Control", "max-age=31536000")
                        .endpoints(endpointThatRefuses())
                        .build());
        RawClient client = client();

        Message failure = client.get("/down");
        assertThat(failure.status()).isEqualTo(502);
        assertThat(failure.field("Cache-Control")).isNull();
        Message refused = client.get("/closed");
        assertThat(refused.status()).isEqualTo(403);
        assertThat(refused.field("Cache-Control")).isNull();
    }

    @Test
    void theHeadOfAnUpgradeHasThem() throws Exception {
        ScriptedEndpoint endpoint = endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello");
            connection.hang();
        });
        startWith(changed(endpoint.endpoint()));

        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
        Message head = client.readHead();
        assertThat(head.status()).isEqualTo(101);
        assertThat(head.field("X-Frame-Options")).isEqualTo("DENY");
        assertThat(client.wire().readExactly(5)).isEqualTo("hello");
    }

    @Test
    void changesApplyToTheNextRequest() throws Exception {
        ScriptedEndpoint endpoint = endpointThatResponds(RESPONSE);
        startWith(app(endpoint.endpoint()).build());
        RawClient client = client();
        assertThat(client.get("/").all("X-Key")).containsExactly("its-own", "second");

        replaceWith(changed(endpoint.endpoint()));

        assertThat(client.get("/").all("X-Key")).containsExactly("of the label");
    }
}
