package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Endpoint;
import io.millau.core.testing.CapturedLog;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import io.millau.testing.internal.Http2Peer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What becomes of responses that are out of the ordinary, as {@code docs/reference/odd-responses.md} has it. */
class OddResponsesTest extends ProxyTest {

    private static final PlayedTable TABLE = new PlayedTable(
            "odd-responses.md",
            "| response | RFC | from HTTP/1.1 | from HTTP/2 | reason of the `502` |\n|---|---|---|---|---|\n");
    private static final String NONE = "–";

    @Test
    void theDocumentSaysWhatBecomesOfThem() throws Exception {
        StringBuilder rows = new StringBuilder();
        for (OddResponse response : OddResponse.ALL) {
            rows.append(row(response)).append('\n');
        }
        TABLE.hasRows(getClass(), rows.toString());
    }

    private String row(OddResponse response) throws Exception {
        List<String> reasons = new ArrayList<>();
        String http1 = NONE;
        if (!response.http1().isEmpty()) {
            ScriptedEndpoint endpoint = endpoint(connection -> http1(connection, response));
            http1 = played(response, response::lines1, endpoint, endpoint.endpoint(), reasons);
        }
        String http2 = NONE;
        if (!response.http2().isEmpty()) {
            ScriptedEndpoint endpoint = endpoint(connection -> http2(connection, response));
            http2 = played(response, response::lines2, endpoint, Http2Peer.endpoint(endpoint), reasons);
        }
        String reason = reasons.stream().distinct().collect(Collectors.joining("; "));
        return "| " + response.name() + " | " + response.rfc() + " | " + http1 + " | " + http2 + " | "
                + (reason.isEmpty() ? NONE : reason) + " |";
    }

    /** Responds to the first request, and plainly to all others. */
    private static void http1(ScriptedEndpoint.Connection connection, OddResponse response) throws IOException {
        for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
            if (request.startLine().startsWith("GET /odd ")) {
                connection.send(response.http1());
                if (response.ends()) {
                    return;
                }
            } else {
                connection.respond(request, "next");
            }
        }
    }

    private static void http2(ScriptedEndpoint.Connection connection, OddResponse response) throws IOException {
        Http2Peer peer = new Http2Peer(connection);
        while (true) {
            Http2Peer.Frame request = peer.wholeRequest();
            if (peer.fields(request).contains(":path: /odd")) {
                peer.headers(request.stream(), false, response.http2().toArray(String[]::new));
                peer.data(request.stream(), true, OddResponse.BODY);
            } else {
                peer.respond(request.stream(), "next");
            }
        }
    }

    /** Plays a response with a new proxy, since a failure is logged once in 10 s. */
    private String played(
            OddResponse response,
            Supplier<List<String>> sent,
            ScriptedEndpoint scripted,
            Endpoint endpoint,
            List<String> reasons)
            throws Exception {
        try (CapturedLog log = new CapturedLog()) {
            startWith(app(endpoint).build());
            String outcome = outcome(response, sent);
            assertThat(client().get("/next").body())
                    .as("the next request, after " + response)
                    .isEqualTo("next");
            boolean over = outcome.equals("502") || response.ends();
            log.about("Failed service=").stream()
                    .map(line -> line.replaceFirst(".* reason=(\"[^\"]*\"|\\S+).*", "$1")
                            .replaceAll("^\"|\"$", ""))
                    .map(reason -> "`" + reason + "`")
                    .forEach(reasons::add);
            return outcome + (over || scripted.connections() == 1 ? "" : ", connection ends");
        } finally {
            millau.close();
        }
    }

    private String outcome(OddResponse response, Supplier<List<String>> sent) throws Exception {
        RawClient client = client().send("GET /odd HTTP/1.1\r\nHost: a\r\n\r\n");
        Message head = client.readHead();
        if (head.status() == 502) {
            return "502";
        }
        try {
            boolean hasBody = head.status() != 204 && head.status() != 304;
            String body = hasBody ? client.wire().readBody(head, false).body() : OddResponse.BODY;
            assertThat(body).as("body of " + response).isEqualTo(OddResponse.BODY);
        } catch (IOException e) {
            return "cut";
        }
        return "passed on" + difference(sent.get(), head);
    }

    /** How the head that the client got differs from the one that the endpoint sent. */
    private static String difference(List<String> sent, Message head) {
        List<String> got = Stream.concat(Stream.of(head.startLine()), head.fields().stream())
                .toList();
        String missing = without(sent, got);
        String added = without(got, sent);
        if (added.isEmpty()) {
            return missing.isEmpty() ? "" : " without " + missing;
        }
        return " with " + added + (missing.isEmpty() ? "" : " for " + missing);
    }

    private static String without(List<String> lines, List<String> others) {
        return lines.stream()
                .filter(line -> !others.contains(line))
                .map(line -> "`"
                        + line.replace("\t", "\\t")
                                .replaceAll("[\\x00-\\x1f]", "�")
                                .replace("|", "\\|") + "`")
                .collect(Collectors.joining(", "));
    }
}
