package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.EOFException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How requests and responses are framed and forwarded (RFC 9112). */
class MessagesTest extends ProxyTest {

    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    @Test
    void aResponseWithALength() throws Exception {
        startWith(endpointThatSays("hello"));
        RawClient client = client();

        for (int i = 0; i < 3; i++) {
            Message response = client.get("/");
            assertThat(response.startLine()).isEqualTo("HTTP/1.1 200 OK");
            assertThat(response.field("Content-Length")).isEqualTo("5");
            assertThat(response.body()).isEqualTo("hello");
        }
    }

    @Test
    void aChunkedResponse() throws Exception {
        startWith(endpointThatResponds("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5\r\nhello\r\n00007;name=value\r\n, world\r\n0\r\n\r\n"));
        RawClient client = client();

        for (int i = 0; i < 3; i++) {
            Message response = client.get("/");
            assertThat(response.field("Transfer-Encoding")).isEqualTo("chunked");
            assertThat(response.body()).isEqualTo("hello, world");
        }
    }

    @Test
    void aChunkedResponseByteByByte() throws Exception {
        startWith(endpoint(connection -> {
            connection.readRequest();
            for (char c : ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n"
                            + "5\r\nhello\r\n7\r\n, world\r\n0\r\nChecksum: 1\r\n\r\n")
                    .toCharArray()) {
                connection.send(String.valueOf(c));
            }
            connection.hang();
        }));

        Message response = client().get("/");
        assertThat(response.field("A")).isEqualTo("b");
        assertThat(response.body()).isEqualTo("hello, world");
    }

    /** The beginning of the trailers came with the head, in a small buffer, and the response broke off. */
    @Test
    void aResponseWhoseTrailersArriveInPartsIsWhole() throws Exception {
        CountDownLatch clientHasTheBody = new CountDownLatch(1);
        startWith(endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nChecksum: 1\r\nMo");
            connection.await(clientHasTheBody);
            connection.send("re: 2\r\n\r\n");
            connection.hang();
        }));
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
        Message head = client.readHead();
        clientHasTheBody.countDown();
        assertThat(client.wire().readBody(head, true).body()).startsWith("ok\n").contains("Checksum: 1", "More: 2");
    }

    @Test
    void trailersAreSentToAClientThatAcceptsThem() throws Exception {
        startWith(endpointThatResponds("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "2\r\nok\r\n0\r\nChecksum: 1\r\nContent-Length: 5\r\n\r\n"));

        assertThat(client().send("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n")
                        .read()
                        .body())
                .isEqualTo("ok\ntrailer Checksum: 1");
        assertThat(client().get("/").body()).isEqualTo("ok");
    }

    @Test
    void aResponseThatEndsWithItsConnection() throws Exception {
        startWith(endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nup to the end");
        }));
        RawClient client = client();

        for (int i = 0; i < 3; i++) {
            Message response = client.get("/");
            assertThat(response.body()).isEqualTo("up to the end");
            assertThat(response.field("Connection")).isNull();
        }
    }

    @Test
    void anHttp10Response() throws Exception {
        startWith(endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.0 200 OK\r\n\r\nold");
        }));

        Message response = client().get("/");
        assertThat(response.startLine()).isEqualTo("HTTP/1.1 200 OK");
        assertThat(response.body()).isEqualTo("old");
    }

    @Test
    void anHttp10Client() throws Exception {
        ScriptedEndpoint endpoint =
                endpointThatResponds("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
        startWith(endpoint);
        RawClient client = client();

        Message response = client.send("GET / HTTP/1.0\r\n\r\n").read();
        assertThat(response.field("Transfer-Encoding")).isNull();
        assertThat(response.body()).isEqualTo("ok");
        assertThat(endpoint.requests.get(0).startLine()).isEqualTo("GET / HTTP/1.1");
        assertThat(endpoint.requests.get(0).field("Host")).isEmpty();
    }

    @Test
    void aHeadResponseHasALengthAndNoBody() throws Exception {
        startWith(endpointThatResponds("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nETag: \"x\"\r\n\r\n"));
        RawClient client = client();

        for (int i = 0; i < 3; i++) {
            Message response = client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
            assertThat(response.field("Content-Length")).isEqualTo("1234");
            assertThat(response.field("ETag")).isEqualTo("\"x\"");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"204 No Content", "304 Not Modified"})
    void responsesWithoutABody(String status) throws Exception {
        startWith(endpointThatResponds("HTTP/1.1 " + status + "\r\nETag: \"x\"\r\n\r\n"));
        RawClient client = client();

        for (int i = 0; i < 3; i++) {
            Message response = client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
            assertThat(response.startLine()).isEqualTo("HTTP/1.1 " + status);
            assertThat(response.field("ETag")).isEqualTo("\"x\"");
        }
    }

    /** Undertow framed a response to HEAD, whatever its status; a 204 said {@code Transfer-Encoding: chunked}. */
    @Test
    void aResponseWithoutContentHasNoFramingForHeadEither() throws Exception {
        for (String length : new String[] {"", "Content-Length: 8\r\n"}) {
            startWith(endpointThatResponds("HTTP/1.1 204 No Content\r\n" + length + "\r\n"));
            RawClient client = client();

            Message response = client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").readHead();
            assertThat(response.status()).isEqualTo(204);
            assertThat(response.field("Transfer-Encoding")).isNull();
            assertThat(response.field("Content-Length")).isNull();
        }
    }

    @Test
    void anUnusualStatusAndReasonAreForwarded() throws Exception {
        startWith(endpointThatResponds("HTTP/1.1 299 Fine, I guess\r\nContent-Length: 0\r\n\r\n"));

        assertThat(client().get("/").startLine()).isEqualTo("HTTP/1.1 299 Fine, I guess");
    }

    @Test
    void earlyHintsAreForwardedBeforeTheResponse() throws Exception {
        startWith(endpointThatResponds("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" + OK));
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

        Message hints = client.readHead();
        assertThat(hints.startLine()).isEqualTo("HTTP/1.1 103 Early Hints");
        assertThat(hints.field("Link")).isEqualTo("</a.css>; rel=preload");
        assertThat(client.read().body()).isEqualTo("ok");
    }

    @Test
    void interimResponsesDoNotReachAnHttp10Client() throws Exception {
        startWith(endpointThatResponds("HTTP/1.1 103 Early Hints\r\n\r\n" + OK));

        assertThat(client().send("GET / HTTP/1.0\r\n\r\n").read().status()).isEqualTo(200);
    }

    @Test
    void aRequestBodyWithALength() throws Exception {
        ScriptedEndpoint endpoint = endpointThatResponds(OK);
        startWith(endpoint);

        client().send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
                .read();
        Message request = endpoint.requests.get(0);
        assertThat(request.field("Content-Length")).isEqualTo("5");
        assertThat(request.body()).isEqualTo("hello");
    }

    @Test
    void aRequestBodyInChunksWithTrailers() throws Exception {
        ScriptedEndpoint endpoint = endpointThatResponds(OK);
        startWith(endpoint);
        RawClient client = client();

        for (int i = 0; i < 3; i++) {
            client.send("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
                    .send("7\r\n, world\r\n0\r\nChecksum: 1\r\n\r\n")
                    .read();
            Message request = endpoint.requests.get(i);
            assertThat(request.field("Content-Length")).isNull();
            assertThat(request.field("Transfer-Encoding")).isEqualTo("chunked");
            assertThat(request.body()).isEqualTo("hello, world\ntrailer Checksum: 1");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 16 * 1024, 64 * 1024, 64 * 1024 + 1, 5_000_000})
    void bodiesOfAnySizeBothWays(int size) throws Exception {
        char[] letters = new char[size];
        for (int i = 0; i < size; i++) {
            letters[i] = (char) ('a' + i % 23);
        }
        String body = new String(letters);
        startWith(endpoint(connection -> {
            for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
                String framed = request.field("Content-Length") != null
                        ? "Content-Length: " + size + "\r\n\r\n" + request.body()
                        : "Transfer-Encoding: chunked\r\n\r\n" + Integer.toHexString(size) + "\r\n" + request.body()
                                + "\r\n0\r\n\r\n";
                connection.send("HTTP/1.1 200 OK\r\n" + framed);
            }
        }));
        RawClient client = client();

        for (int i = 0; i < 2; i++) {
            RawClient sender = client;
            ScriptedEndpoint.daemon("sender", () -> {
                try {
                    sender.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " + size + "\r\n\r\n" + body);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            assertThat(client.read().body()).isEqualTo(body);
        }
        client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                .send(Integer.toHexString(size) + "\r\n" + body + "\r\n0\r\n\r\n");
        assertThat(client.read().body()).isEqualTo(body);
    }

    @Test
    void expectContinueIsForwardedToTheEndpoint() throws Exception {
        startWith(endpoint(connection -> {
            Message head = connection.wire().readHead();
            assertThat(head.field("Expect")).isEqualTo("100-continue");
            connection.send("HTTP/1.1 100 Continue\r\n\r\n");
            connection.wire().readBody(head, false);
            connection.send(OK);
            connection.hang();
        }));
        RawClient client =
                client().send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");

        assertThat(client.readHead().status()).isEqualTo(100);
        assertThat(client.send("hello").read().body()).isEqualTo("ok");
    }

    @Test
    void anEndpointMayRejectABodyBeforeItIsSent() throws Exception {
        startWith(endpoint(connection -> {
            connection.wire().readHead();
            connection.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
        }));
        RawClient client =
                client().send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");

        Message response = client.read();
        assertThat(response.status()).isEqualTo(413);
        // The client may or may not still send the five bytes.
        assertThat(response.field("Connection")).isEqualTo("close");
        assertThat(client.ended()).isTrue();
    }

    @Test
    void aClientGets100ContinueIfTheEndpointDoesNotSendIt() throws Exception {
        startWith(endpointThatResponds(OK));
        RawClient client =
                client().send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");

        assertThat(client.readHead().status()).isEqualTo(100);
        assertThat(client.send("hello").read().body()).isEqualTo("ok");
    }

    @Test
    void aClientGets100ContinueBeforeTheTimeout() throws Exception {
        // This service's timeout is shorter than the usual second: the client got a 408 while it still waited for the
        // 100.
        CountDownLatch headArrived = new CountDownLatch(1);
        ScriptedEndpoint endpoint = endpoint(connection -> {
            Message head = connection.wire().readHead();
            headArrived.countDown();
            connection.wire().readBody(head, false);
            connection.send(OK);
            connection.hang();
        });
        clock = ahead::get;
        startWith(app(endpoint.endpoint()).timeout(Duration.ofMillis(800)).build());
        RawClient client =
                client().send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        headArrived.await();
        ahead.addAndGet(Duration.ofMillis(400).toNanos());

        assertThat(client.readHead().status()).isEqualTo(100);
        assertThat(client.send("hello").read().body()).isEqualTo("ok");
    }

    @Test
    void anEarlyResponseToAnUploadArrives() throws Exception {
        startWith(endpoint(connection -> {
            connection.wire().readHead();
            connection.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
            connection.hang();
        }));
        RawClient client = client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nhello");

        Message response = client.read();
        assertThat(response.status()).isEqualTo(403);
        assertThat(response.body()).isEqualTo("no");
    }

    @Test
    void pipelinedRequestsAreAnsweredInOrder() throws Exception {
        startWith(endpoint(connection -> {
            for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
                String path = request.startLine().split(" ")[1];
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + path.length() + "\r\n\r\n" + path);
            }
        }));
        RawClient client = client();
        StringBuilder requests = new StringBuilder();
        for (int i = 0; i < 20; i++) {
            requests.append("GET /").append(i).append(" HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        client.send(requests.toString());

        for (int i = 0; i < 20; i++) {
            assertThat(client.read().body()).isEqualTo("/" + i);
        }
    }

    @Test
    void aPipelinedRequestWaitsForTheResponseBeforeIt() throws Exception {
        ScriptedEndpoint endpoint = endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
            connection.wire().readLine();
            connection.send("again");
            connection.readRequest();
            connection.send(OK);
        });
        startWith(endpoint);
        RawClient client = client().send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
        Message head = client.readHead();
        assertThat(client.wire().readExactly(5)).isEqualTo("first");
        client.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");

        assertThat(head.status()).isEqualTo(200);
        assertThat(endpoint.requests).hasSize(1);
    }

    @Test
    void aCutResponseClosesTheClientsConnection() throws Exception {
        startWith(endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        }));
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        client.readHead();

        assertThatThrownBy(() -> client.wire().readExactly(10)).isInstanceOf(IOException.class);
        assertThat(traffic.await(5)).contains("failed app BROKEN", "ended GET app 200 0 4");
    }

    @Test
    void aCutChunkedResponseGetsNoLastChunk() throws Exception {
        startWith(endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
        }));
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

        assertThatThrownBy(client::read).isInstanceOfAny(EOFException.class, java.net.SocketException.class);
    }

    @Test
    void anUpgradeToHttp2WithABodyIsIgnored() throws Exception {
        ScriptedEndpoint endpoint = endpointThatResponds(OK);
        startWith(endpoint);
        Message response = client().send("POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                        + "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\nContent-Length: 2\r\n\r\nhi")
                .read();

        assertThat(response.startLine()).isEqualTo("HTTP/1.1 200 OK");
        assertThat(endpoint.requests.get(0).body()).isEqualTo("hi");
        assertThat(endpoint.requests.get(0).field("Upgrade")).isNull();
        assertThat(endpoint.requests.get(0).field("HTTP2-Settings")).isNull();
    }

    @Test
    void anHttp10ClientMayKeepItsConnection() throws Exception {
        startWith(endpointThatResponds(OK));
        RawClient client = client();

        for (int i = 0; i < 3; i++) {
            Message response = client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                    .read();
            assertThat(response.field("Connection")).isEqualTo("keep-alive");
        }
    }

    @Test
    void http2WithoutTls() throws Exception {
        ScriptedEndpoint endpoint = endpoint(connection -> {
            for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
                connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + Integer.toHexString(request.body().length() + 2) + "\r\nok" + request.body()
                        + "\r\n0\r\n\r\n");
            }
        });
        startWith(endpoint);
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        URI uri = URI.create("http://127.0.0.1:" + millau.port() + "/x?y=z");

        for (int i = 0; i < 3; i++) {
            HttpResponse<String> response =
                    client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
            assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
            assertThat(response.body()).isEqualTo("ok");
        }
        String body = "x".repeat(300_000);
        for (HttpRequest.BodyPublisher publisher : List.of(
                HttpRequest.BodyPublishers.ofString(body),
                HttpRequest.BodyPublishers.ofByteArrays(Arrays.asList(body.getBytes())))) {
            HttpResponse<String> response = client.send(
                    HttpRequest.newBuilder(uri).POST(publisher).build(), HttpResponse.BodyHandlers.ofString());
            assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
            assertThat(response.body()).isEqualTo("ok" + body);
        }
        assertThat(endpoint.requests.get(0).startLine()).isEqualTo("GET /x?y=z HTTP/1.1");
        assertThat(endpoint.requests.get(1).field("Host")).isEqualTo("127.0.0.1:" + millau.port());
    }
}
