package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.Endpoint;
import io.millau.core.Overview;
import io.millau.core.Request;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.core.testing.CapturedLog;
import io.millau.core.testing.TrustAll;
import io.millau.server.internal.text.LineWriter;
import io.millau.server.internal.text.LineWriterTest;
import io.millau.testing.ScriptedEndpoint;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each request is one line, in both formats. */
class AccessLogTest extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Clock NOON = Clock.fixed(Instant.parse("2030-01-01T12:00:00.0567Z"), ZoneOffset.UTC);

    private final ByteArrayOutputStream json = new ByteArrayOutputStream();
    private final ByteArrayOutputStream combined = new ByteArrayOutputStream();
    private final AccessLog combinedLog = closing(AccessLog.combined(combined, NOON));

    @Override
    public Millau.Builder builder() {
        return super.builder()
                .https("127.0.0.1:0")
                .certificates(CertificateSource.of(Certificate.selfSigned("shop.example")))
                .accessLog(closing(AccessLog.json(json, NOON)))
                .listener(combinedLog);
    }

    /** Waits until the log has {@code number} lines, and fails if it has more. */
    private static List<String> lines(ByteArrayOutputStream log, int number) {
        await().atMost(PATIENCE).until(() -> count(log) >= number);
        assertThat(log.toString(StandardCharsets.UTF_8)).endsWith("\n");
        assertThat(count(log)).isEqualTo(number);
        return List.of(log.toString(StandardCharsets.UTF_8).split("\n"));
    }

    private static long count(ByteArrayOutputStream log) {
        return log.toString(StandardCharsets.UTF_8)
                .chars()
                .filter(c -> c == '\n')
                .count();
    }

    private JsonNode json() throws JsonProcessingException {
        return StrictJson.read(lines(json, 1).get(0));
    }

    private String combined() {
        return lines(combined, 1).get(0);
    }

    private static List<String> namesOf(JsonNode object) {
        return object.properties().stream().map(java.util.Map.Entry::getKey).toList();
    }

    @Test
    void aGet() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("hello");
        startWith(app(endpoint.endpoint()).hosts("shop.example").build());
        client().send("GET /a%20b;c?token=secret HTTP/1.1\r\nHost: www.shop.example:81\r\nUser-Agent: me/1.0 (x)\r\n"
                        + "Referer: http://from.example/\r\nAuthorization: secret\r\nX-Request-Id: its-own\r\n\r\n")
                .read();

        JsonNode line = json();
        assertThat(namesOf(line))
                .containsExactly(
                        "time",
                        "client",
                        "method",
                        "host",
                        "path",
                        "protocol",
                        "status",
                        "requestBytes",
                        "responseBytes",
                        "durationMillis",
                        "service",
                        "endpoint",
                        "attempts",
                        "upstreamMillis",
                        "delivered",
                        "localReason",
                        "tls",
                        "requestId");
        assertThat(line.path("time").textValue()).isEqualTo("2030-01-01T12:00:00.056Z");
        assertThat(line.path("client").textValue()).isEqualTo("127.0.0.1");
        assertThat(line.path("method").textValue()).isEqualTo("GET");
        assertThat(line.path("host").textValue()).isEqualTo("www.shop.example:81");
        assertThat(line.path("path").textValue()).isEqualTo("/a%20b;c");
        assertThat(line.path("protocol").textValue()).isEqualTo("HTTP/1.1");
        assertThat(line.path("status").intValue()).isEqualTo(200);
        assertThat(line.path("requestBytes").intValue()).isZero();
        assertThat(line.path("responseBytes").intValue()).isEqualTo(5);
        assertThat(line.path("service").textValue()).isEqualTo("app");
        assertThat(line.path("endpoint").textValue())
                .isEqualTo(endpoint.endpoint().toString());
        assertThat(line.path("attempts").intValue()).isEqualTo(1);
        assertThat(line.path("delivered").booleanValue()).isTrue();
        assertThat(line.path("tls").isNull()).isTrue();
        assertThat(line.path("requestId").textValue()).isEqualTo("its-own");
        double duration = line.path("durationMillis").doubleValue();
        assertThat(duration).isPositive();
        assertThat(line.path("upstreamMillis").doubleValue()).isPositive().isLessThanOrEqualTo(duration);
        assertThat(combined())
                .matches("127\\.0\\.0\\.1 - - \\[01/Jan/2030:12:00:00 \\+0000] \"GET /a%20b;c HTTP/1\\.1\" 200 5"
                        + " \"http://from\\.example/\" \"me/1\\.0 \\(x\\)\" \"www\\.shop\\.example:81\" \"app\""
                        + " \"" + endpoint.endpoint() + "\" 1 0 \\d+ms \\d+ms - its-own");
        assertThat(json + " " + combined).doesNotContain("secret");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"Content-Length: 6 | abcdef", "Transfer-Encoding: chunked | 6~abcdef~0~~"})
    void aPostWithABody(String field, String body) throws Exception {
        startWith(endpointThatSays("ok"));
        client().send("POST / HTTP/1.1\r\nHost: a\r\n" + field + "\r\n\r\n" + body.replace("~", "\r\n"))
                .read();

        assertThat(json().path("method").textValue()).isEqualTo("POST");
        assertThat(json().path("requestBytes").intValue()).isEqualTo(6);
        assertThat(json().path("responseBytes").intValue()).isEqualTo(2);
        assertThat(json().path("requestId").textValue()).matches("[0-9a-f]{32}");
        assertThat(combined()).contains("\"POST / HTTP/1.1\" 200 2 ").contains(" 1 6 ");
    }

    @Test
    void aServiceMayRespond404() throws Exception {
        startWith(endpointThatResponds("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
        client().get("/");

        assertThat(json().path("status").intValue()).isEqualTo(404);
        assertThat(json().path("delivered").booleanValue()).isTrue();
        assertThat(combined()).contains(" 404 0 ");
    }

    @Test
    void aRequestWithoutAMatchingService() throws Exception {
        startWith(new Service[0]);
        client().get("/nowhere");

        JsonNode line = json();
        assertThat(line.path("status").intValue()).isEqualTo(502);
        assertThat(line.path("service").isNull()).isTrue();
        assertThat(line.path("endpoint").isNull()).isTrue();
        assertThat(line.path("attempts").intValue()).isZero();
        assertThat(line.path("delivered").booleanValue()).isFalse();
        assertThat(line.path("path").textValue()).isEqualTo("/nowhere");
        assertThat(combined()).contains("\"GET /nowhere HTTP/1.1\" 502 0 \"-\" \"-\" \"test\" \"-\" \"-\" 0 0 ");
    }

    @Test
    void aRequestWhoseEndpointsAreUnreachable() throws Exception {
        Endpoint refusing = endpointThatRefuses();
        startWith(app(refusing).build());
        client().get("/");

        assertThat(json().path("status").intValue()).isEqualTo(502);
        assertThat(json().path("service").textValue()).isEqualTo("app");
        assertThat(json().path("endpoint").textValue()).isEqualTo(refusing.toString());
        assertThat(json().path("attempts").intValue()).isEqualTo(1);
        assertThat(json().path("delivered").booleanValue()).isFalse();
        assertThat(combined()).contains(" 502 0 ");
    }

    @Test
    void aRetriedRequestIsOneLineWithItsNumberOfAttempts() throws Exception {
        ScriptedEndpoint good = endpointThatSays("good");
        startWith(
                Service.named("blue").endpoints(endpointThatRefuses()).build(),
                Service.named("green").endpoints(good.endpoint()).build());
        RawClient client = client();
        client.get("/");
        client.get("/");
        List<String> lines = lines(json, 2);

        assertThat(lines.stream().filter(line -> line.contains("\"attempts\":2")))
                .singleElement()
                .asString()
                .contains("\"status\":200", "\"service\":\"green\"", "\"endpoint\":\"" + good.endpoint() + "\"");
        assertThat(lines(combined, 2).stream().filter(line -> line.contains("\" 2 0 ")))
                .hasSize(1);
    }

    @Test
    void aClientThatLeavesBeforeTheResponseIsLoggedAs499() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        startWith(endpointThatHangs(arrived));
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        arrived.await();
        client.close();

        assertThat(json().path("status").intValue()).isEqualTo(499);
        assertThat(json().path("delivered").booleanValue()).isFalse();
        assertThat(json().path("attempts").intValue()).isEqualTo(1);
        assertThat(combined()).contains("\" 499 0 ");
    }

    @Test
    void aClientThatLeavesDuringTheResponseIsLoggedWithTheStatusItGot() throws Exception {
        startWith(endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            connection.hang();
        }));
        RawClient client = client().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        client.readHead();
        assertThat(client.wire().readExactly(4)).isEqualTo("half");
        client.close();

        assertThat(json().path("status").intValue()).isEqualTo(200);
        assertThat(json().path("responseBytes").intValue()).isEqualTo(4);
    }

    @Test
    void theProtocolOfAnHttp2RequestIsLogged() throws Exception {
        startWith(endpointThatSays("ok"));
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));
        client.headers(1, true, ":method", "GET", ":scheme", "http", ":path", "/x?y", ":authority", "shop.example");
        assertThat(client.body(1)).isEqualTo("ok");

        assertThat(json().path("protocol").textValue()).isEqualTo("HTTP/2.0");
        assertThat(json().path("path").textValue()).isEqualTo("/x");
        assertThat(json().path("host").textValue()).isEqualTo("shop.example");
        assertThat(json().path("tls").isNull()).isTrue();
        assertThat(combined()).contains("\"GET /x HTTP/2.0\" 200 2 ");
    }

    @ParameterizedTest
    @CsvSource({"http/1.1, TLSv1.2", "http/1.1, TLSv1.3", "h2, TLSv1.2", "h2, TLSv1.3"})
    void theTlsVersionIsLogged(String application, String version) throws Exception {
        startWith(endpointThatSays("ok"));
        SSLSocket socket = closing((SSLSocket) TrustAll.context()
                .getSocketFactory()
                .createSocket(
                        InetAddress.getLoopbackAddress(),
                        millau.addresses().get(1).getPort()));
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setProtocols(new String[] {version});
        parameters.setApplicationProtocols(new String[] {application});
        socket.setSSLParameters(parameters);
        if (application.equals("h2")) {
            RawHttp2Client client = closing(new RawHttp2Client(socket, 65_535));
            client.headers(1, true, ":method", "GET", ":scheme", "https", ":path", "/", ":authority", "a");
            assertThat(client.body(1)).isEqualTo("ok");
        } else {
            assertThat(closing(new RawClient(socket)).get("/").body()).isEqualTo("ok");
        }

        assertThat(json().path("tls").textValue()).isEqualTo(version);
        assertThat(combined()).contains(" " + version + " ");
    }

    private static final String QUOTES = "/\" 200 0 \"-\" \"-\"";

    /** Hostile header values stay within their field: each request is one line. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                QUOTES,
                "/\\\",\"status\":200,\"x\":\"",
                "/</script><script>alert(1)</script>",
                "/%0aERROR%0d%0a",
                "/\u0085ERROR",
                "/\u00ff\u00c3\u00a4",
                "/{}%s%n$1",
                "/\\ud83d",
            })
    void aHostileHeaderFieldCannotForgeALine(String hostile) throws Exception {
        startWith(endpointThatSays("ok"));
        client().send("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: " + hostile + "\r\nReferer: " + hostile
                        + "\r\nX-Request-Id: " + hostile + "\r\n\r\n")
                .read();

        assertOneLine();
        assertThat(json().path("status").intValue()).isEqualTo(200);
    }

    /** Undertow rejects such paths today; the log must be safe even if it no longer does. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                QUOTES,
                "/\\\",\"status\":200,\"x\":\"",
                "/</script><script>alert(1)</script>",
                "/\nERROR\r\n",
                "/\u0085ERROR\u007f\u2028\u2029",
                "/\u00ff\u00c3\u00a4\u540d\ud83d",
                "/{}%s%n$1",
            })
    void aHostilePathOrNameCannotForgeALine(String hostile) throws Exception {
        AccessLog jsonLog = closing(AccessLog.json(json, NOON));
        Service service = Service.named(hostile).build();
        RecordedEnd end = new RecordedEnd(
                new TrafficListener.Ingress(80, "http"), service, null, null, true, false, 200, 1, sent(hostile));
        jsonLog.requestEnded(end);
        combinedLog.requestEnded(end);

        assertThat(json().path("path").textValue()).isEqualTo(hostile);
        assertThat(json().path("host").textValue()).isEqualTo(hostile);
        assertThat(json().path("service").textValue()).isEqualTo(hostile);
        assertOneLine();
    }

    private static Request sent(String hostile) {
        return new Request() {
            @Override
            public String id() {
                return "id";
            }

            @Override
            public String method() {
                return "GET";
            }

            @Override
            public String address() {
                return "127.0.0.1";
            }

            @Override
            public String host() {
                return hostile;
            }

            @Override
            public String path() {
                return hostile;
            }

            @Override
            public String protocol() {
                return "HTTP/1.1";
            }

            @Override
            public String header(String name) {
                return hostile;
            }

            @Override
            public @Nullable String tlsVersion() {
                return null;
            }
        };
    }

    private void assertOneLine() throws Exception {
        assertThat(json().path("attempts").isInt()).isTrue();
        assertThat(json.toString(StandardCharsets.UTF_8).codePoints())
                .noneMatch(c -> c < ' ' && c != '\n' || c == 0x7f || c == '<' || c == 0x2028);
        assertThat(combined().chars()).allMatch(c -> c >= ' ' && c < 127);
        assertThat(combined())
                .matches("127\\.0\\.0\\.1 - - \\[[^]]*] \"[^\"]*\" (200|400) \\d+ \"[^\"]*\" \"[^\"]*\" \"[^\"]*\""
                        + " \"[^\"]*\" \"[^\"]*\" [01] 0 \\d+ms \\d+ms - \\S+");
    }

    /** Its lines were missing, and only a number said so. */
    @Test
    void anOutputThatFailsIsLogged() throws Exception {
        AtomicBoolean full = new AtomicBoolean(true);
        OutputStream disk = new ByteArrayOutputStream() {
            @Override
            public void write(byte[] bytes) throws IOException {
                if (full.get()) {
                    throw new IOException("no space left on device");
                }
                super.write(bytes);
            }
        };
        services.replace(app(endpointThatSays("ok").endpoint()).build());
        AccessLog log = closing(AccessLog.json(disk));
        millau = closing(Millau.builder()
                .http("127.0.0.1:0")
                .source(services)
                .accessLog(log)
                .start());
        try (CapturedLog messages = new CapturedLog()) {
            for (int lost = 1; lost <= 3; lost++) {
                client().get("/");
                int expected = lost;
                await().atMost(PATIENCE).until(() -> log.dropped() == expected);
            }
            assertThat(messages.about("Access log"))
                    .singleElement()
                    .asString()
                    .contains("Access log can't be written", "no space left on device");
            full.set(false);
            client().get("/");
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(messages.about("Access log is written again dropped=3"))
                            .hasSize(1));
        }
        log.close();
        client().get("/");
        await().atMost(PATIENCE).until(() -> log.dropped() == 4);
    }

    /** The log's output blocks: requests continue, and lines beyond the limit are dropped and counted. */
    @Test
    void aBlockedLogDoesNotDelayRequests() throws Exception {
        LineWriterTest.Gate gate = new LineWriterTest.Gate();
        AtomicReference<Overview> overview = new AtomicReference<>();
        services.replace(app(endpointThatSays("ok").endpoint()).build());
        AccessLog log = closing(AccessLog.json(gate));
        millau = closing(Millau.builder()
                .http("127.0.0.1:0")
                .source(services)
                .accessLog(log)
                .listener(new TrafficListener() {
                    @Override
                    public void started(Overview all) {
                        overview.set(all);
                    }
                })
                .start());
        assertThat(client().get("/first").body()).isEqualTo("ok");
        gate.awaitWriter();
        int requests = LineWriter.MOST_WAITING + 500;
        RawClient client = client();
        ScriptedEndpoint.daemon("requests", () -> {
            try {
                for (int i = 0; i < requests; i += 100) {
                    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(100));
                }
            } catch (IOException e) {
                // the missing responses will fail the test
            }
        });
        for (int i = 0; i < requests / 100 * 100; i++) {
            assertThat(client.read().body()).isEqualTo("ok");
        }

        await().atMost(PATIENCE).until(() -> log.dropped() > 0);
        assertThat(overview.get().droppedLogLines()).isEqualTo(log.dropped());
        gate.open();
        await().atMost(PATIENCE)
                .until(() -> gate.text().lines().count() + log.dropped() >= 1 + (requests + 99) / 100 * 100);
        for (String line : gate.text().lines().toList()) {
            StrictJson.read(line);
        }
        client().get("/again");
        await().atMost(PATIENCE).until(() -> gate.text().contains("/again"));
    }

    @Test
    void closeWritesTheWaitingLines() throws Exception {
        startWith(endpointThatSays("ok"));
        RawClient client = client();
        for (int i = 0; i < 100; i++) {
            client.get("/" + i);
        }
        traffic.await(400);
        combinedLog.close();

        assertThat(combined.toString(StandardCharsets.UTF_8).lines()).hasSize(100);
    }
}
