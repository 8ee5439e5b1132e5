package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.CapturedLog;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What becomes of requests that are out of the ordinary, as {@code docs/reference/odd-requests.md} has it. */
class OddRequestsTest extends ProxyTest {

    private static final PlayedTable TABLE = new PlayedTable(
            "odd-requests.md", "| request | RFC | over HTTP/1.1 | over HTTP/2 | log |\n|---|---|---|---|---|\n");
    private static final String NONE = "–";

    private final List<ScriptedEndpoint> endpoints = new ArrayList<>();

    @Test
    void theDocumentSaysWhatBecomesOfThem() throws Exception {
        StringBuilder rows = new StringBuilder();
        for (OddRequest request : OddRequest.ALL) {
            rows.append(row(request)).append('\n');
        }
        TABLE.hasRows(getClass(), rows.toString());
    }

    private String row(OddRequest request) throws Exception {
        List<String> logged = new ArrayList<>();
        String http1 = request.http1().isEmpty() ? NONE : played(() -> overHttp1(request.http1()), logged);
        String http2 = request.http2().isEmpty()
                ? NONE
                : played(() -> overHttp2(request.http2().toArray(new String[0])), logged);
        String log = logged.stream().distinct().collect(Collectors.joining("; "));
        return "| " + request.name() + " | " + request.rfc() + " | " + http1 + " | " + http2 + " | "
                + (log.isEmpty() ? NONE : log) + " |";
    }

    private interface Play {
        String run() throws Exception;
    }

    /** Plays a request with a new proxy, since a warning is logged once in 10 s. */
    private String played(Play play, List<String> logged) throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        endpoints.add(endpoint);
        try (CapturedLog log = new CapturedLog()) {
            startWith(endpoint);
            String outcome = play.run();
            log.about("Bad request").stream()
                    .map(line -> line.substring(line.indexOf(" reason=") + 8).replaceAll("^\"|\"$", ""))
                    .map(reason -> "`" + reason.replace("|", "\\|") + "`")
                    .forEach(logged::add);
            return outcome;
        } finally {
            millau.close();
        }
    }

    private String overHttp1(String bytes) throws Exception {
        RawClient client = client();
        Message response;
        try {
            response = client.send(bytes).read();
        } catch (AssertionError e) {
            return "connection ends";
        }
        String outcome = response.status() == 200 ? forwarded(target(bytes)) : String.valueOf(response.status());
        boolean persists =
                response.status() != 200 ? !"close".equals(response.field("Connection")) : stillServes(client);
        return outcome + (persists ? "" : ", connection ends");
    }

    private static String target(String bytes) {
        String[] parts = bytes.stripLeading().split(" +");
        return parts.length < 2 ? "" : parts[1];
    }

    private boolean stillServes(RawClient client) throws Exception {
        try {
            return client.get("/next").body().equals("ok");
        } catch (AssertionError | IOException e) {
            return false;
        }
    }

    private String overHttp2(String... fields) throws Exception {
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));
        try {
            client.headers(1, true, fields);
            String body = client.body(1);
            String target = "";
            for (int i = 0; i < fields.length; i += 2) {
                target = fields[i].equals(":path") ? fields[i + 1] : target;
            }
            String outcome = body.equals("ok") ? forwarded(target) : ended(body.strip());
            client.headers(3, true, ":method", "GET", ":scheme", "http", ":path", "/next", ":authority", "a");
            assertThat(client.body(3)).as("another stream").isEqualTo("ok");
            return outcome;
        } catch (IOException e) {
            return "connection ends";
        }
    }

    private static String ended(String body) {
        return body.equals("(reset)") ? "stream reset" : "“" + body + "”, stream ends";
    }

    private String forwarded(String target) {
        String sent =
                endpoints.get(endpoints.size() - 1).requests.get(0).startLine().split(" ")[1];
        return sent.equals(target) ? "forwarded" : "forwarded as `" + sent + "`";
    }
}
