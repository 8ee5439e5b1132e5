package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.CapturedLog;
import io.millau.core.testing.Fuzz;
import io.millau.server.ReadRequests.Request;
import io.millau.testing.ScriptedEndpoint;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Proxy and service agree where each request ends, whatever a client sends: the service reads exactly the requests that the
 * client's bytes mean, or only the first of them, and nothing but well-formed bytes. Each client has an address of its own, by
 * which its requests are found at the service.
 */
class RequestAgreementFuzzTest extends ProxyTest {

    private static final int KEPT = 2000;
    private static final byte[] LAST =
            "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private static final String[] LAST_OVER_HTTP_2 = {
        ":method", "GET", ":scheme", "http", ":path", "/last", ":authority", "a"
    };
    private static final String[] HTTP_2_DICTIONARY = {
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        "\0",
        ": ",
        ":",
        " ",
        "\t",
        "x",
        ":path: /b\n",
        ":authority: b\n",
        ":method: ",
        "host: b\n",
        "content-length: 5\n",
        "content-length: 0\n",
        "transfer-encoding: chunked\n",
        "connection: close\n",
        "upgrade: h2c\n",
        "expect: 100-continue\n",
        "te: trailers\n",
        "x-forwarded-for: 6.6.6.6\n",
        "x: a\r\nContent-Length: 0\n",
        " HTTP/1.1\r\nHost: a\r\n\r\n",
        "http://b/",
        "*"
    };

    /** What each client sent, by its address. */
    private final Map<String, Expected> clients = new ConcurrentHashMap<>();

    /** What went wrong at the service. */
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();

    private int client;

    /** The requests that a client's bytes mean. */
    private static final class Expected {
        private final List<Request> requests;
        private final boolean inOrder;

        /** @param inOrder whether no request is served after one that was refused */
        Expected(List<Request> requests, boolean inOrder) {
            this.requests = new ArrayList<>(requests);
            this.inOrder = inOrder;
        }

        /** Describes why this is not the next request; null if it is. */
        synchronized @Nullable String next(Request received) {
            for (int i = 0; i < (inOrder ? Math.min(1, requests.size()) : requests.size()); i++) {
                if (meaning(requests.get(i)).equals(meaning(received))) {
                    requests.remove(i);
                    return null;
                }
            }
            return "received " + received + ", expected one of " + requests;
        }

        private static List<Object> meaning(Request request) {
            List<String> forwarded = request.has("connection", "x")
                    ? List.of()
                    : request.all("x").stream()
                            .map(value -> value.strip().replaceAll("[ \t]+", " "))
                            .toList();
            return List.of(request.method(), originForm(request), request.body(), forwarded);
        }

        private static String originForm(Request request) {
            String target = request.target();
            String rest = target.replaceFirst("(?i)^https?://[^/?]+", "");
            if (rest.equals(target)) {
                return rest;
            }
            if (rest.isEmpty() && request.method().equals("OPTIONS")) {
                return "*";
            }
            return rest.startsWith("/") ? rest : "/" + rest;
        }
    }

    @Test
    void theServiceReadsWhatTheClientSent() throws Exception {
        startWith(endpoint(this::serve));
        try (CapturedLog log = new CapturedLog()) {
            Fuzz.of("requests", FuzzedRequests.DICTIONARY).check(this::agree);
            assertThat(log.about("ERROR")).isEmpty();
            assertThat(log.about("at io.millau")).isEmpty();
        }
    }

    /** Over HTTP/2 there is nothing to disagree about but what the service gets in HTTP/1.1. */
    @Test
    void theServiceReadsWhatTheClientSentOverHttp2() throws Exception {
        startWith(endpoint(this::serve));
        try (CapturedLog log = new CapturedLog()) {
            Fuzz.of("http2-requests", HTTP_2_DICTIONARY).check(this::agreeOverHttp2);
            assertThat(log.about("ERROR")).isEmpty();
            assertThat(log.about("at io.millau")).isEmpty();
        }
    }

    private void agreeOverHttp2(byte[] input, Random random) throws IOException {
        String[] parts = (new String(input, StandardCharsets.ISO_8859_1) + "\n\n").split("\n\n", 2);
        String body = parts[1].substring(0, Math.max(0, parts[1].length() - 2));
        List<String> fields = new ArrayList<>();
        for (String line : parts[0].split("\n")) {
            int colon = line.indexOf(": ");
            String name = colon < 0 ? line : line.substring(0, colon);
            fields.add(name);
            fields.add(colon < 0 ? "" : line.substring(colon + 2));
        }
        Request sent = request(fields, announcedPart(fields, body));
        Request last = request(List.of(LAST_OVER_HTTP_2), "");
        client++;
        clients.put(NumberedClient.addressOf(client), new Expected(List.of(sent, last), false));
        clients.remove(NumberedClient.addressOf(client - KEPT));
        try (NumberedClient connected = new NumberedClient(client, millau.port());
                RawHttp2Client http2 = new RawHttp2Client(connected.socket(), 65_535)) {
            boolean headOnly = body.isEmpty() && random.nextBoolean();
            http2.headers(1, headOnly, fields.toArray(String[]::new));
            if (!headOnly) {
                byte[] bytes = body.getBytes(StandardCharsets.ISO_8859_1);
                int cut = random.nextInt(bytes.length + 1);
                http2.send(RawHttp2Client.DATA, 0, 1, Arrays.copyOf(bytes, cut));
                http2.send(
                        RawHttp2Client.DATA,
                        RawHttp2Client.END_STREAM,
                        1,
                        Arrays.copyOfRange(bytes, cut, bytes.length));
            }
            http2.body(1);
            http2.headers(3, true, LAST_OVER_HTTP_2);
            assertThat(http2.body(3)).as("the next stream").isEqualTo(said(last));
        } finally {
            checkService();
        }
    }

    /** What comes after the announced length resets the stream, but the service may have the whole request by then. */
    private static String announcedPart(List<String> fields, String body) {
        int name = fields.indexOf("content-length");
        String length = name < 0 ? "" : fields.get(name + 1).strip();
        return length.matches("[0-9]{1,9}")
                ? body.substring(0, Math.min(body.length(), Integer.parseInt(length)))
                : body;
    }

    private static Request request(List<String> fields, String body) {
        List<ReadRequests.Field> all = new ArrayList<>();
        String method = "";
        String path = "";
        for (int i = 0; i < fields.size(); i += 2) {
            method = fields.get(i).equals(":method") ? fields.get(i + 1) : method;
            path = fields.get(i).equals(":path") ? fields.get(i + 1) : path;
            all.add(new ReadRequests.Field(fields.get(i), fields.get(i + 1)));
        }
        return new Request(method, path, "HTTP/1.1", all, body, List.of());
    }

    private void serve(ScriptedEndpoint.Connection connection) throws IOException {
        ReadRequests requests = ReadRequests.strict(connection.wire().in());
        try {
            for (Request request = requests.next(); request != null; request = requests.next()) {
                String problem = problemOf(request);
                if (problem != null) {
                    wrong.add(problem);
                }
                String body = said(request);
                String head = "HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n";
                connection.send(request.method().equals("HEAD") ? head : head + body);
            }
        } catch (ReadRequests.MalformedException e) {
            wrong.add("malformed: " + e.getMessage());
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    }

    private static String said(Request request) {
        return request.method() + " " + request.body().length();
    }

    private @Nullable String problemOf(Request request) {
        List<String> from = request.all("x-forwarded-for");
        Expected expected = from.size() == 1 ? clients.get(from.get(0)) : null;
        if (expected == null) {
            return "a request of nobody: " + request;
        }
        if (request.all("host").size() != 1) {
            return "hosts " + request.all("host");
        }
        return expected.next(request);
    }

    private void agree(byte[] input, Random random) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(input);
        all.writeBytes(LAST);
        byte[] bytes = all.toByteArray();
        Meant sent = meant(bytes);
        client++;
        clients.put(NumberedClient.addressOf(client), new Expected(sent.requests, true));
        clients.remove(NumberedClient.addressOf(client - KEPT));
        try (NumberedClient connected = new NumberedClient(client, millau.port())) {
            connected.send(bytes, random);
            if (new String(input, StandardCharsets.ISO_8859_1).startsWith("PRI")) {
                connected.in().readAllBytes(); // taken for HTTP/2
                return;
            }
            checkResponses(connected.in(), sent);
        } catch (SocketException e) {
            // A reset ends it, too.
        } finally {
            checkService();
        }
    }

    private void checkService() {
        List<String> problems = List.copyOf(wrong);
        wrong.clear();
        if (!problems.isEmpty()) {
            throw new AssertionError("at the service: " + problems);
        }
    }

    /** What bytes mean: whole requests, and whether what follows them is a request with HEAD, though not one to be served. */
    private record Meant(List<Request> requests, boolean headFollows) {

        boolean isHead(int index) {
            return index < requests.size() ? requests.get(index).method().equals("HEAD") : headFollows;
        }
    }

    private static Meant meant(byte[] bytes) throws IOException {
        List<Request> requests = new ArrayList<>();
        ReadRequests reader = ReadRequests.tolerant(new ByteArrayInputStream(bytes));
        try {
            for (Request request = reader.next(); request != null; request = reader.next()) {
                requests.add(request);
            }
        } catch (ReadRequests.MalformedException e) {
            // No request can follow.
        }
        return new Meant(requests, reader.beganWithHead());
    }

    /** Each request gets its own response, in order; one that is not served is the last. */
    private static void checkResponses(InputStream in, Meant sent) throws IOException {
        ReadResponses responses = new ReadResponses(in);
        for (int i = 0; ; i++) {
            Request request = i < sent.requests.size() ? sent.requests.get(i) : null;
            ReadResponses.Response response = responses.next(sent.isHead(i));
            if (response == null) {
                return;
            }
            if (response.status() == 101 && request != null && request.has("upgrade", "h2c")) {
                in.readAllBytes();
                return;
            }
            if (response.status() == 200) {
                assertThat(request)
                        .as("a request for response %d, %s", i, response)
                        .isNotNull();
                if (!request.method().equals("HEAD")) {
                    assertThat(response.body())
                            .as("response %d, to %s", i, request)
                            .isEqualTo(said(request));
                }
            } else {
                assertThat(response.status()).as("response %d", i).isBetween(400, 505);
                assertThat(response.all("connection"))
                        .as("response %d, %s", i, response)
                        .containsExactly("close");
                assertThat(responses.next(false))
                        .as("after a request that was not served")
                        .isNull();
                return;
            }
        }
    }
}
