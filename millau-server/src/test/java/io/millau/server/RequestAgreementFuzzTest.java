package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.CapturedLog;
import io.millau.core.testing.Fuzz;
import io.millau.server.ReadRequests.Request;
import io.millau.server.testing.ScriptedEndpoint;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
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

    /** What each client sent, by its address. */
    private final Map<String, Expected> clients = new ConcurrentHashMap<>();

    /** What went wrong at the service. */
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();

    private int client;

    /** The requests that a client's bytes mean. */
    private static final class Expected {
        final List<Request> requests;
        private int seen;

        Expected(List<Request> requests) {
            this.requests = requests;
        }

        /** Describes why this is not the next request; null if it is. */
        synchronized @Nullable String next(Request received) {
            if (seen == requests.size()) {
                return "a request that nobody sent: " + received;
            }
            Request sent = requests.get(seen++);
            return meaning(sent).equals(meaning(received)) ? null : "received " + received + ", sent " + sent;
        }

        private static List<Object> meaning(Request request) {
            List<String> forwarded = request.has("connection", "x")
                    ? List.of()
                    : request.all("x").stream()
                            .map(value -> value.replaceAll("[ \t]+", " "))
                            .toList();
            return List.of(request.method(), originForm(request), request.body(), forwarded);
        }

        private static String originForm(Request request) {
            String target = request.target();
            String rest = target.replaceFirst("(?i)^https?://[^/?]+", "");
            if (rest.equals(target)) {
                return target;
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
        clients.put(NumberedClient.addressOf(client), new Expected(sent.requests));
        clients.remove(NumberedClient.addressOf(client - KEPT));
        try (NumberedClient connected = new NumberedClient(client, millau.port())) {
            connected.send(bytes, random);
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
