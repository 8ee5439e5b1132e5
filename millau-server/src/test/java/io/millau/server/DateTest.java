package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.FilterRequest;
import io.millau.core.Service;
import io.millau.core.Verdict;
import io.millau.testing.Message;
import io.undertow.Handlers;
import io.undertow.util.Headers;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each response of Millau's own has a Date (RFC 9110, 6.6.1), and one of a service stays as it is. */
class DateTest extends ProxyTest {

    private static final String NOON = "Tue, 01 Jan 2030 12:00:00 GMT";
    private static final String BEFORE = "Mon, 31 Dec 2029 23:00:00 GMT";

    @Override
    protected Millau.Builder builder() {
        return super.builder()
                .wallClock(Clock.fixed(Instant.parse("2030-01-01T12:00:00.9Z"), ZoneOffset.UTC))
                .telemetry("127.0.0.1:0")
                .filter(request -> filter(request.header("X-Filter"), request))
                .wrap(proxy -> Handlers.path(proxy)
                        .addPrefixPath(
                                "/made",
                                exchange -> exchange.getResponseSender().send("made"))
                        .addPrefixPath("/dated", exchange -> {
                            exchange.getResponseHeaders().add(Headers.DATE, BEFORE);
                            exchange.endExchange();
                        }));
    }

    private static Verdict filter(@Nullable String asked, FilterRequest request) {
        return switch (asked == null ? "" : asked) {
            case "responds" -> request.respond(403, "no\n");
            case "dated" -> request.respond(403, "no\n").header("Date", BEFORE);
            case "throws" -> throw new IllegalStateException("a bug");
            case "changes" ->
                request.onResponse(response -> {
                            throw new IllegalStateException("a bug");
                        })
                        .proceed();
            default -> request.proceed();
        };
    }

    private void start() throws Exception {
        startWithFailures(Service.named("closed")
                .hosts("closed")
                .allow("192.0.2.1")
                .endpoints(endpointThatSays("ok").endpoint())
                .build());
    }

    @ParameterizedTest
    @CsvSource({
        "'GET / HTTP/1.1\r\nHost: a b', 400",
        "'GET /a b HTTP/1.1\r\nHost: app', 400",
        "'POST / HTTP/1.1\r\nHost: app\r\nContent-Length: x', 400",
        "'CONNECT app:443 HTTP/1.1\r\nHost: app', 501",
        "'GET / HTTP/1.0\r\nHost: else', 502",
        "'GET / HTTP/1.1\r\nHost: else', 502",
        "'GET / HTTP/1.1\r\nHost: closed', 403",
        "'GET / HTTP/1.1\r\nHost: moved', 308",
        "'GET / HTTP/1.1\r\nHost: empty', 502",
        "'GET / HTTP/1.1\r\nHost: down', 502",
        "'GET / HTTP/1.1\r\nHost: slow', 504",
        "'GET / HTTP/1.1\r\nHost: app\r\nX-Filter: responds', 403",
        "'GET / HTTP/1.1\r\nHost: app\r\nX-Filter: throws', 500",
        "'GET / HTTP/1.1\r\nHost: app\r\nX-Filter: changes', 500",
        "'GET /made HTTP/1.1\r\nHost: app', 200"
    })
    void aResponseOfMillausOwnHasOne(String head, int status) throws Exception {
        start();
        Message response = client().send(head + "\r\n\r\n").read();

        assertThat(response.status()).isEqualTo(status);
        assertThat(response.all("Date")).containsExactly(NOON);
    }

    @ParameterizedTest
    @CsvSource({"/, 502", "/made, 200"})
    void soHasOneOverHttp2(String path, int status) throws Exception {
        start();
        HttpResponse<Void> response = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + millau.port() + path))
                                .timeout(Duration.ofSeconds(60))
                                .build(),
                        HttpResponse.BodyHandlers.discarding());

        assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(response.headers().allValues("Date")).containsExactly(NOON);
    }

    @ParameterizedTest
    @CsvSource({"/, dated, 403", "/dated, none, 200"})
    void oneThatAFilterOrAnApplicationSetStays(String path, String filter, int status) throws Exception {
        start();
        Message response = client().send("GET " + path + " HTTP/1.1\r\nHost: app\r\nX-Filter: " + filter + "\r\n\r\n")
                .read();

        assertThat(response.status()).isEqualTo(status);
        assertThat(response.all("Date")).containsExactly(BEFORE);
    }

    @Test
    void aResponseOfAServiceStaysAsItIs() throws Exception {
        start();
        Message without = client().send("GET / HTTP/1.1\r\nHost: app\r\n\r\n").read();
        assertThat(without.status()).isEqualTo(200);
        assertThat(without.field("Date")).isNull();

        startWith(endpointThatResponds("HTTP/1.1 200 OK\r\nDate: " + BEFORE + "\r\nContent-Length: 0\r\n\r\n"));
        assertThat(client().get("/").all("Date")).containsExactly(BEFORE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/", "/live", "/status", "/status.json", "/status/events", "/metrics", "/explain", "/none", "x"})
    void aPageOfTheTelemetryPortHasOne(String path) throws Exception {
        start();
        RawClient client = closing(new RawClient(millau.telemetryPort()));
        Message head =
                client.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n").readHead();

        assertThat(head.all("Date")).containsExactly(NOON);
    }
}
