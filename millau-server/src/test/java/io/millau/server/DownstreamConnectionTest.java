package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Service;
import io.millau.testing.ScriptedEndpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Several requests over one client connection: the second takes another code path than the first, with the same result. */
class DownstreamConnectionTest extends ProxyTest {

    private static final Duration LONGER_THAN_IDLE = Duration.ofSeconds(200);
    private static final Duration LONGER_THAN_HEAD = Duration.ofSeconds(11);

    private static final List<String> HEADS = List.of(
            "GET /path?query=a%20b HTTP/1.1\r\nHost: company.com\r\nAccept: */*\r\nCookie: a=b; c=d\r\n\r\n",
            "HEAD /a/b/ HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: test (1.0)\r\nX-Empty:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nTE: trailers\r\nX-Two: 1\r\nX-Two: 2\r\n\r\n",
            "DELETE /a HTTP/1.1\r\nHost: a.b\r\nX-Length: 3\r\n\r\n",
            "GET /a;b=c/../d//e HTTP/1.1\r\nHost: a_b.example.\r\nForwarded: for=x\r\nX-Forwarded-For: y\r\n\r\n");

    /** Two parsers allow request smuggling unless both read a request in the same way (RFC 9112, 11.2). */
    @Test
    void theSecondRequestIsParsedLikeTheFirst() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("hello");
        startWith(endpoint);
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<String> heads = new ArrayList<>(HEADS);
        heads.add("POST /a HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n");
        heads.add("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
        for (int i = 0; i < 600; i++) {
            heads.add(mutated(HEADS.get(i % HEADS.size()), random));
        }
        for (String head : heads) {
            String asFirst;
            try (RawClient client = new RawClient(millau.port())) {
                asFirst = seen(client, head, endpoint);
            }
            try (RawClient client = new RawClient(millau.port())) {
                client.get("/before");
                assertThat(seen(client, head, endpoint))
                        .as("seed %d, %s", seed, head)
                        .isEqualTo(asFirst);
            }
        }
    }

    /** The response's status, and the request that the endpoint received, if any. */
    private static String seen(RawClient client, String head, ScriptedEndpoint endpoint) throws Exception {
        int before = endpoint.requests.size();
        int status = client.send(head).readHead().status();
        return status
                + (endpoint.requests.size() == before
                        ? ""
                        : " "
                                + endpoint.requests
                                        .get(before)
                                        .toString()
                                        .replaceAll("X-Request-Id: [0-9a-f]{32}", "X-Request-Id: made"));
    }

    /** The head with one byte changed, added or removed, but not in the final empty line. */
    private static String mutated(String head, Random random) {
        String bytes = " \t\r\n:;,/?%&=#\"[]@*.-_aZ09\u0000\u0001\u007f\u0080\u00ff";
        StringBuilder mutated = new StringBuilder(head);
        int at = random.nextInt(head.length() - 4);
        char b = bytes.charAt(random.nextInt(bytes.length()));
        switch (random.nextInt(3)) {
            case 0 -> mutated.setCharAt(at, b);
            case 1 -> mutated.insert(at, b);
            default -> mutated.deleteCharAt(at);
        }
        return mutated.toString();
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrder() throws Exception {
        startWith(endpointThatSays("hello"));
        RawClient client = client();

        for (int i = 0; i < 3; i++) {
            client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3) + "GET /2 HTTP/1.1\r\nHo");
            for (int response = 0; response < 3; response++) {
                assertThat(client.read().body()).isEqualTo("hello");
            }
            client.send("st: a\r\n\r\n");
            assertThat(client.read().body()).isEqualTo("hello");
            assertThat(client.get("/3").body()).isEqualTo("hello");
        }
    }

    @Test
    void requestsOfAllKindsMayFollowEachOther() throws Exception {
        startWith(endpointThatSays("hello"));
        RawClient client = client();

        for (int i = 0; i < 3; i++) {
            assertThat(client.get("/").body()).isEqualTo("hello");
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
            assertThat(client.read().body()).isEqualTo("hello");
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
            client.send("0123456789".repeat(10_000) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            assertThat(client.read().body()).isEqualTo("hello");
            assertThat(client.read().body()).isEqualTo("hello");
            assertThat(client.get("/").body()).isEqualTo("hello");
            client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
            assertThat(client.read().body()).isEqualTo("hello");
        }
    }

    @Test
    void requestsThatArePlainAndNotMayShareAPacket() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("hello");
        startWith(endpoint);
        String requests = "GET /1|2 HTTP/1.1\r\nHost: a\r\n\r\n"
                + "\r\nGET /3 HTTP/1.1\nHost: a\n\n"
                + "POST /4 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                + "POST /5 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                + "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        for (int bytesAtOnce : new int[] {1, 7, 1000}) {
            endpoint.requests.clear();
            RawClient client = client();
            for (int from = 0; from < requests.length(); from += bytesAtOnce) {
                client.send(requests.substring(from, Math.min(from + bytesAtOnce, requests.length())));
            }
            for (int response = 0; response < 5; response++) {
                assertThat(client.read().body()).isEqualTo("hello");
            }
            assertThat(client.ended()).isTrue();
            assertThat(endpoint.requests)
                    .extracting(request -> request.startLine().split(" ")[1] + request.body())
                    .containsExactly("/1|2", "/3", "/4abc", "/5abc", "*");
        }
    }

    @Test
    void aHeadThatDoesNotArriveInTimeIsATimeout() throws Exception {
        clock = ahead::get;
        startWith(endpointThatSays("hello"));
        RawClient first = client().send("GET / HTTP/1.1\r\nHo");
        RawClient second = client();
        second.get("/");
        second.send("GET / HTTP/1.1\r\nHo");
        client().get("/"); // after this response, both parts were read

        ahead.addAndGet(LONGER_THAN_HEAD.toNanos());

        for (RawClient client : List.of(first, second)) {
            assertThat(client.read().status()).isEqualTo(408);
            assertThat(client.ended()).isTrue();
        }
    }

    @Test
    void anIdleConnectionIsClosed() throws Exception {
        startWith(endpointThatSays("hello"));
        RawClient silent = client();
        RawClient undecided = client().send("PR"); // the beginning of HTTP/2, or of a method
        RawClient once = client();
        once.get("/");
        RawClient often = client();
        often.get("/");
        often.get("/");
        client().get("/"); // after this response, the other connections are known to be idle

        ahead.addAndGet(LONGER_THAN_IDLE.toNanos());

        assertThat(silent.ended()).isTrue();
        assertThat(undecided.ended()).isTrue();
        assertThat(once.ended()).isTrue();
        assertThat(often.ended()).isTrue();
    }

    @Test
    void aConnectionWithARequestIsNotIdle() throws Exception {
        CountDownLatch responding = new CountDownLatch(2);
        CompletableFuture<Void> mayRespond = new CompletableFuture<>();
        ScriptedEndpoint slow = endpoint(connection -> {
            while (connection.readRequest() != null) {
                connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n");
                responding.countDown();
                mayRespond.join();
                connection.send("3\r\nllo\r\n0\r\n\r\n");
            }
        });
        Service quick = Service.named("quick")
                .hosts("quick")
                .endpoints(endpointThatSays("hello").endpoint())
                .build();
        startWith(app(slow.endpoint()).build(), quick);
        RawClient first = client();
        first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        RawClient second = client();
        second.send("GET / HTTP/1.1\r\nHost: quick\r\n\r\n").read();
        second.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        responding.await();
        RawClient idle = client();
        idle.send("GET / HTTP/1.1\r\nHost: quick\r\n\r\n").read();
        client().send("GET / HTTP/1.1\r\nHost: quick\r\n\r\n")
                .read(); // after this response, the one above is known to be idle

        ahead.addAndGet(LONGER_THAN_IDLE.toNanos());

        assertThat(idle.ended()).isTrue(); // the idle check has run, so it has seen the other connections too
        mayRespond.complete(null);
        assertThat(first.read().body()).isEqualTo("hello");
        assertThat(second.read().body()).isEqualTo("hello");
    }
}
