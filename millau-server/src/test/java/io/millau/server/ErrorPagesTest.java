package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Endpoint;
import io.millau.core.FailurePage;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.testing.Fault;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code millau.errors}: a service gives the pages for what Millau itself responds with. */
class ErrorPagesTest extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String PLAIN = "No instance could answer\n";
    private static final String PAGE = "<h1>Back soon</h1>";

    private final List<String> ejected = new CopyOnWriteArrayList<>();
    private @Nullable FailurePage ofProgram;

    @Override
    protected Millau.Builder builder() {
        Millau.Builder builder = super.builder().listener(new TrafficListener() {
            @Override
            public void endpointEjected(Service service, Endpoint endpoint, String reason) {
                ejected.add(service.name());
            }
        });
        return ofProgram == null ? builder : builder.failurePage(ofProgram);
    }

    private Service broken(String... hosts) {
        return Service.named("shop")
                .hosts(hosts)
                .endpoints(endpointThatRefuses())
                .build();
    }

    private static Service pages(Endpoint... endpoints) {
        return Service.named("pages")
                .path("/errors")
                .errors("/errors/{status}.html")
                .endpoints(endpoints)
                .build();
    }

    private static String html(String page) {
        return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: " + page.length() + "\r\n\r\n" + page;
    }

    /** Closes the connection after the response. */
    private ScriptedEndpoint endpointThatRespondsOnce(String response) {
        return endpoint(connection -> {
            connection.readRequest();
            connection.send(response);
        });
    }

    private Message get(String host, String path) throws Exception {
        return client().send("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
                .read();
    }

    @Test
    void itsPagesReplaceTheTextsAndTheStatusStays() throws Exception {
        ScriptedEndpoint pages = endpointThatResponds(html(PAGE));
        startWith(broken("shop.example"), pages(pages.endpoint()));

        Message failed = get("shop.example", "/cart?token=secret");
        assertThat(failed.status()).isEqualTo(502);
        assertThat(failed.field("Content-Type")).isEqualTo("text/html");
        assertThat(failed.field("Retry-After")).isNotNull();
        assertThat(failed.body()).isEqualTo(PAGE);
        assertThat(pages.requests).hasSize(1);
        Message asked = pages.requests.get(0);
        assertThat(asked.startLine()).isEqualTo("GET /errors/502.html HTTP/1.1");
        assertThat(asked.field("Host")).isEqualTo(pages.endpoint().authority());

        Message unmatched = get("other.example", "/");
        assertThat(unmatched.status()).isEqualTo(502);
        assertThat(unmatched.body()).isEqualTo(PAGE);
    }

    @Test
    void eachFailureOfMillauHasAPageAndRedirectsAndTheServicesOwnResponsesHaveNone() throws Exception {
        ScriptedEndpoint pages = endpointThatResponds(html(PAGE));
        ScriptedEndpoint notFound = endpointThatResponds("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nits\n");
        startWith(
                pages(pages.endpoint()),
                Service.named("denied")
                        .path("/denied")
                        .allow("10.0.0.0/8")
                        .endpoints(notFound.endpoint())
                        .build(),
                Service.named("small")
                        .path("/small")
                        .maxBody(1)
                        .endpoints(notFound.endpoint())
                        .build(),
                Service.named("moved")
                        .path("/moved")
                        .canonical("www.shop.example")
                        .endpoints(notFound.endpoint())
                        .build(),
                Service.named("own").path("/own").endpoints(notFound.endpoint()).build());

        assertThat(get("a", "/denied").startLine()).contains("403");
        assertThat(get("a", "/denied").body()).isEqualTo(PAGE);
        assertThat(client().send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")
                        .read()
                        .body())
                .isEqualTo(PAGE);
        assertThat(client().send("GET / HTTP/1.1\r\nHost: a b\r\n\r\n").read().startLine())
                .contains("400");
        assertThat(get("a", "/moved").status()).isEqualTo(308);
        assertThat(get("a", "/moved").body()).isEqualTo("Moved to http://www.shop.example/moved\n");
        assertThat(get("a", "/own").body()).isEqualTo("its\n");
    }

    @Test
    void theServiceWithTheLongestHostGivesThePage() throws Exception {
        Service shop = broken("*");
        ScriptedEndpoint all = endpointThatResponds(html("all"));
        ScriptedEndpoint ofShop = endpointThatResponds(html("of the shop"));
        startWith(
                shop,
                pages(all.endpoint()),
                Service.named("shop-pages")
                        .hosts("shop.example")
                        .path("/shop-errors")
                        .errors("/{status}")
                        .endpoints(ofShop.endpoint())
                        .build());

        assertThat(get("www.Shop.Example:80", "/").body()).isEqualTo("of the shop");
        assertThat(get("blog.example", "/").body()).isEqualTo("all");
        assertThat(ofShop.requests.get(0).field("Host")).isEqualTo("shop.example");

        // one without an instance leaves it to the others
        replaceWith(
                shop,
                pages(all.endpoint()),
                Service.named("shop-pages")
                        .hosts("shop.example")
                        .path("/shop-errors")
                        .errors("/{status}")
                        .build());
        assertThat(get("shop.example", "/").body()).isEqualTo("all");
    }

    @Test
    void aPageIsAskedForOnceASecondHoweverManyRequestsFail() throws Exception {
        clock = ahead::get;
        ScriptedEndpoint pages = endpointThatResponds(html(PAGE));
        startWith(broken("*"), pages(pages.endpoint()));

        for (int i = 0; i < 20; i++) {
            assertThat(get("shop.example", "/" + i).body()).isEqualTo(PAGE);
        }
        assertThat(pages.requests).hasSize(1);
        ahead.addAndGet(TimeUnit.SECONDS.toNanos(1));
        assertThat(get("shop.example", "/").body()).isEqualTo(PAGE);
        assertThat(pages.requests).hasSize(2);
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.class,
            names = {"REFUSE", "RESET_AFTER_HEAD", "CLOSE_INSTEAD_OF_RESPONSE"},
            mode = EnumSource.Mode.INCLUDE)
    void aPageServiceThatFailsIsReplacedByItsNextInstance(Fault fault) throws Exception {
        ScriptedEndpoint faulty = closing(ScriptedEndpoint.that(fault));
        ScriptedEndpoint good = endpointThatResponds(html(PAGE));
        startWith(broken("*"), pages(faulty.endpoint(), good.endpoint()));

        assertThat(get("shop.example", "/").body()).isEqualTo(PAGE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno",
                "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno",
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nno",
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nno",
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno",
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                "no HTTP at all\r\n\r\n"
            })
    void withoutAPageThePlainTextIsSent(String response) throws Exception {
        startWith(broken("*"), pages(endpointThatRespondsOnce(response).endpoint()));

        Message failed = get("shop.example", "/");
        assertThat(failed.status()).isEqualTo(502);
        assertThat(failed.field("Content-Type")).isEqualTo("text/plain; charset=utf-8");
        assertThat(failed.body()).isEqualTo(PLAIN);
    }

    @Test
    void aPageMayHaveTheStatusOfTheFailureAndAnyFraming() throws Exception {
        Service shop = broken("*");
        String chunked = "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3\r\none\r\n4\r\n two\r\n0\r\nTrailer: x\r\n\r\n";
        ScriptedEndpoint slow = endpoint(connection -> {
            connection.readRequest();
            connection.sendSlowly("HTTP/1.1 100 Continue\r\n\r\n" + chunked, 1);
        });
        startWith(shop, pages(slow.endpoint()));
        assertThat(get("shop.example", "/").body()).isEqualTo("one two");

        ScriptedEndpoint closes =
                endpointThatRespondsOnce("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nto the end");
        replaceWith(shop, pages(closes.endpoint()));
        ahead.addAndGet(TimeUnit.SECONDS.toNanos(5));
        assertThat(get("shop.example", "/").body()).isEqualTo("to the end");
    }

    @Test
    void whatFollowsThePageIsNotPartOfIt() throws Exception {
        startWith(
                broken("*"), pages(endpointThatRespondsOnce(html(PAGE) + "more").endpoint()));
        assertThat(get("shop.example", "/").body()).isEqualTo(PAGE);
    }

    @Test
    void aPageOfMoreThan64KiBIsNotTaken() throws Exception {
        Service shop = broken("*");
        startWith(
                shop,
                pages(endpointThatResponds(html("x".repeat(64 * 1024 + 1))).endpoint()));
        assertThat(get("shop.example", "/").body()).isEqualTo(PLAIN);

        replaceWith(
                shop, pages(endpointThatResponds(html("x".repeat(64 * 1024))).endpoint()));
        ahead.addAndGet(TimeUnit.SECONDS.toNanos(5));
        assertThat(get("shop.example", "/").body()).hasSize(64 * 1024);
    }

    /** The first request waits a second, those at the same time with it; for 5 s no other waits at all. */
    @Test
    void aSlowPageServiceDelaysFailuresByASecondAndThenByNothing() throws Exception {
        clock = ahead::get;
        CountDownLatch asked = new CountDownLatch(1);
        ScriptedEndpoint slow = endpointThatHangs(asked);
        startWith(broken("*"), pages(slow.endpoint()));

        RawClient first = client();
        first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assertThat(asked.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        RawClient second = client();
        second.send("GET / HTTP/1.1\r\nHost: b\r\n\r\n");
        ahead.addAndGet(TimeUnit.SECONDS.toNanos(1) + TimeUnit.MILLISECONDS.toNanos(20));
        assertThat(first.read().body()).isEqualTo(PLAIN);
        assertThat(second.read().body()).isEqualTo(PLAIN);

        ahead.addAndGet(TimeUnit.SECONDS.toNanos(4));
        assertThat(get("a", "/").body()).isEqualTo(PLAIN);
        assertThat(slow.connections()).isEqualTo(1);
    }

    @Test
    void aClientThatLeavesMeanwhileTakesNothingWithIt() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch mayRespond = new CountDownLatch(1);
        ScriptedEndpoint pages = endpoint(connection -> {
            connection.readRequest();
            asked.countDown();
            connection.await(mayRespond);
            connection.send(html(PAGE));
        });
        clock = ahead::get;
        startWith(broken("*"), pages(pages.endpoint()));

        RawClient leaves = client();
        leaves.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        RawClient stays = client();
        stays.send("GET / HTTP/1.1\r\nHost: b\r\n\r\n");
        assertThat(asked.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        leaves.close();
        mayRespond.countDown();
        assertThat(stays.read().body()).isEqualTo(PAGE);
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(millau.buffersTakenByRequests()).isZero());
    }

    /** What a page service does with these requests is no reason to take it out of rotation. */
    @Test
    void askingForPagesEjectsNobody() throws Exception {
        ScriptedEndpoint faulty = closing(ScriptedEndpoint.that(Fault.RESET_AFTER_HEAD));
        startWith(broken("shop.example"), pages(faulty.endpoint()));

        assertThat(get("shop.example", "/").body()).isEqualTo(PLAIN);
        assertThat(ejected).containsExactly("shop");
    }

    @Test
    void thePageOfTheProgramComesFirst() throws Exception {
        ofProgram = failure -> failure.status() == 502 ? FailurePage.Page.html("of the program") : null;
        startWith(
                broken("shop.example"),
                pages(endpointThatResponds(html(PAGE)).endpoint()),
                Service.named("denied")
                        .path("/denied")
                        .allow("10.0.0.0/8")
                        .endpoints(endpointThatRefuses())
                        .build());

        assertThat(get("shop.example", "/").body()).isEqualTo("of the program");
        assertThat(get("a", "/denied").body()).isEqualTo(PAGE);
    }

    @Test
    void aHeadRequestGetsTheLengthOfThePage() throws Exception {
        startWith(broken("*"), pages(endpointThatResponds(html(PAGE)).endpoint()));
        RawClient client = client();
        client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        Message head = client.readHead();
        assertThat(head.status()).isEqualTo(502);
        assertThat(head.field("Content-Length")).isEqualTo(String.valueOf(PAGE.length()));
    }
}
