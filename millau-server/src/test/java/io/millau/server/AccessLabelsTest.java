package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.FailurePage;
import io.millau.core.TrafficListener;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The labels that say who may use a service, and what is changed of its requests. */
class AccessLabelsTest extends ProxyTest {

    private final AtomicLong now = new AtomicLong();
    private final List<String> ended = new CopyOnWriteArrayList<>();
    private @Nullable FailurePage page;

    @Override
    protected Millau.Builder builder() {
        Millau.Builder builder = super.builder().trusted("127.0.0.1").listener(new TrafficListener() {
            @Override
            public void requestEnded(Ended request) {
                ended.add(request.status() + " " + request.localReason() + ", attempts " + request.attempts()
                        + (request.failed() ? ", failed" : ""));
            }
        });
        return page == null ? builder : builder.failurePage(page);
    }

    private String status(String target, String... fields) throws Exception {
        RawClient client = client();
        client.send("GET " + target + " HTTP/1.1\r\nHost: Shop.Example:8080\r\n" + String.join("", fields) + "\r\n");
        return client.read().startLine().split(" ")[1];
    }

    private static String from(String address) {
        return "X-Forwarded-For: " + address + "\r\n";
    }

    @ParameterizedTest
    @CsvSource({
        "10.1.2.3, 200",
        "11.1.2.3, 403",
        "192.168.7.7, 200",
        "2001:db8::7, 200",
        "2001:db9::7, 403",
        "::ffff:10.1.2.3, 200"
    })
    void onlyAllowedClientsPass(String client, String status) throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(app(endpoint.endpoint())
                .allow("10.0.0.0/8 192.168.7.7, 2001:db8::/32")
                .build());

        assertThat(status("/", from(client))).isEqualTo(status);
        assertThat(endpoint.requests).hasSize(status.equals("200") ? 1 : 0);
    }

    @Test
    void aClientMayMakeSoManyRequestsAtOnceAndThenSoManyPerSecond() throws Exception {
        clock = now::get;
        startWith(app(endpointThatSays("ok").endpoint()).limit("5/s").build());

        for (int i = 0; i < 5; i++) {
            assertThat(status("/", from("10.0.0.1"))).isEqualTo("200");
        }
        RawClient client = client();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n" + from("10.0.0.1") + "\r\n");
        var refused = client.read();
        assertThat(refused.startLine()).contains("429");
        assertThat(refused.field("Retry-After")).isEqualTo("1");
        assertThat(refused.body()).isEqualTo("Too many requests: this service takes 5/s of each client\n");
        assertThat(status("/", from("10.0.0.2"))).isEqualTo("200");

        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(200) - 1);
        assertThat(status("/", from("10.0.0.1"))).isEqualTo("429");
        now.addAndGet(1);
        assertThat(status("/", from("10.0.0.1"))).isEqualTo("200");
        assertThat(status("/", from("10.0.0.1"))).isEqualTo("429");
    }

    /** They looked like responses of a program's filters, and counted as failures of the service after one attempt. */
    @Test
    void whatLabelsRefuseIsToldWithItsReasonAndIsNoFailureOfTheService() throws Exception {
        startWith(app(endpointThatSays("ok").endpoint())
                .hosts("shop.example", "www.shop.example")
                .canonical("shop.example")
                .allow("10.0.0.0/8")
                .limit("1/h")
                .build());

        status("/", from("11.0.0.1"));
        status("/", from("10.0.0.1"));
        status("/", from("10.0.0.1"));
        client().send("GET / HTTP/1.1\r\nHost: www.shop.example\r\n" + from("10.0.0.2") + "\r\n")
                .read();

        await().untilAsserted(() -> assertThat(ended)
                .containsExactly(
                        "403 DENIED, attempts 0",
                        "200 null, attempts 1",
                        "429 RATE_LIMITED, attempts 0",
                        "308 REDIRECT, attempts 0"));
    }

    @Test
    void theFailurePageIsSentInPlaceOfWhatLabelsRefuse() throws Exception {
        page = failure -> FailurePage.Page.html("<p>" + failure.status() + " " + failure.reason());
        startWith(app(endpointThatSays("ok").endpoint()).limit("1/h").build());

        assertThat(client().get("/").body()).isEqualTo("ok");
        Message refused = client().get("/");
        assertThat(refused.body()).isEqualTo("<p>429 RATE_LIMITED");
        assertThat(refused.field("Retry-After")).isEqualTo("3600");
    }

    /** Its owner has all addresses of a /64, and takes another for each request. */
    @Test
    void theAddressesOfAnIpv6NetworkCountAsOneClient() throws Exception {
        clock = now::get;
        startWith(app(endpointThatSays("ok").endpoint()).limit("2/h").build());

        assertThat(status("/", from("2001:db8::1"))).isEqualTo("200");
        assertThat(status("/", from("2001:db8::ffff:2"))).isEqualTo("200");
        assertThat(status("/", from("2001:db8::3"))).isEqualTo("429");
        assertThat(status("/", from("2001:db8:0:1::1"))).isEqualTo("200");
        assertThat(status("/", from("::1"))).isEqualTo("200");
    }

    /** Instances come and go while a client is being refused. */
    @Test
    void aLimitIsKeptWhenEndpointsChange() throws Exception {
        clock = now::get;
        var limited = app(endpointThatSays("ok").endpoint()).limit("1/h").build();
        startWith(limited);
        assertThat(status("/", from("10.0.0.1"))).isEqualTo("200");

        services.replace(
                limited.withEndpoints(java.util.List.of(endpointThatSays("new").endpoint())));

        assertThat(status("/", from("10.0.0.1"))).isEqualTo("429");
    }

    @ParameterizedTest
    @CsvSource({
        "/api,  /api,        /,        /api",
        "/api,  /api/x?y=1,  /x?y=1,   /api",
        "/api/, /api/x,      /x,       /api",
        "/api/, /api//x%2F/, //x%2F/,  /api",
        "/api,  /apix,       /x,       /api",
        "/grün, /gr%C3%BCn/x, /x,      /gr%C3%BCn",
        "/,     /x,          /x,       "
    })
    void thePathOfTheServiceIsStripped(String path, String sent, String received, String told) throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(app(endpoint.endpoint()).path(path).strip(true).build());

        assertThat(status(sent, "X-Forwarded-Prefix: /forged\r\n")).isEqualTo("200");
        assertThat(endpoint.requests.get(0).startLine()).isEqualTo("GET " + received + " HTTP/1.1");
        assertThat(endpoint.requests.get(0).field("X-Forwarded-Prefix")).isEqualTo(told);
    }

    @ParameterizedTest
    @CsvSource({
        "shop.example,          200, ",
        "SHOP.example:8080,     200, ",
        "shop.example.,         200, ",
        "www.shop.example,      308, http://shop.example/a%20b?x=1",
        "www.shop.example:8080, 308, http://shop.example:8080/a%20b?x=1",
        "old.example,           308, http://shop.example/a%20b?x=1"
    })
    void otherHostsAreRedirectedToTheCanonicalOne(String host, String status, String location) throws Exception {
        startWith(app(endpointThatSays("ok").endpoint())
                .hosts("www.shop.example", "old.example")
                .canonical("shop.example")
                .build());
        RawClient client = client();
        client.send("GET /a%20b?x=1 HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
        var response = client.read();

        assertThat(response.startLine()).contains(status);
        assertThat(response.field("Location")).isEqualTo(location);
    }

    @Test
    void whoMayNotComeInIsNotCountedAndNotRedirected() throws Exception {
        clock = now::get;
        startWith(app(endpointThatSays("ok").endpoint())
                .canonical("www.example")
                .allow("10.0.0.1")
                .limit("1/h")
                .build());

        assertThat(status("/", from("10.0.0.2"))).isEqualTo("403");
        assertThat(status("/", from("10.0.0.1"))).isEqualTo("308");
        assertThat(status("/", from("10.0.0.1"))).isEqualTo("429");
    }
}
