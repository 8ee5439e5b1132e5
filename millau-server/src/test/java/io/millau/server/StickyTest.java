package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Service;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Sticky sessions: a client stays with the endpoint of its first response. */
class StickyTest extends ProxyTest {

    private final ScriptedEndpoint one = endpointThatSays("one");
    private final ScriptedEndpoint two = endpointThatSays("two");

    private static Message get(RawClient client, String path, String... cookies) throws Exception {
        StringBuilder head = new StringBuilder("GET " + path + " HTTP/1.1\r\nHost: a\r\n");
        for (String cookie : cookies) {
            head.append("Cookie: ").append(cookie).append("\r\n");
        }
        return client.send(head + "\r\n").read();
    }

    private static String cookieOf(Message response) {
        String cookie = response.field("Set-Cookie");
        assertThat(cookie).isNotNull();
        return cookie.substring(0, cookie.indexOf(';'));
    }

    private static Service.Builder sticky(ScriptedEndpoint... endpoints) {
        return Service.named("app")
                .sticky(true)
                .endpoints(
                        Arrays.stream(endpoints).map(ScriptedEndpoint::endpoint).toList());
    }

    @Test
    void aCookieIsSetOnceAndPinsTheClient() throws Exception {
        startWith(sticky(one, two).build());
        RawClient client = client();
        Message first = get(client, "/");
        assertThat(first.field("Set-Cookie")).matches("millau=[\\w-]{16}; Path=/; HttpOnly; SameSite=Lax");
        String mine = cookieOf(first);
        assertThat(get(client, "/").body()).as("another client").isNotEqualTo(first.body());

        for (String[] cookies :
                new String[][] {{mine}, {"a=b; " + mine + ";c=d"}, {"a=b", mine}, {"millau=x; " + mine}}) {
            Message next = get(client, "/", cookies);
            assertThat(next.body()).isEqualTo(first.body());
            assertThat(next.field("Set-Cookie")).isNull();
        }
    }

    @Test
    void aClientWhoseEndpointWasRemovedMovesToAnother() throws Exception {
        startWith(sticky(one).build());
        RawClient client = client();
        String old = cookieOf(get(client, "/"));
        services.replace(sticky(two).build());

        Message moved = get(client, "/", old);
        assertThat(moved.body()).isEqualTo("two");
        assertThat(cookieOf(moved)).isNotEqualTo(old);
        assertThat(get(client, "/", cookieOf(moved)).field("Set-Cookie")).isNull();
    }

    @Test
    void aClientWhoseEndpointFailsMovesToAnotherAndStaysThere() throws Exception {
        AtomicBoolean good = new AtomicBoolean(true);
        ScriptedEndpoint breaking = endpoint(connection -> {
            for (Message request = connection.readRequest(); good.get(); request = connection.readRequest()) {
                connection.respond(request, "good");
            }
        });
        startWith(sticky(breaking).build());
        RawClient client = client();
        String old = cookieOf(get(client, "/"));
        services.replace(sticky(breaking, two).build());
        good.set(false);

        Message moved = get(client, "/", old);
        assertThat(moved.body()).isEqualTo("two");
        assertThat(get(client, "/", cookieOf(moved)).body()).isEqualTo("two");
    }

    @Test
    void theCookiesOfTwoServicesOnOneHostAreIndependent() throws Exception {
        startWith(
                sticky(one).build(),
                Service.named("api")
                        .path("/api/")
                        .sticky(true)
                        .endpoints(two.endpoint(), endpointThatSays("three").endpoint())
                        .build());
        RawClient client = client();
        Message first = get(client, "/api/x");
        assertThat(first.field("Set-Cookie")).contains("; Path=/api/;");
        String both = cookieOf(first) + "; " + cookieOf(get(client, "/"));

        for (String path : List.of("/api/x", "/api/y", "/api/z")) {
            assertThat(get(client, path, both).body()).isEqualTo(first.body());
        }
    }

    @Test
    void theApplicationsCookiesAreKept() throws Exception {
        startWith(sticky(endpointThatResponds("HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"))
                .build());

        assertThat(client().get("/").all("Set-Cookie")).hasSize(2).contains("a=b");
    }
}
