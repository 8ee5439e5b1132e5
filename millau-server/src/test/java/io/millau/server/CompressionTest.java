package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.UpstreamTls;
import io.millau.core.testing.Authority;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.handlers.BlockingHandler;
import io.undertow.util.Headers;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPInputStream;
import java.util.zip.Inflater;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code millau.compress}: responses are compressed where that is worth it, and their heads say so. */
class CompressionTest extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String LONG = "{\"name\": \"value\"}\n".repeat(200);
    private static final String ACCEPTED = "Accept-Encoding: gzip\r\n";

    private final CountDownLatch over = new CountDownLatch(1);

    @AfterEach
    void endEndpoints() {
        over.countDown();
    }

    /** Each request was ended in full, whatever became of it. */
    @AfterEach
    void nothingIsKept() {
        if (millau != null) {
            closeClients();
            await().atMost(PATIENCE).until(() -> millau.buffersTakenByRequests() == 0);
        }
    }

    private boolean https;
    private final List<RawClient> clients = new ArrayList<>();

    private void closeClients() {
        for (RawClient client : clients) {
            try {
                client.close();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }

    private RawClient connect() throws Exception {
        RawClient client = client();
        clients.add(client);
        return client;
    }

    @Override
    protected Millau.Builder builder() {
        return https ? super.builder().https("127.0.0.1:0") : super.builder();
    }

    private void start(ScriptedEndpoint endpoint) throws Exception {
        startWith(compressing(endpoint));
    }

    private static Service compressing(ScriptedEndpoint endpoint) {
        return app(endpoint.endpoint()).compress(true).build();
    }

    private void startWithResponse(String status, String fields, String body) throws Exception {
        start(endpoint(connection -> {
            for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
                String head = "HTTP/1.1 " + status + "\r\nContent-Length: " + body.length() + "\r\n" + fields + "\r\n";
                connection.send(request.startLine().startsWith("HEAD ") ? head : head + body);
            }
        }));
    }

    private Message get(String fields) throws Exception {
        return connect().send("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n").read();
    }

    private static boolean isCompressed(Message response) {
        return "gzip".equals(response.field("Content-Encoding"));
    }

    private static byte[] bytes(String latin1) {
        return latin1.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** By the JDK, which checks the checksum and the length; nothing may follow. */
    private static String decompressed(String body) throws IOException {
        ByteArrayInputStream in = new ByteArrayInputStream(bytes(body));
        String text = new String(new GZIPInputStream(in).readAllBytes(), StandardCharsets.ISO_8859_1);
        assertThat(in.available()).isZero();
        return text;
    }

    private static String plain(Message response) throws IOException {
        return isCompressed(response) ? decompressed(response.body()) : response.body();
    }

    // ---- The head

    @Test
    void aResponseIsCompressedAndItsHeadSaysSo() throws Exception {
        startWithResponse(
                "200 OK",
                "Content-Type: application/json\r\nETag: \"x\"\r\nAccept-Ranges: bytes\r\nContent-MD5: a\r\nDigest: b\r\n"
                        + "Content-Digest: c\r\nRepr-Digest: d\r\nX-Other: e\r\n",
                LONG);

        Message response = get(ACCEPTED);

        assertThat(response.status()).isEqualTo(200);
        assertThat(response.fields())
                .filteredOn(field -> !field.startsWith("Date"))
                .containsExactlyInAnyOrder(
                        "Content-Type: application/json",
                        "Content-Encoding: gzip",
                        "Transfer-Encoding: chunked",
                        "Vary: Accept-Encoding",
                        "ETag: W/\"x\"",
                        "X-Other: e");
        assertThat(response.body().length()).isLessThan(LONG.length() / 10);
        assertThat(decompressed(response.body())).isEqualTo(LONG);
    }

    @Test
    void aServiceWithoutTheLabelIsLeftAlone() throws Exception {
        startWith(endpointThatResponds(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + LONG.length() + "\r\n\r\n" + LONG));

        Message response = get(ACCEPTED);

        assertThat(response.fields()).containsExactly("Content-Type: text/plain", "Content-Length: " + LONG.length());
        assertThat(response.body()).isEqualTo(LONG);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            gzip                          | true
            GZIP                          | true
            x-gzip                        | true
            br, gzip                      | true
            gzip;q=0.001                  | true
            gzip ; q=1.000, identity      | true
            gzip;Q=1                      | true
            *                             | true
            *;q=0.5                       | true
            identity;q=0.5, *;q=0.1       | true
            deflate, *;q=0, gzip          | true
            ,, gzip ,                     | true
            gzip;q=0                      | false
            gzip;q=0.0                    | false
            gzip;q=0.000                  | false
            gzip;q=0, *                   | false
            *;q=0                         | false
            identity                      | false
            br, deflate, zstd             | false
            gzipped                       | false
            gzip;q=2                      | false
            gzip;q=0.0001                 | false
            gzip;q=-1                     | false
            gzip;q=                       | false
            gzip;level=9                  | false
            ;                             | false
            ''                            | false
            """)
    void onlyForClientsThatAcceptIt(String accepted, boolean compressed) throws Exception {
        startWithResponse("200 OK", "Content-Type: text/html\r\n", LONG);

        Message response = get("Accept-Encoding: " + accepted + "\r\n");

        assertThat(isCompressed(response)).isEqualTo(compressed);
        assertThat(response.field("Vary")).isEqualTo("Accept-Encoding");
        assertThat(plain(response)).isEqualTo(LONG);
    }

    @Test
    void aClientThatSaysNothingGetsItAsItIs() throws Exception {
        startWithResponse("200 OK", "Content-Type: text/html\r\nETag: \"x\"\r\n", LONG);

        Message response = get("");

        assertThat(response.fields())
                .filteredOn(field -> !field.startsWith("Date"))
                .containsExactlyInAnyOrder(
                        "Content-Type: text/html",
                        "Content-Length: " + LONG.length(),
                        "ETag: \"x\"",
                        "Vary: Accept-Encoding");
        assertThat(response.body()).isEqualTo(LONG);
    }

    @Test
    void whatAClientAcceptsMayBeInSeveralFields() throws Exception {
        startWithResponse("200 OK", "Content-Type: text/html\r\n", LONG);

        assertThat(isCompressed(get("Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n")))
                .isTrue();
        assertThat(isCompressed(get("Accept-Encoding: *\r\nAccept-Encoding: gzip;q=0\r\n")))
                .isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "text/html, true",
        "TEXT/CSS ; charset=utf-8, true",
        "text/x-anything, true",
        "application/json, true",
        "application/problem+json, true",
        "application/atom+xml;type=feed, true",
        "application/javascript, true",
        "application/wasm, true",
        "application/x-ndjson, true",
        "image/svg+xml, true",
        "font/ttf, true",
        "text/event-stream, false",
        "text/event-stream;charset=utf-8, false",
        "application/grpc, false",
        "application/grpc+json, false",
        "application/grpc-web+json, false",
        "application/octet-stream, false",
        "application/zip, false",
        "image/png, false",
        "video/mp4, false",
        "font/woff2, false",
        "text, false",
        "'', false"
    })
    void onlyTypesThatCompress(String type, boolean compressed) throws Exception {
        startWithResponse("200 OK", "Content-Type: " + type + "\r\n", LONG);

        Message response = get(ACCEPTED);

        assertThat(isCompressed(response)).isEqualTo(compressed);
        assertThat(response.field("Vary")).isEqualTo(compressed ? "Accept-Encoding" : null);
        assertThat(plain(response)).isEqualTo(LONG);
    }

    @ParameterizedTest
    @CsvSource({
        "200, true",
        "201, true",
        "203, true",
        "206, false",
        "299, true",
        "300, false",
        "302, false",
        "400, true",
        "404, true",
        "416, true",
        "500, true",
        "503, true"
    })
    void errorsToo(int status, boolean compressed) throws Exception {
        startWithResponse(status + " Status", "Content-Type: text/html\r\n", LONG);

        Message response = get(ACCEPTED);

        assertThat(response.status()).isEqualTo(status);
        assertThat(isCompressed(response)).isEqualTo(compressed);
        assertThat(plain(response)).isEqualTo(LONG);
    }

    @ParameterizedTest
    @CsvSource({"0, false", "1023, false", "1024, true"})
    void onlyWhatIsLongEnough(int length, boolean compressed) throws Exception {
        startWithResponse("200 OK", "Content-Type: text/plain\r\n", "x".repeat(length));

        Message response = get(ACCEPTED);

        assertThat(isCompressed(response)).isEqualTo(compressed);
        assertThat(response.field("Vary")).isEqualTo("Accept-Encoding");
        assertThat(plain(response)).isEqualTo("x".repeat(length));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Encoding: br",
                "Content-Encoding: gzip, br",
                "Content-Range: bytes 0-99/3400",
                "Cache-Control: no-transform",
                "Cache-Control: public, No-Transform"
            })
    void whatMustNotBeChangedStaysAsItIs(String field) throws Exception {
        startWithResponse(
                "200 OK", "Content-Type: text/plain\r\nETag: \"x\"\r\nAccept-Ranges: bytes\r\n" + field + "\r\n", LONG);

        Message response = get(ACCEPTED);

        assertThat(response.fields())
                .filteredOn(each -> !each.startsWith("Date"))
                .containsExactlyInAnyOrder(
                        "Content-Type: text/plain",
                        "Content-Length: " + LONG.length(),
                        "ETag: \"x\"",
                        "Accept-Ranges: bytes",
                        field,
                        "Vary: Accept-Encoding");
        assertThat(response.body()).isEqualTo(LONG);
    }

    @Test
    void theCodingIdentityIsNone() throws Exception {
        startWithResponse("200 OK", "Content-Type: text/plain\r\nContent-Encoding: identity\r\n", LONG);

        assertThat(decompressed(get(ACCEPTED).body())).isEqualTo(LONG);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            Vary: Origin                  | Origin, Accept-Encoding
            Vary: accept-encoding         | accept-encoding
            Vary: Origin, Accept-Encoding | Origin, Accept-Encoding
            Vary: *                       | *
            """)
    void varyIsAddedToWhatTheInstanceSays(String field, String vary) throws Exception {
        startWithResponse("200 OK", "Content-Type: text/plain\r\n" + field + "\r\n", LONG);

        assertThat(get(ACCEPTED).field("Vary")).isEqualTo(vary);
        assertThat(get("").field("Vary")).isEqualTo(vary);
    }

    @Test
    void severalFieldsOfVaryBecomeOne() throws Exception {
        startWithResponse("200 OK", "Content-Type: text/plain\r\nVary: Origin\r\nVary: Cookie\r\n", LONG);

        assertThat(get(ACCEPTED).field("Vary")).isEqualTo("Origin, Cookie, Accept-Encoding");
    }

    @ParameterizedTest
    @CsvSource({"\"x\", W/\"x\"", "W/\"x\", W/\"x\"", "x, x"})
    void aTagBecomesWeak(String tag, String weak) throws Exception {
        startWithResponse("200 OK", "Content-Type: text/plain\r\nETag: " + tag + "\r\n", LONG);

        assertThat(get(ACCEPTED).field("ETag")).isEqualTo(weak);
        assertThat(get("").field("ETag")).isEqualTo(tag);
    }

    /** RFC 9110, 9.3.2. */
    @Test
    void theHeadAloneIsThatOfTheWhole() throws Exception {
        startWithResponse("200 OK", "Content-Type: text/plain\r\nETag: \"x\"\r\nAccept-Ranges: bytes\r\n", LONG);
        RawClient client = connect();

        Message head = client.send("HEAD / HTTP/1.1\r\nHost: a\r\n" + ACCEPTED + "\r\n")
                .readHead();
        Message whole =
                client.send("GET / HTTP/1.1\r\nHost: a\r\n" + ACCEPTED + "\r\n").read();

        assertThat(head.fields())
                .filteredOn(field -> !field.startsWith("Date"))
                .containsExactlyInAnyOrderElementsOf(whole.fields().stream()
                        .filter(field -> !field.startsWith("Date"))
                        .toList());
        assertThat(head.field("Content-Encoding")).isEqualTo("gzip");
        assertThat(head.field("Content-Length")).isNull();
    }

    /** RFC 9110, 8.8.3 and 15.4.5; RFC 9111, 4.3.4: a cache updates what it has under the tag that it knows. */
    @Test
    void whatDidNotChangeHasTheTagThatTheClientKnows() throws Exception {
        ScriptedEndpoint endpoint =
                endpointThatResponds("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nVary: Origin\r\n\r\n");
        start(endpoint);

        Message weak = connect()
                .send("GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"y\", W/\"x\"\r\n\r\n")
                .readHead();
        Message strong = connect()
                .send("GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\"\r\n\r\n")
                .readHead();

        assertThat(endpoint.requests.get(0).field("If-None-Match")).isEqualTo("\"y\", W/\"x\"");
        assertThat(weak.status()).isEqualTo(304);
        assertThat(weak.field("ETag")).isEqualTo("W/\"x\"");
        assertThat(weak.field("Vary")).isEqualTo("Origin, Accept-Encoding");
        assertThat(strong.field("ETag")).isEqualTo("\"x\"");
    }

    /** The tag is weak, so the instance refuses to change by it (RFC 9110, 13.1.1); it has to see what the client sends. */
    @Test
    void ifMatchIsPassedOn() throws Exception {
        ScriptedEndpoint endpoint = endpointThatResponds("HTTP/1.1 412 No\r\nContent-Length: 0\r\n\r\n");
        start(endpoint);

        connect()
                .send("PUT / HTTP/1.1\r\nHost: a\r\nIf-Match: W/\"x\"\r\nContent-Length: 0\r\n\r\n")
                .read();

        assertThat(endpoint.requests.get(0).field("If-Match")).isEqualTo("W/\"x\"");
    }

    @Test
    void fieldsOfLabelsComeOnTop() throws Exception {
        ScriptedEndpoint endpoint = endpointThatResponds(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + LONG.length() + "\r\n\r\n" + LONG);
        startWith(app(endpoint.endpoint())
                .compress(true)
                .responseHeader("Vary", "Cookie")
                .responseHeader("Cache-Control", "no-transform")
                .build());

        Message response = get(ACCEPTED);

        assertThat(response.field("Vary")).isEqualTo("Cookie");
        assertThat(decompressed(response.body())).isEqualTo(LONG);
    }

    @Test
    void whereAFilterFailsNothingIsKept() throws Exception {
        ScriptedEndpoint endpoint = endpointThatResponds(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + LONG.length() + "\r\n\r\n" + LONG);
        startWith(app(endpoint.endpoint())
                .compress(true)
                .filter(request -> request.onResponse(response -> {
                            throw new IllegalStateException("broken");
                        })
                        .proceed())
                .build());

        for (int i = 0; i < 70; i++) { // more than may be compressed at once
            Message response = get(ACCEPTED);
            assertThat(response.status()).isEqualTo(500);
            assertThat(response.field("Content-Encoding")).isNull();
        }
        replaceWith(compressing(endpoint));
        assertThat(isCompressed(get(ACCEPTED))).isTrue();
    }

    /** The end of such a response is that of the connection; nginx does not compress it, either. */
    @Test
    void notOverHttp10() throws Exception {
        startWithResponse("200 OK", "Content-Type: text/plain\r\n", LONG);

        Message response = connect()
                .send("GET / HTTP/1.0\r\nHost: a\r\n" + ACCEPTED + "\r\n")
                .read();

        assertThat(isCompressed(response)).isFalse();
        assertThat(response.field("Vary")).isEqualTo("Accept-Encoding");
        assertThat(response.body()).isEqualTo(LONG);
    }

    @Test
    void trailersStay() throws Exception {
        start(endpointThatResponds("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"
                + "Trailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 7\r\nContent-Digest: a\r\n\r\n"));

        Message response = get(ACCEPTED + "TE: trailers\r\nConnection: TE\r\n");

        assertThat(response.field("Trailer")).isEqualTo("X-Sum");
        String[] parts = response.body().split("\ntrailer ", -1);
        assertThat(parts).hasSize(2);
        assertThat(decompressed(parts[0])).isEqualTo("hello");
        assertThat(parts[1]).isEqualToIgnoringCase("X-Sum: 7");
    }

    @Test
    void aConnectionServesFurtherRequestsAfterIt() throws Exception {
        startWithResponse("200 OK", "Content-Type: text/plain\r\n", LONG);
        RawClient client = connect();

        for (int i = 0; i < 3; i++) {
            Message response = client.send("GET / HTTP/1.1\r\nHost: a\r\n" + ACCEPTED + "\r\n")
                    .read();
            assertThat(decompressed(response.body())).isEqualTo(LONG);
        }
    }

    @Test
    void theHeadAloneOverHttp2SaysTheSame() throws Exception {
        startWithResponse("200 OK", "Content-Type: text/plain\r\n", LONG);
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + millau.port() + "/"))
                .header("Accept-Encoding", "gzip")
                .method("HEAD", HttpRequest.BodyPublishers.noBody())
                .build();

        HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());

        assertThat(response.headers().firstValue("Content-Encoding")).hasValue("gzip");
        assertThat(response.headers().firstValue("Vary")).hasValue("Accept-Encoding");
        assertThat(response.headers().firstValue("Content-Length")).isEmpty();
    }

    @Test
    void whatIsCountedIsWhatTheClientGets() throws Exception {
        startWithResponse("200 OK", "Content-Type: text/plain\r\n", LONG);

        int length = get(ACCEPTED).body().length();

        assertThat(length).isLessThan(LONG.length());
        assertThat(traffic.await(4)).contains("ended GET app delivered 200 0 " + length);
    }

    // ---- The body

    private enum Framing {
        LENGTH,
        CHUNKED,
        UNTIL_CLOSE
    }

    private static String random(Random random, int length) {
        StringBuilder text = new StringBuilder(length);
        boolean compresses = random.nextInt(3) > 0;
        while (text.length() < length) {
            if (compresses) {
                text.append("{\"id\": ").append(random.nextInt(1000)).append("},\n");
            } else {
                text.append((char) random.nextInt(256));
            }
        }
        text.setLength(length);
        return text.toString();
    }

    private static void sendInPieces(ScriptedEndpoint.Connection to, Framing framing, String body, Random random)
            throws IOException {
        String head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
        to.send(
                switch (framing) {
                    case LENGTH -> head + "Content-Length: " + body.length() + "\r\n\r\n";
                    case CHUNKED -> head + "Transfer-Encoding: chunked\r\n\r\n";
                    case UNTIL_CLOSE -> head + "Connection: close\r\n\r\n";
                });
        int most = 1 + random.nextInt(random.nextBoolean() ? 100_000 : 2_000);
        for (int at = 0; at < body.length(); ) {
            int end = Math.min(body.length(), at + 1 + random.nextInt(most));
            String piece = body.substring(at, end);
            to.send(framing == Framing.CHUNKED ? Integer.toHexString(end - at) + "\r\n" + piece + "\r\n" : piece);
            at = end;
        }
        if (framing == Framing.CHUNKED) {
            to.send("0\r\n\r\n");
        }
    }

    /** Whatever the pieces in which it comes, and its length: also those around the sizes of buffers and turns. */
    @ParameterizedTest
    @EnumSource
    void everyByteArrives(Framing framing) throws Exception {
        Random random = new Random(7);
        List<String> bodies = new ArrayList<>();
        for (int length : new int[] {0, 1, 1024, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 131_072, 3_000_000}) {
            bodies.add(random(random, length));
        }
        for (int i = 0; i < 60; i++) {
            bodies.add(random(random, random.nextInt(200_000)));
        }
        AtomicInteger next = new AtomicInteger();
        start(endpoint(connection -> {
            while (connection.readRequest() != null) {
                int number = next.getAndIncrement();
                sendInPieces(connection, framing, bodies.get(number), new Random(number));
                if (framing == Framing.UNTIL_CLOSE) {
                    return;
                }
            }
        }));
        RawClient client = connect();
        for (String body : bodies) {
            Message response = client.send("GET / HTTP/1.1\r\nHost: a\r\n" + ACCEPTED + "\r\n")
                    .read();
            assertThat(isCompressed(response)).isEqualTo(framing != Framing.LENGTH || body.length() >= 1024);
            assertThat(plain(response).equals(body))
                    .as("a body of " + body.length())
                    .isTrue();
        }
    }

    private HttpResponse<byte[]> getOverHttp2(HttpClient client) throws Exception {
        return get(client, URI.create("http://127.0.0.1:" + millau.port() + "/"));
    }

    private static HttpResponse<byte[]> get(HttpClient client, URI uri) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(uri)
                .header("Accept-Encoding", "gzip")
                .timeout(PATIENCE)
                .build();
        return client.send(request, HttpResponse.BodyHandlers.ofByteArray());
    }

    @Test
    void everyByteArrivesOverHttp2() throws Exception {
        Random random = new Random(8);
        List<String> bodies = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            bodies.add(random(random, 1024 + random.nextInt(400_000)));
        }
        AtomicInteger next = new AtomicInteger();
        start(endpoint(connection -> {
            while (connection.readRequest() != null) {
                int number = next.getAndIncrement();
                sendInPieces(connection, Framing.LENGTH, bodies.get(number), new Random(number));
            }
        }));
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        for (String body : bodies) {
            HttpResponse<byte[]> response = getOverHttp2(client);
            assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
            assertThat(response.headers().firstValue("Content-Encoding")).hasValue("gzip");
            assertThat(response.headers().firstValue("Vary")).hasValue("Accept-Encoding");
            assertThat(response.headers().firstValue("Content-Length")).isEmpty();
            String text = decompressed(new String(response.body(), StandardCharsets.ISO_8859_1));
            assertThat(text.equals(body)).isTrue();
        }
    }

    /** TLS keeps bytes that it decrypted, and HTTP/2 those of a stream: nothing may be left when a body goes on after its turn. */
    @ParameterizedTest
    @ValueSource(strings = {"https", "h2c"})
    void everyByteArrivesOverTlsAndFromOtherKindsOfInstances(String scheme) throws Exception {
        Authority root = Authority.root("root");
        String body = random(new Random(9), 2_000_000);
        Endpoint endpoint = scheme.equals("h2c")
                ? h2cEndpoint(body)
                : closing(ScriptedEndpoint.overTls(Authority.server(root.issue("app.internal")), connection -> {
                            while (connection.readRequest() != null) {
                                sendInPieces(connection, Framing.CHUNKED, body, new Random(9));
                            }
                        }))
                        .endpoint(new UpstreamTls(Set.of(root.certificate()), "app.internal"));
        https = true;
        startWith(app(endpoint)
                .compress(true)
                .certificate(root.issue("localhost"))
                .build());
        for (HttpClient.Version version : HttpClient.Version.values()) {
            HttpClient client = HttpClient.newBuilder()
                    .version(version)
                    .sslContext(root.client())
                    .build();
            URI uri =
                    URI.create("https://localhost:" + millau.addresses().get(1).getPort() + "/");
            for (int i = 0; i < 5; i++) {
                HttpResponse<byte[]> response = get(client, uri);
                assertThat(response.version()).isEqualTo(version);
                assertThat(response.headers().firstValue("Content-Encoding")).hasValue("gzip");
                String text = decompressed(new String(response.body(), StandardCharsets.ISO_8859_1));
                assertThat(text.equals(body)).isTrue();
            }
        }
    }

    private Endpoint h2cEndpoint(String body) {
        Undertow server = Undertow.builder()
                .setServerOption(UndertowOptions.ENABLE_HTTP2, true)
                .addHttpListener(0, "127.0.0.1", new BlockingHandler(exchange -> {
                    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "application/json");
                    exchange.getOutputStream().write(bytes(body));
                }))
                .build();
        server.start();
        closing(server::stop);
        InetSocketAddress address =
                (InetSocketAddress) server.getListenerInfo().get(0).getAddress();
        return Endpoint.h2c("undertow", address.getAddress(), address.getPort());
    }

    // ---- Streams

    /** What has arrived so far, decompressed as far as it goes. */
    private static String readSome(InputStream in, Inflater inflater, int length) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] one = new byte[1];
        while (out.size() < length) {
            if (inflater.needsInput()) {
                int b = in.read();
                if (b < 0) {
                    throw new EOFException("after " + out);
                }
                inflater.setInput(new byte[] {(byte) b});
            }
            if (inflater.inflate(one) > 0) {
                out.write(one[0]);
            }
        }
        return out.toString(StandardCharsets.ISO_8859_1);
    }

    private static InputStream chunks(RawClient client) {
        return new InputStream() {
            private int left;

            @Override
            public int read() throws IOException {
                if (left == 0) {
                    String line = client.wire().readLine();
                    left = Integer.parseInt(
                            line == null || line.isEmpty() ? client.wire().readLine() : line, 16);
                }
                left--;
                return client.wire().in().read();
            }
        };
    }

    /** A client of a stream must not wait for the next part to read this one. */
    @Test
    void eachPartOfAStreamArrivesThoughNothingFollows() throws Exception {
        CountDownLatch[] seen = {new CountDownLatch(1), new CountDownLatch(1)};
        start(endpoint(connection -> {
            connection.readRequest();
            connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n");
            connection.send("6\r\nfirst\n\r\n");
            connection.await(seen[0]);
            connection.send("7\r\nsecond\n\r\n");
            connection.await(seen[1]);
            connection.send("5\r\nlast\n\r\n0\r\n\r\n");
        }));
        RawClient client = connect().send("GET / HTTP/1.1\r\nHost: a\r\n" + ACCEPTED + "\r\n");
        assertThat(isCompressed(client.readHead())).isTrue();
        InputStream in = chunks(client);
        assertThat(in.readNBytes(10)).startsWith(0x1f, 0x8b);
        Inflater inflater = new Inflater(true);

        assertThat(readSome(in, inflater, 6)).isEqualTo("first\n");
        await().atMost(PATIENCE).until(() -> millau.buffersTakenByRequests() == 0); // nothing waits
        seen[0].countDown();
        assertThat(readSome(in, inflater, 7)).isEqualTo("second\n");
        seen[1].countDown();
        assertThat(readSome(in, inflater, 5)).isEqualTo("last\n");
        assertThat(inflater.inflate(new byte[1])).isZero();
        inflater.end();
    }

    @Test
    void eventsGoAsTheyCome() throws Exception {
        start(endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "9\r\ndata: 1\n\n\r\n");
            connection.hang();
        }));
        RawClient client = connect().send("GET / HTTP/1.1\r\nHost: a\r\n" + ACCEPTED + "\r\n");

        assertThat(isCompressed(client.readHead())).isFalse();
        assertThat(new String(chunks(client).readNBytes(9), StandardCharsets.US_ASCII))
                .isEqualTo("data: 1\n\n");
    }

    // ---- Slow and many clients

    /** Sends without end, what does not compress, and counts what it could send. */
    private ScriptedEndpoint endless(AtomicLong sent) {
        String chunk = "10000\r\n" + random(new Random(0), 65_536) + "\r\n";
        return endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n");
            while (over.getCount() > 0) {
                connection.send(chunk);
                sent.addAndGet(65_536);
            }
        });
    }

    private RawClient stalled() throws Exception {
        RawClient client = connect().send("GET / HTTP/1.1\r\nHost: a\r\n" + ACCEPTED + "\r\n");
        client.readHead();
        return client;
    }

    /** Waits until no more can be sent: the buffers of the sockets are full. */
    private static void awaitStop(AtomicLong sent) {
        AtomicLong before = new AtomicLong();
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(500)).until(() -> {
            long now = sent.get();
            return now > 0 && before.getAndSet(now) == now;
        });
    }

    /** The instance waits, too; what waits in the proxy is a buffer for each side. */
    @Test
    void aClientThatReadsNothingMakesTheInstanceWait() throws Exception {
        AtomicLong sent = new AtomicLong();
        start(endless(sent));
        RawClient client = stalled();

        awaitStop(sent);
        assertThat(millau.buffersTakenByRequests()).isLessThanOrEqualTo(2);

        long before = sent.get();
        assertThat(client.wire().in().skip(before)).isPositive();
        client.wire().in().skipNBytes(20_000_000);
        assertThat(sent.get()).isGreaterThan(before);
    }

    @Test
    void aClientThatReadsNothingOfItsStreamMakesTheInstanceWait() throws Exception {
        AtomicLong sent = new AtomicLong();
        start(endless(sent));
        RawHttp2Client client = closing(new RawHttp2Client(millau.port(), 1000));
        client.headers(
                1,
                true,
                ":method",
                "GET",
                ":scheme",
                "http",
                ":path",
                "/",
                ":authority",
                "a",
                "accept-encoding",
                "gzip");

        awaitStop(sent);
        assertThat(millau.buffersTakenByRequests()).isLessThanOrEqualTo(2);

        long before = sent.get();
        for (int i = 0; i < 20; i++) { // 20 times 1 MB
            client.send(RawHttp2Client.WINDOW_UPDATE, 0, 0, new byte[] {0, 0x10, 0, 0});
            client.send(RawHttp2Client.WINDOW_UPDATE, 0, 1, new byte[] {0, 0x10, 0, 0});
        }
        for (long read = 0; read < 20_000_000; ) {
            RawHttp2Client.Frame frame = client.next();
            read += frame.type() == RawHttp2Client.DATA ? frame.payload().length() : 0;
        }
        assertThat(sent.get()).isGreaterThan(before);
        client.cancel(1);
        await().atMost(PATIENCE).until(() -> millau.buffersTakenByRequests() == 0);
    }

    /** Whatever holds a place gives it back. */
    @Test
    void beyondSoManyAtOnceResponsesGoUncompressed() throws Exception {
        AtomicLong sent = new AtomicLong();
        ScriptedEndpoint endless = endless(sent);
        ScriptedEndpoint small = endpointThatResponds(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + LONG.length() + "\r\n\r\n" + LONG);
        startWith(
                compressing(endless),
                Service.named("small")
                        .path("/small")
                        .endpoints(small.endpoint())
                        .compress(true)
                        .build());
        List<RawClient> holding = new ArrayList<>();
        boolean compressed = true;
        while (compressed) {
            assertThat(holding).hasSizeLessThan(65);
            RawClient client = connect().send("GET / HTTP/1.1\r\nHost: a\r\n" + ACCEPTED + "\r\n");
            compressed = isCompressed(client.readHead());
            holding.add(client);
        }
        Message plain = connect()
                .send("GET /small HTTP/1.1\r\nHost: a\r\n" + ACCEPTED + "\r\n")
                .read();
        assertThat(plain.field("Content-Encoding")).isNull();
        assertThat(plain.field("Content-Length")).isEqualTo("" + LONG.length());
        assertThat(plain.field("Vary")).isEqualTo("Accept-Encoding");
        assertThat(plain.body()).isEqualTo(LONG);

        for (RawClient client : holding) {
            client.close();
        }
        await().atMost(PATIENCE).until(() -> millau.buffersTakenByRequests() == 0);
        Message again = connect()
                .send("GET /small HTTP/1.1\r\nHost: a\r\n" + ACCEPTED + "\r\n")
                .read();
        assertThat(decompressed(again.body())).isEqualTo(LONG);
    }

    @Test
    void aClientThatStallsHoldsNothingForEver() throws Exception {
        clock = ahead::get;
        AtomicLong sent = new AtomicLong();
        ScriptedEndpoint endpoint = endless(sent);
        start(endpoint);
        stalled();
        awaitStop(sent);

        await().atMost(PATIENCE).until(() -> {
            ahead.addAndGet(Duration.ofSeconds(61).toNanos());
            return endpoint.openConnections() == 0;
        });
        await().atMost(PATIENCE).until(() -> millau.buffersTakenByRequests() == 0);
    }

    @Test
    void threeHundredClientsAtOnceGetTheirs() throws Exception {
        String body = random(new Random(1), 300_000);
        startWithResponse("200 OK", "Content-Type: application/json\r\n", body);
        List<CompletableFuture<Boolean>> all = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            RawClient client = connect();
            CompletableFuture<Boolean> done = new CompletableFuture<>();
            all.add(done);
            ScriptedEndpoint.daemon("client", () -> {
                try {
                    Message response = client.send("GET / HTTP/1.1\r\nHost: a\r\n" + ACCEPTED + "\r\n")
                            .read();
                    assertThat(plain(response).equals(body)).isTrue();
                    done.complete(isCompressed(response));
                } catch (Throwable e) {
                    done.completeExceptionally(e);
                }
            });
        }
        int compressed = 0;
        for (CompletableFuture<Boolean> each : all) {
            compressed += each.get(120, TimeUnit.SECONDS) ? 1 : 0;
        }
        assertThat(compressed).isPositive();
    }

    // ---- Responses that break

    @ParameterizedTest
    @ValueSource(strings = {"Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n186a0\r\n"})
    void aResponseThatBreaksLooksBroken(String framing) throws Exception {
        start(endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" + framing + LONG);
        }));

        assertThatThrownBy(() -> get(ACCEPTED)).isInstanceOf(IOException.class);
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        assertThatThrownBy(() -> getOverHttp2(client)).isInstanceOf(IOException.class);
    }

    /** The JDK's inflater finds no end. */
    @Test
    void whatArrivedOfABrokenResponseHasNoEnd() throws Exception {
        CountDownLatch seen = new CountDownLatch(1);
        start(endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n" + LONG);
            connection.await(seen);
        }));
        RawClient client = connect().send("GET / HTTP/1.1\r\nHost: a\r\n" + ACCEPTED + "\r\n");
        client.readHead();
        InputStream in = chunks(client);
        in.readNBytes(10);
        Inflater inflater = new Inflater(true);
        assertThat(readSome(in, inflater, LONG.length())).isEqualTo(LONG);
        seen.countDown();

        assertThat(client.wire().readToEnd()).doesNotContain("\r\n0\r\n");
        assertThat(inflater.finished()).isFalse();
        inflater.end();
    }
}
