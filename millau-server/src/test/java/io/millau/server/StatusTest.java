package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.CertificateStatus;
import io.millau.core.Endpoint;
import io.millau.core.Overview;
import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.TrafficListener;
import io.millau.core.testing.FreePorts;
import io.millau.server.internal.text.Version;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The telemetry port: health, the status page, its JSON and its event stream. */
class StatusTest extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String HOSTILE = "</script><img src=x onerror=alert(1)>\"'\\\n\u2028&";

    @Override
    public Millau.Builder builder() {
        return super.builder().telemetry("127.0.0.1:0").hostName("proxy-1");
    }

    private Message get(String path) throws Exception {
        return send("GET " + path);
    }

    private Message send(String methodAndPath) throws Exception {
        return send(millau.telemetryPort(), methodAndPath);
    }

    private static Message send(int port, String methodAndPath) throws Exception {
        try (RawClient client = new RawClient(port)) {
            client.send(methodAndPath + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            return methodAndPath.startsWith("HEAD ") ? client.readHead() : client.read();
        }
    }

    private static String utf8(Message message) {
        return new String(message.body().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }

    private JsonNode status() throws Exception {
        Message response = get("/status.json");
        assertThat(response.status()).isEqualTo(200);
        return StrictJson.read(utf8(response));
    }

    private JsonNode awaitStatus(Predicate<JsonNode> expected) {
        return await().atMost(PATIENCE).until(this::status, expected);
    }

    /** The only service. */
    private static JsonNode service(JsonNode status) {
        assertThat(status.path("services")).hasSize(1);
        return status.path("services").get(0);
    }

    private static List<String> texts(JsonNode array, String name) {
        List<String> texts = new ArrayList<>();
        array.forEach(each -> texts.add(each.path(name).asText()));
        return texts;
    }

    // Health

    @Test
    void whileItStartsItIsLiveAndNotReady() throws Exception {
        int port = FreePorts.next();
        CompletableFuture<Consumer<Snapshot>> consumer = new CompletableFuture<>();
        CompletableFuture<Millau> starting = CompletableFuture.supplyAsync(() -> {
            try {
                return Millau.builder()
                        .http("127.0.0.1:0")
                        .telemetry("127.0.0.1:" + port)
                        .source(snapshots -> {
                            consumer.complete(snapshots);
                            return () -> {};
                        })
                        .start();
            } catch (Millau.BindFailedException e) {
                throw new AssertionError(e);
            }
        });
        await().atMost(PATIENCE)
                .ignoreExceptions()
                .until(() -> send(port, "GET /live").body().equals("live"));
        assertThat(starting).as("waits up to 3 s for its source").isNotDone();
        for (String path : new String[] {"/", "/ready"}) {
            assertThat(send(port, "GET " + path).status()).isEqualTo(503);
            assertThat(send(port, "GET " + path).body()).isEqualTo("down");
        }
        assertThat(send(port, "GET /status").status()).isEqualTo(200);
        Message early = send(port, "GET /status.json");
        assertThat(early.status()).isEqualTo(503);
        assertThat(early.body()).isEqualTo("Starting\n");
        try (Events events = new Events(port)) {
            consumer.get().accept(Snapshot.EMPTY);
            assertThat(events.next().path("up").isBoolean())
                    .as("the first event")
                    .isTrue();
        }
        millau = closing(starting.get(30, TimeUnit.SECONDS));
        assertThat(get("/ready").status()).isEqualTo(200);
        assertThat(status().path("up").booleanValue()).isTrue();
    }

    @Test
    void onceStartedItIsReadyAndAllowsOnlyGetAndHead() throws Exception {
        startWith(endpointThatSays("ok"));

        for (String path : new String[] {"/", "/ready"}) {
            assertThat(get(path).status()).isEqualTo(200);
            assertThat(get(path).body()).isEqualTo("up");
        }
        assertThat(get("/live").body()).isEqualTo("live");
        for (String path : new String[] {"/", "/ready", "/live", "/status", "/status.json", "/status/events"}) {
            Message head = send("HEAD " + path);
            assertThat(head.status()).as(path).isEqualTo(200);
            assertThat(head.field("Content-Type")).isNotBlank();
            Message post = send("POST " + path);
            assertThat(post.status()).isEqualTo(405);
            assertThat(post.field("Allow")).isEqualTo("GET, HEAD");
        }
        for (String path : new String[] {"/status/", "/status.js", "/statusx", "/metrics", "/other", "//", "/ready/"}) {
            assertThat(get(path).status()).as(path).isEqualTo(404);
            assertThat(get(path).body()).isEqualTo("Not Found\n");
        }
        assertThat(get("/status.json").field("Cache-Control")).isEqualTo("no-store");
        assertThat(get("/status.json").field("X-Content-Type-Options")).isEqualTo("nosniff");
        assertThat(get("/status.json").field("Content-Type")).isEqualTo("application/json");
    }

    @Test
    void aBrowserIsLedToTheStatusPage() throws Exception {
        startWith(endpointThatSays("ok"));
        RawClient client = closing(new RawClient(millau.telemetryPort()));

        for (String path : new String[] {"/", "/ready"}) {
            Message response = client.send(
                            "GET " + path + " HTTP/1.1\r\nHost: a\r\nAccept: text/html,*/*;q=0.8\r\n\r\n")
                    .read();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.body().contains("<a href=\"status\">")).isEqualTo(path.equals("/"));
        }
    }

    @Test
    void duringShutdownItIsLiveAndNotReadyAndTheStreamShowsIt() throws Exception {
        services.replace(app(endpointThatSays("ok").endpoint()).build());
        millau = closing(builder().grace(Duration.ofDays(1)).start());
        try (Events events = new Events(millau.telemetryPort())) {
            assertThat(events.next().path("up").booleanValue()).isTrue();
            Thread closing = new Thread(millau::close);
            closing.start();
            await().atMost(PATIENCE).until(() -> get("/ready").status() == 503);

            assertThat(get("/").body()).isEqualTo("down");
            assertThat(get("/live").status()).isEqualTo(200);
            assertThat(status().path("up").booleanValue()).isFalse();
            events.await(status -> !status.path("up").booleanValue());
            closing.interrupt();
            closing.join();
            assertThat(events.ended()).isTrue();
        }
    }

    static List<Throwable> failures() {
        return List.of(new IllegalStateException("on purpose"), new NoClassDefFoundError("on purpose"));
    }

    /** An Error, unlike an exception, used to leave the request without a response. */
    @ParameterizedTest
    @MethodSource("failures")
    void failingMetricsDisturbNothingElse(Throwable failure) throws Exception {
        services.replace(app(endpointThatSays("ok").endpoint()).build());
        millau = closing(builder()
                .metrics(() -> {
                    if (failure instanceof Error error) {
                        throw error;
                    }
                    throw (RuntimeException) failure;
                })
                .start());

        assertThat(get("/metrics").status()).isEqualTo(500);
        assertThat(get("/metrics").body()).isEqualTo("See the log of Millau\n");
        assertThat(get("/ready").status()).isEqualTo(200);
        assertThat(status().path("services")).hasSize(1);
        assertThat(client().get("/").body()).isEqualTo("ok");
    }

    @Test
    void aListenerThatThrowsDoesNotDisturbTheStatus() throws Exception {
        TrafficListener failing = new TrafficListener() {
            @Override
            public void started(Overview overview) {
                throw new IllegalStateException("on purpose");
            }

            @Override
            public void servicesReplaced(List<Service> services) {
                throw new IllegalStateException("on purpose");
            }

            @Override
            public void requestEnded(Ended request) {
                throw new StackOverflowError("on purpose");
            }
        };
        services.replace(app(endpointThatSays("ok").endpoint()).build());
        millau = closing(super.builder()
                .telemetry("127.0.0.1:0")
                .listener(failing)
                .listener(traffic)
                .start());
        RawClient client = client();
        awaitStatus(status -> {
            for (int i = 0; i < 10; i++) {
                get(client);
            }
            return service(status).path("requestsPerSecond").doubleValue() > 0;
        });
        assertThat(traffic.events).contains("ended GET app delivered 200 0 2");
    }

    private static void get(RawClient client) {
        try {
            assertThat(client.get("/").body()).isEqualTo("ok");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    // The page

    @Test
    void thePageRunsOnlyItsOwnScriptAndContactsNoOtherServer() throws Exception {
        startWith(endpointThatSays("ok"));
        Message response = get("/status");
        String page = utf8(response).replaceFirst("id=\"first\">[^<]*", "");
        String script = page.substring(page.indexOf("<script>") + 8, page.lastIndexOf("</script>"));
        String hash = Base64.getEncoder()
                .encodeToString(MessageDigest.getInstance("SHA-256").digest(script.getBytes(StandardCharsets.UTF_8)));

        assertThat(response.field("Content-Type")).isEqualTo("text/html; charset=utf-8");
        assertThat(response.field("Content-Security-Policy"))
                .contains("default-src 'none'")
                .contains("connect-src 'self'")
                .contains("frame-ancestors 'none'")
                .endsWith("script-src 'sha256-" + hash + "'");
        assertThat(page.indexOf("<script", page.indexOf("<script>") + 1))
                .as("one script that runs")
                .isNegative();
        assertThat(page).doesNotContainPattern("(?i)(src|href|url)\\s*[=(]\\s*[\"']?\\s*(https?:)?//");
        assertThat(page.replace("http://www.w3.org/2000/svg", "").replace("/^http:\\/\\//", ""))
                .doesNotContain("http://", "https://");
        assertThat(script).doesNotContain("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(");
        assertThat(page.length()).isLessThan(64 * 1024);
    }

    @Test
    void thePageComesWithTheStatus() throws Exception {
        String hostile = "</script><script>alert(1)</script><!--";
        services.replace(
                app(endpointThatSays("ok").endpoint()).path("/" + hostile).build());
        millau = closing(builder().start());
        String page = utf8(get("/status"));
        String before = "<script type=\"application/json\" id=\"first\">";
        int start = page.indexOf(before) + before.length();
        JsonNode embedded = StrictJson.read(page.substring(start, page.indexOf("</script>", start)));

        assertThat(service(embedded).path("path").asText()).isEqualTo("/" + hostile);
        assertThat(embedded.path("version").asText()).isEqualTo(Version.VERSION);
        assertThat(page).doesNotContain(hostile);
    }

    /** A page of many megabytes would show nothing for long; its stream is slower, then, too. */
    @Test
    void aLargeStatusComesByTheStreamAlone() throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        services.replace(IntStream.range(0, 1_000)
                .mapToObj(i -> Service.named("service-" + i)
                        .path("/" + i)
                        .endpoints(endpoint.endpoint())
                        .build())
                .toArray(Service[]::new));
        millau = closing(builder().start());

        assertThat(get("/status.json").body().length()).isGreaterThan(500_000);
        assertThat(utf8(get("/status")))
                .contains("<script type=\"application/json\" id=\"first\">null</script>")
                .hasSizeLessThan(64 * 1024);
    }

    // JSON

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:9100, 200",
        "[::1]:9100, 200",
        "localhost, 200",
        "millau:9100, 200",
        "status.example, 200",
        "STATUS.example:80, 200",
        "evil.example, 403",
        "127.0.0.1.evil.example, 403"
    })
    void aPageOfOthersCannotReadIt(String host, int status) throws Exception {
        services.replace(app(endpointThatSays("ok").endpoint()).build());
        millau = closing(builder()
                .telemetry("127.0.0.1:0")
                .telemetryHosts("Status.example")
                .start());
        RawClient client = closing(new RawClient(millau.telemetryPort()));

        for (String path : List.of("/status", "/status.json", "/explain?url=http://a/")) {
            assertThat(client.send("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
                            .read()
                            .status())
                    .as(path)
                    .isEqualTo(status);
        }
        assertThat(client.send("GET /ready HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
                        .read()
                        .status())
                .isEqualTo(200);
    }

    @Test
    void theJsonHasEveryField() throws Exception {
        ScriptedEndpoint good = endpointThatSays("ok");
        Endpoint bad = endpointThatRefuses();
        Certificate certificate = Certificate.selfSigned("shop.example");
        Instant renewal = Instant.parse("2030-01-01T00:00:00Z");
        ServiceSource source = new ServiceSource() {
            @Override
            public Subscription subscribe(Consumer<Snapshot> consumer) {
                consumer.accept(new Snapshot(
                        List.of(app(good.endpoint(), bad)
                                .hosts("shop.example", "www.shop.example")
                                .path("/api/")
                                .weight(7)
                                .limit("500/s")
                                .responseHeader("X-Frame-Options", "DENY")
                                .compress(true)
                                .timeout(Duration.ofMillis(2500))
                                .certificate(certificate)
                                .build()),
                        List.of(new Problem("app", "app.prot=80: unknown"))));
                return () -> {};
            }

            @Override
            public String toString() {
                return "the source";
            }
        };
        millau = closing(Millau.builder()
                .http("127.0.0.1:0")
                .https("127.0.0.1:0")
                .telemetry("127.0.0.1:0")
                .hostName("proxy-1")
                .certificates(new CertificateSource() {
                    @Override
                    public List<Certificate> find(@Nullable String name) {
                        return List.of();
                    }

                    @Override
                    public List<CertificateStatus> status() {
                        return List.of(CertificateStatus.of(
                                java.util.Set.of("b.example", "a.example"), "ACME", null, null, renewal, "refused"));
                    }
                })
                .source(source)
                .listener(traffic)
                .start());
        RawClient client = client();
        await().atMost(PATIENCE).until(() -> {
            client.send("GET /api/x HTTP/1.1\r\nHost: shop.example\r\n\r\n").read();
            return traffic.events.stream().anyMatch(event -> event.startsWith("failed"))
                    && service(status()).path("requestsPerSecond").doubleValue() > 0;
        });
        JsonNode status = status();
        String http = ":" + millau.addresses().get(0).getPort();
        String https = ":" + millau.addresses().get(1).getPort();

        assertThat(names(status))
                .containsExactly(
                        "version",
                        "host",
                        "up",
                        "now",
                        "started",
                        "ports",
                        "trusted",
                        "proxyProtocol",
                        "soleClient",
                        "unmatchedPerSecond",
                        "services",
                        "certificates",
                        "sources",
                        "problems",
                        "changes");
        assertThat(status.path("host").textValue()).isEqualTo("proxy-1");
        assertThat(Instant.parse(status.path("now").textValue()))
                .isAfterOrEqualTo(Instant.parse(status.path("started").textValue()));
        assertThat(texts(status.path("ports"), "port")).containsExactly(http, https);
        assertThat(texts(status.path("ports"), "protocol")).containsExactly("http", "https");

        JsonNode service = service(status);
        assertThat(service.path("id").textValue()).isEqualTo("app");
        assertThat(service.path("name").textValue()).isEqualTo("app");
        assertThat(service.path("up").booleanValue()).isTrue();
        assertThat(service.path("hosts").toString()).isEqualTo("[\"shop.example\",\"www.shop.example\"]");
        assertThat(service.path("path").textValue()).isEqualTo("/api/");
        assertThat(service.path("weight").intValue()).isEqualTo(7);
        assertThat(service.path("timeoutSeconds").doubleValue()).isEqualTo(2.5);
        assertThat(service.path("retrySeconds").doubleValue()).isEqualTo(60);
        assertThat(service.path("filters").toString())
                .isEqualTo("[\"a client gets 429 beyond 500/s\",\"in responses, X-Frame-Options is set\","
                        + "\"its responses are compressed with gzip\"]");
        assertThat(service.path("openConnections").intValue()).isEqualTo(1);
        assertThat(service.path("errorShare").doubleValue()).isZero();
        assertThat(service.path("p50Millis").doubleValue()).isPositive();
        assertThat(service.path("p99Millis").doubleValue())
                .isGreaterThanOrEqualTo(service.path("p50Millis").doubleValue());
        assertThat(texts(service.path("routes"), "host")).containsExactly("shop.example", "www.shop.example");
        assertThat(texts(service.path("routes"), "path")).containsExactly("/api/", "/api/");
        JsonNode rates = service.path("routes").get(0).path("requestsPerSecond");
        assertThat(names(rates)).containsExactly(http, https);
        assertThat(rates.path(http).doubleValue()).isPositive();
        assertThat(rates.path(https).doubleValue()).isZero();
        assertThat(service.path("routes")
                        .get(1)
                        .path("requestsPerSecond")
                        .path(http)
                        .doubleValue())
                .isZero();

        assertThat(texts(service.path("endpoints"), "url"))
                .containsExactly(good.endpoint().toString(), bad.toString());
        assertThat(texts(service.path("endpoints"), "state")).containsExactly("up", "ejected");
        JsonNode ejected = service.path("endpoints").get(1);
        assertThat(ejected.path("reason").textValue()).contains("refused");
        assertThat(Instant.parse(ejected.path("since").textValue()))
                .isBetween(Instant.now().minusSeconds(60), Instant.now());
        assertThat(ejected.path("openRequests").intValue()).isZero();
        assertThat(service.path("endpoints").get(0).path("reason").isNull()).isTrue();
        assertThat(service.path("endpoints").get(0).path("requestsPerSecond").doubleValue())
                .isPositive();

        assertThat(texts(status.path("certificates"), "origin")).containsExactly("millau.cert of app", "ACME");
        JsonNode shown = status.path("certificates").get(0);
        assertThat(shown.path("names").toString()).isEqualTo("[\"shop.example\"]");
        assertThat(shown.path("issuer").textValue()).isEqualTo("shop.example");
        assertThat(shown.path("expires").textValue())
                .isEqualTo(certificate.expires().toString());
        assertThat(shown.path("trouble").isNull()).isTrue();
        JsonNode missing = status.path("certificates").get(1);
        assertThat(missing.path("names").toString()).isEqualTo("[\"a.example\",\"b.example\"]");
        assertThat(missing.path("expires").isNull()).isTrue();
        assertThat(missing.path("renewal").textValue()).isEqualTo(renewal.toString());
        assertThat(missing.path("trouble").textValue()).isEqualTo("refused");

        JsonNode of = status.path("sources").get(0);
        assertThat(of.path("name").textValue()).isEqualTo("the source");
        assertThat(of.path("up").booleanValue()).isTrue();
        assertThat(of.path("events").intValue()).isEqualTo(1);
        assertThat(of.path("errors").intValue()).isZero();
        assertThat(of.path("trouble").isNull()).isTrue();
        assertThat(Instant.parse(of.path("lastSuccess").textValue())).isBeforeOrEqualTo(Instant.now());
        assertThat(status.path("problems").toString())
                .isEqualTo(
                        "[{\"service\":\"app\",\"message\":\"app.prot=80: unknown\",\"hosts\":[],\"ofInstance\":false}]");
        assertThat(texts(status.path("changes"), "text"))
                .anyMatch(text -> text.startsWith("Ejected service=app endpoint=" + bad))
                .anyMatch(text -> text.startsWith("Certificate names=shop.example expires="))
                .contains("app: app.prot=80: unknown")
                .endsWith("Added service=app hosts=\"shop.example www.shop.example\" path=/api/ endpoints=2");
    }

    private static List<String> names(JsonNode object) {
        return object.properties().stream().map(Map.Entry::getKey).toList();
    }

    @Test
    void severalAddressesWithOnePortAreOnePort() throws Exception {
        InetSocketAddress one = new InetSocketAddress(InetAddress.getByName("127.0.0.1"), FreePorts.next());
        InetSocketAddress other = new InetSocketAddress(InetAddress.getByName("127.0.0.2"), one.getPort());
        services.replace(app(endpointThatSays("ok").endpoint()).build());
        millau = closing(Millau.builder()
                .http(one)
                .http(other)
                .telemetry("127.0.0.1:0")
                .source(services)
                .start());
        String port = ":" + one.getPort();
        try (RawClient client = new RawClient(new Socket(other.getAddress(), other.getPort()))) {
            JsonNode status = awaitStatus(seen -> {
                get(client);
                return seen.path("services")
                                .get(0)
                                .path("routes")
                                .get(0)
                                .path("requestsPerSecond")
                                .path(port)
                                .doubleValue()
                        > 0;
            });
            assertThat(texts(status.path("ports"), "port")).containsExactly(port);
        }
    }

    @Test
    void hostileNamesAreEscaped() throws Exception {
        startWith(Service.named(HOSTILE).endpoints(endpointThatRefuses()).build());
        client().get("/");
        Message response = get("/status.json");

        assertThat(response.body()).doesNotContain("<", "\n");
        JsonNode status = StrictJson.read(utf8(response));
        assertThat(service(status).path("name").textValue()).isEqualTo(HOSTILE);
        assertThat(texts(status.path("changes"), "text"))
                .allSatisfy(
                        text -> assertThat(text.codePoints()).noneMatch(c -> Character.isISOControl(c) || c == 0x2028));
        assertThat(get("/status").body()).doesNotContain("<img");
    }

    @Test
    void servicesThatShareRequestsNameEachOther() throws Exception {
        startWith(
                Service.named("blue").hosts("shop.example").build(),
                Service.named("green").hosts("www.shop.example", "shop.example").build(),
                Service.named("api").hosts("shop.example").path("/api").build());
        List<List<String>> shares = new ArrayList<>();
        for (JsonNode service : status().path("services")) {
            List<String> names = new ArrayList<>();
            service.path("sharesWith").forEach(name -> names.add(name.textValue()));
            shares.add(names);
        }
        assertThat(shares).containsExactly(List.of("green"), List.of("blue"), List.of());
    }

    @Test
    void aRemovedServiceIsNotShown() throws Exception {
        startWith(endpointThatSays("ok"));
        client().get("/");
        services.replace();
        JsonNode status = status();

        assertThat(status.path("services")).isEmpty();
        assertThat(status.path("changes").get(0).path("text").textValue()).isEqualTo("Removed service=app");
    }

    // The event stream

    /** A viewer of the event stream. */
    private static final class Events implements AutoCloseable {
        private final Socket socket;
        private final BufferedReader lines;

        Events(int port) throws IOException {
            this(port, 0);
        }

        /** @param buffer size of the receive buffer; 0 for the default */
        Events(int port, int buffer) throws IOException {
            // HTTP/1.0, so that the response is not chunked and ends with the connection.
            this(port, buffer, "HTTP/1.0");
        }

        Events(int port, int buffer, String protocol) throws IOException {
            socket = new Socket();
            if (buffer > 0) {
                socket.setReceiveBufferSize(buffer);
            }
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            socket.setSoTimeout(60_000);
            socket.getOutputStream()
                    .write(("GET /status/events " + protocol + "\r\nHost: a\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            lines = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        }

        int status() throws IOException {
            return Integer.parseInt(lines.readLine().split(" ")[1]);
        }

        JsonNode next() throws IOException {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("data:")) {
                    return StrictJson.read(line.substring("data:".length()));
                }
            }
            throw new AssertionError("the stream ended");
        }

        JsonNode await(Predicate<JsonNode> expected) throws IOException {
            JsonNode next = next();
            while (!expected.test(next)) {
                next = next();
            }
            return next;
        }

        /** Whether the stream ends. */
        boolean ended() {
            try {
                while (lines.readLine() != null) {
                    continue;
                }
            } catch (java.net.SocketTimeoutException e) {
                return false;
            } catch (IOException e) {
                return true;
            }
            return true;
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    private Events events() throws IOException {
        return closing(new Events(millau.telemetryPort()));
    }

    @Test
    void aViewerGetsTheStateAtOnceAndThenEveryChange() throws Exception {
        startWith(endpointThatSays("ok"));
        Events events = events();
        assertThat(events.status()).isEqualTo(200);
        assertThat(service(events.next()).path("name").textValue()).isEqualTo("app");

        Service[] changed = {
            Service.named("blue").endpoints(endpointThatRefuses()).build(),
            Service.named("green").endpoints(endpointThatSays("ok").endpoint()).build()
        };
        services.replace(changed);
        events.await(status -> texts(status.path("services"), "name").equals(List.of("blue", "green")));
        client().get("/");
        client().get("/");
        events.await(status -> status.path("services").get(0).path("up").booleanValue() == false);
    }

    @Test
    void theStreamContinuesWithoutChanges() throws Exception {
        startWith(endpointThatSays("ok"));
        Events events = events();
        Instant first = Instant.parse(events.next().path("now").textValue());
        events.next();

        assertThat(Instant.parse(events.next().path("now").textValue())).isAfter(first);
    }

    @Test
    void thereMayBeFiftyViewersAndOneThatLeavesMakesRoom() throws Exception {
        startWith(endpointThatSays("ok"));
        List<Events> all = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            Events events = events();
            assertThat(events.status()).isEqualTo(200);
            all.add(events);
        }
        Message full = get("/status/events");
        assertThat(full.status()).isEqualTo(503);
        assertThat(full.body()).isEqualTo("There are 50 viewers already\n");
        assertThat(get("/ready").status()).isEqualTo(200);
        for (Events events : all) {
            events.next();
        }
        for (int i = 0; i < 10; i++) {
            all.get(i).close();
        }
        for (int i = 0; i < 10; i++) {
            await().atMost(PATIENCE).until(() -> {
                Events late = events();
                return late.status() == 200;
            });
        }
        assertThat(get("/status/events").status()).isEqualTo(503);
    }

    /** A viewer that doesn't read misses events, delays no other viewer, and is disconnected after half a minute. */
    @Test
    void aViewerThatReadsTooSlowlyIsDisconnected() throws Exception {
        List<Service> many = new ArrayList<>();
        Endpoint endpoint = endpointThatSays("ok").endpoint();
        for (int i = 0; i < 2000; i++) {
            many.add(Service.named("service-" + i)
                    .hosts("host-" + i + ".example")
                    .endpoints(endpoint)
                    .build());
        }
        startWith(many.toArray(Service[]::new));
        Events slow = closing(new Events(millau.telemetryPort(), 4096));
        assertThat(slow.status()).isEqualTo(200);
        Events reading = events();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        CountDownLatch events = new CountDownLatch(20);
        ScriptedEndpoint.daemon("reading", () -> {
            try {
                while (true) {
                    assertThat(reading.next().path("services")).hasSize(2000);
                    events.countDown();
                }
            } catch (IOException | RuntimeException | AssertionError e) {
                failure.set(e);
            }
        });
        await().atMost(PATIENCE.multipliedBy(3))
                .pollInterval(Duration.ofMillis(300))
                .until(() -> {
                    ahead.addAndGet(Duration.ofSeconds(10).toNanos()); // the next event is due
                    return events.getCount() == 0;
                });
        ahead.addAndGet(Duration.ofSeconds(40).toNanos());

        assertThat(slow.ended()).as("the slow viewer is disconnected").isTrue();
        assertThat(failure.get()).as("the other viewer continues").isNull();
        assertThat(client().send("GET / HTTP/1.1\r\nHost: host-7.example\r\n\r\n")
                        .read()
                        .body())
                .isEqualTo("ok");
        millau.close();
        await().atMost(PATIENCE).until(() -> failure.get() != null);
    }

    /** Fifty that stopped reading held all places for hours: the system took 4 MB for each, and nobody noticed. */
    @Test
    void viewersThatDoNotReadMakeRoomAfterHalfAMinute() throws Exception {
        List<Service> many = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            many.add(Service.named("service-" + i)
                    .hosts("host-" + i + ".example")
                    .build());
        }
        startWith(many.toArray(Service[]::new));
        for (int i = 0; i < 50; i++) {
            closing(new Events(millau.telemetryPort(), 4096, "HTTP/1.1"));
        }
        await().atMost(PATIENCE).until(() -> get("/status/events").status() == 503);

        Events newcomer = await().atMost(PATIENCE.multipliedBy(3))
                .pollInterval(Duration.ofMillis(300))
                .until(
                        () -> {
                            ahead.addAndGet(Duration.ofSeconds(10).toNanos()); // the next event is due
                            Events next = events();
                            return next.status() == 200 ? next : null;
                        },
                        Objects::nonNull);
        assertThat(newcomer.next().path("services")).hasSize(20);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 20})
    void closeEndsTheStreams(int viewers) throws Exception {
        startWith(endpointThatSays("ok"));
        List<Events> all = new ArrayList<>();
        for (int i = 0; i < viewers; i++) {
            all.add(events());
            all.get(i).next();
        }
        millau.close();

        assertThat(all).allMatch(Events::ended);
    }
}
