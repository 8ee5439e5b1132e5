package io.millau.examples.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Certificate;
import io.millau.core.internal.Pem;
import io.millau.core.testing.Authority;
import io.millau.core.testing.RequiresCommands;
import io.millau.core.testing.StandaloneServer;
import io.millau.core.testing.TrustAll;
import io.millau.examples.echo.Echo;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The packaged server, and the clients that people use. Their programs are in {@code src/test/clients}. */
@RequiresCommands({"curl", "h2load", "node", "npm", "python3"})
class RealClientsIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final Path PROGRAMS = Path.of("target", "clients").toAbsolutePath();

    /** Debian's, which has Debian's packages. */
    private static final String PYTHON = "/usr/bin/python3";

    @TempDir
    private static Path folder;

    private static Echo echo;
    private static Process grpc;
    private static StandaloneServer server;

    @BeforeAll
    static void start() throws Exception {
        installPrograms();
        echo = new Echo("echo", 0, Duration.ZERO);
        Path output = folder.resolve("grpc.log");
        grpc = new ProcessBuilder("node", "grpc-server.mjs")
                .directory(PROGRAMS.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        Awaitility.await().atMost(PATIENCE).until(() -> Files.readString(output).endsWith("\n"));
        Matcher port = Pattern.compile("port (\\d+)\n").matcher(Files.readString(output));
        assertThat(port.matches()).as(Files.readString(output)).isTrue();

        Authority root = Authority.root("root");
        Certificate certificate = root.issue("localhost", "grpc.example");
        Path certificates = Files.createDirectory(folder.resolve("certificates"));
        Files.writeString(certificates.resolve("one.crt"), Pem.text(certificate.chain()));
        Files.writeString(certificates.resolve("one.key"), Pem.text(certificate.key()));
        Files.writeString(folder.resolve("ca.pem"), Pem.text(List.of(root.certificate())));
        Path services =
                Files.writeString(folder.resolve("services.properties"), """
                echo.endpoints = http://127.0.0.1:%d
                grpc.endpoints = h2c://127.0.0.1:%s
                grpc.hosts     = grpc.example
                """.formatted(echo.port(), port.group(1)));
        server = new StandaloneServer(
                folder.resolve("server.log"),
                Map.of("SERVICES", services.toString(), "CERTS", certificates.toString(), "ACME", "off"));
        server.awaitLine("Listens on");
    }

    /** Copies the programs and installs what they need, once. */
    private static void installPrograms() throws Exception {
        Files.createDirectories(PROGRAMS);
        try (var files = Files.list(Path.of("src", "test", "clients"))) {
            for (Path file : files.toList()) {
                Files.writeString(PROGRAMS.resolve(file.getFileName().toString()), Files.readString(file));
            }
        }
        if (!Files.isDirectory(PROGRAMS.resolve("node_modules"))) {
            run("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent");
        }
    }

    @AfterAll
    static void end() {
        if (server != null) {
            server.close();
        }
        if (grpc != null) {
            grpc.destroy();
        }
        if (echo != null) {
            echo.close();
        }
    }

    /** Runs a command among the programs; returns its output. */
    private static String run(String... command) throws Exception {
        Path output = Files.createTempFile(folder, "run", ".log");
        Process process = new ProcessBuilder(command)
                .directory(PROGRAMS.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        process.destroyForcibly();
        String text = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(ended).as(text).isTrue();
        assertThat(process.waitFor()).as(text).isZero();
        return text;
    }

    private static String plain() throws IOException {
        return "http://localhost:" + server.httpPort();
    }

    private static String secure() throws IOException {
        return "https://localhost:" + server.httpsPort();
    }

    @ParameterizedTest
    @CsvSource({
        "http, --http1.0, 1",
        "http, --http1.1, 1.1",
        "http, --http2, 2",
        "http, --http2-prior-knowledge, 2",
        "https, --http1.0, 1",
        "https, --http1.1, 1.1",
        "https, --http2, 2",
        "https, --tlsv1.3, 2"
    })
    void curl(String scheme, String version, String used) throws Exception {
        String url = (scheme.equals("http") ? plain() : secure()) + "/größe|x?a=1|2&f={%22b%22:1}^`\\&q=100%25";
        String[] first = {"curl", "-sS", "-g", "-k", version, "-w", "version %{http_version}\\n"};
        List<String> get = new ArrayList<>(List.of(first));
        get.add(url);
        assertThat(run(get.toArray(String[]::new)))
                .contains("path: " + url.substring(url.indexOf("/g")) + "\n")
                .endsWith("version " + used + "\n");

        Path file = Files.writeString(folder.resolve("upload"), "x".repeat(300_000));
        List<String> post = new ArrayList<>(List.of(first));
        post.addAll(List.of("--data-binary", "@" + file, url));
        assertThat(run(post.toArray(String[]::new))).contains("method: POST\n", "body: 300000 bytes");
    }

    @ParameterizedTest
    @CsvSource({"http, --h1", "http, --npn-list=h2c", "https, --h1", "https, --npn-list=h2"})
    void h2load(String scheme, String option) throws Exception {
        String url = scheme.equals("http") ? plain() : secure();
        assertThat(run("h2load", "-n", "2000", "-c", "8", "-m", "16", option, url + "/"))
                .contains("2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout");
    }

    @Test
    void pythonsH2() throws Exception {
        assertThat(run(PYTHON, "h2_client.py", "" + server.httpPort(), "" + server.httpsPort()))
                .isEqualTo("ok\n");
    }

    @Test
    void pythonsWebsockets() throws Exception {
        assertThat(run(PYTHON, "websockets_client.py", socket(plain()), socket(secure())))
                .isEqualTo("ok\n");
    }

    private static String socket(String url) {
        return url.replaceFirst("http", "ws") + "/socket";
    }

    @Test
    void nodesWs() throws Exception {
        assertThat(run("node", "ws.mjs", socket(plain()), socket(secure()))).isEqualTo("ok\n");
    }

    @Test
    void nodesUndici() throws Exception {
        assertThat(run("node", "undici.mjs", secure())).isEqualTo("ok\n");
    }

    @Test
    void grpcJs() throws Exception {
        assertThat(run(
                        "node",
                        "grpc-client.mjs",
                        "localhost:" + server.httpsPort(),
                        folder.resolve("ca.pem").toString()))
                .isEqualTo("ok\n");
    }

    private static HttpClient javaClient(HttpClient.Version version) {
        return HttpClient.newBuilder()
                .version(version)
                .sslContext(TrustAll.context())
                .build();
    }

    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void javasHttpClient(HttpClient.Version version) throws Exception {
        for (String base : List.of(plain(), secure())) {
            HttpClient client = javaClient(version);
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + "/java?q=1"));
            HttpResponse<String> got = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            assertThat(got.version()).isEqualTo(version);
            assertThat(got.body()).contains("path: /java?q=1\n");

            HttpRequest post = request.POST(HttpRequest.BodyPublishers.ofString("x".repeat(300_000)))
                    .expectContinue(version == HttpClient.Version.HTTP_1_1)
                    .build();
            List<String> bodies = IntStream.range(0, 20)
                    .mapToObj(i -> client.sendAsync(post, HttpResponse.BodyHandlers.ofString()))
                    .collect(Collectors.toList())
                    .stream()
                    .map(answer -> answer.join().body())
                    .toList();
            assertThat(bodies).allMatch(body -> body.contains("body: 300000 bytes"));
        }
    }

    @Test
    void javasWebSocket() throws Exception {
        for (String base : List.of(plain(), secure())) {
            BlockingQueue<String> heard = new LinkedBlockingQueue<>();
            WebSocket socket = javaClient(HttpClient.Version.HTTP_1_1)
                    .newWebSocketBuilder()
                    .buildAsync(URI.create(socket(base)), new WebSocket.Listener() {
                        @Override
                        public CompletionStage<?> onText(WebSocket from, CharSequence text, boolean last) {
                            heard.add(text.toString());
                            from.request(1);
                            return null;
                        }
                    })
                    .join();
            socket.sendText("größe €", true).join();
            assertThat(heard.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo("größe €");
            socket.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
        }
    }
}
