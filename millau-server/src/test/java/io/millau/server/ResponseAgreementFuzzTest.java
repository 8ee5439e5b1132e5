package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.CapturedLog;
import io.millau.core.testing.Fuzz;
import io.millau.server.ReadResponses.Response;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Proxy and service agree where each response ends, whatever a service sends: a client gets a well-formed response, or sees that it
 * is cut, and each other request gets its own response.
 */
class ResponseAgreementFuzzTest extends ProxyTest {

    /** A service that has not sent all of a response gives up after this time; nothing but coverage depends on it. */
    private static final int QUIET_MILLIS = 60;

    private static final List<String> REQUESTS = List.of("GET", "HEAD", "POST", "UPGRADE");

    /** What the service sends. */
    private record Odd(byte[] bytes, boolean mayBeIncomplete, boolean ends) {}

    private volatile Odd odd = new Odd(new byte[0], true, true);

    @Test
    void theClientReadsWhatTheServiceSent() throws Exception {
        startWith(endpoint(this::serve));
        try (CapturedLog log = new CapturedLog()) {
            Fuzz.of("responses", FuzzedRequests.DICTIONARY).check(this::agree);
            assertThat(log.about("ERROR")).isEmpty();
            assertThat(log.about("at io.millau")).isEmpty();
        }
    }

    private void serve(ScriptedEndpoint.Connection connection) throws IOException {
        for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
            if (request.startLine().contains(" /odd ")) {
                Odd sent = odd;
                connection.wire().out().write(sent.bytes);
                if (sent.ends || sent.mayBeIncomplete && !connection.readsWithin(QUIET_MILLIS)) {
                    return;
                }
            } else {
                connection.respond(request, request.startLine());
            }
        }
    }

    private void agree(byte[] input, Random random) throws IOException {
        for (String method : REQUESTS) {
            Response meant = meant(input, method);
            boolean ends = random.nextInt(3) == 0;
            odd = new Odd(input, meant == null, ends || meant != null && untilClose(meant, method));
            try (Socket first = connect();
                    Socket second = connect()) {
                InputStream in = new BufferedInputStream(first.getInputStream());
                if (passesOn(first, in, method, meant)) {
                    assertThat(next(first, in)).as("after %s", method).isEqualTo("next");
                }
                assertThat(next(second, second.getInputStream()))
                        .as("another client, after %s", method)
                        .isEqualTo("next");
            }
        }
    }

    /** The only response that the bytes can mean; null if they are malformed, too few or too many. */
    private static @Nullable Response meant(byte[] bytes, String method) throws IOException {
        ByteArrayInputStream in = new ByteArrayInputStream(bytes);
        try {
            Response response = new ReadResponses(in).next(method.equals("HEAD"));
            return in.available() > 0 ? null : response;
        } catch (ReadRequests.MalformedException | EOFException e) {
            return null;
        }
    }

    private static boolean untilClose(Response response, String method) {
        return !method.equals("HEAD")
                && response.status() != 204
                && response.status() != 304
                && response.all("content-length").isEmpty()
                && response.all("transfer-encoding").isEmpty();
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), millau.port());
        socket.setSoTimeout(30_000);
        socket.setTcpNoDelay(true);
        return socket;
    }

    /**
     * Sends a request and checks its response.
     *
     * @return whether the connection serves another request
     */
    private static boolean passesOn(Socket socket, InputStream in, String method, @Nullable Response meant)
            throws IOException {
        String fields = switch (method) {
            case "UPGRADE" -> "Connection: Upgrade\r\nUpgrade: websocket\r\n";
            case "POST" -> "Content-Length: 1\r\n";
            default -> "TE: trailers\r\nConnection: TE\r\n";
        };
        String name = method.equals("UPGRADE") ? "GET" : method;
        String body = method.equals("POST") ? "x" : "";
        send(socket, name + " /odd HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body);
        Response response = null;
        try {
            response = new ReadResponses(in).next(method.equals("HEAD"));
        } catch (EOFException | SocketException e) {
            // It is cut.
        } catch (ReadRequests.MalformedException e) {
            throw new AssertionError("response to " + method + ": " + e.getMessage(), e);
        }
        if (response == null) {
            assertThat(meant).as("cut response to " + method).isNull();
            return false;
        }
        if (response.status() == 101) {
            assertThat(method).isEqualTo("UPGRADE");
            return false;
        }
        assertThat(untilClose(response, method))
                .as("body without an end, " + response)
                .isFalse();
        if (meant != null && meant.status() != 101) {
            assertThat(response.status()).as("status of " + response).isEqualTo(meant.status());
            assertThat(response.body()).as("body of " + response).isEqualTo(meant.body());
        }
        return response.all("connection").isEmpty();
    }

    /** The body of the response to a further request. */
    private static String next(Socket socket, InputStream in) throws IOException {
        send(socket, "GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
        Response response = new ReadResponses(in).next(false);
        assertThat(response).as("response to another request").isNotNull();
        return response.status() == 200 && response.body().equals("GET /next HTTP/1.1") ? "next" : response.toString();
    }

    private static void send(Socket socket, String request) throws IOException {
        socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
    }
}
