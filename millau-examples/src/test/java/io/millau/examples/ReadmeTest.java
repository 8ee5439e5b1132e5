package io.millau.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.millau.core.Delivery;
import io.millau.core.Endpoint;
import io.millau.core.InMemoryServices;
import io.millau.core.LoadBalancer;
import io.millau.core.Outcome;
import io.millau.core.RetryPolicy;
import io.millau.core.Router;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.internal.ServiceLabels;
import io.millau.server.Millau;
import io.millau.testing.Routes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the README and the page about embedding show is what runs: their snippets stand in tested files, or are run here. */
class ReadmeTest {

    private static final Path ROOT = Path.of("..");

    @TempDir
    Path folder;

    @Test
    void everyYamlSnippetStandsInAFileThatATestDeploysOrReads() throws IOException {
        List<String> files = new ArrayList<>();
        for (String file : List.of("compose.yml", "compose-access.yml", "compose-hardened.yml", "compose-minio.yml")) {
            files.add(normal(read(ROOT.resolve("millau-examples").resolve(file))));
        }
        try (Stream<Path> stacks = Files.list(ROOT.resolve("millau-examples/stacks"))) {
            stacks.forEach(stack -> files.add(normal(read(stack))));
        }

        assertThat(snippets("yaml"))
                .isNotEmpty()
                .allSatisfy(snippet -> assertThat(files).anyMatch(file -> file.contains(normal(snippet))));
    }

    @Test
    void theServicesFileIsReadWithoutAProblem() throws Exception {
        Path file = folder.resolve("services.properties");
        Files.writeString(file, snippets("properties").get(0));
        CompletableFuture<Snapshot> delivered = new CompletableFuture<>();
        ServiceSource.Subscription reading = ServiceSource.file(file).subscribe(delivered::complete);
        Snapshot snapshot = delivered.get(60, TimeUnit.SECONDS);
        reading.close();

        assertThat(snapshot.problems()).isEmpty();
        assertThat(snapshot.services()).singleElement().satisfies(service -> {
            assertThat(service.name()).isEqualTo("orders");
            assertThat(service.endpoints()).hasSize(2);
        });
    }

    @Test
    void everyLabelOfTheTableIsKnown() throws IOException {
        List<String> labels = Pattern.compile("(?m)^\\| `(millau\\.[a-zA-Z.-]+)` \\|")
                .matcher(readme())
                .results()
                .map(result -> result.group(1))
                .toList();

        assertThat(labels)
                .hasSizeGreaterThan(5)
                .allSatisfy(label -> assertThat(ServiceLabels.read(Map.of(label, "?"), List.of())
                                .problems())
                        .noneMatch(problem -> problem.contains("unknown")));
    }

    @Test
    void theExampleOfAMistakeIsWhatIsSaid() throws IOException {
        String message = ServiceLabels.read(
                        Map.of("millau.enabled", "true", "millau.port", "80", "millau.prot", "80"), List.of())
                .problems()
                .get(0);

        assertThat(readme()).contains("shop: " + message);
    }

    @Test
    void theExampleOfAnExplanationIsWhatIsSaid() throws Exception {
        AtomicLong now = new AtomicLong();
        Router router = new Router(RetryPolicy.standard(), LoadBalancer.roundRobin(), now::get);
        Service.Builder orders = Service.named("orders").hosts("shop.example").path("/orders/");
        InetAddress good = InetAddress.getByName("10.0.1.7");
        InetAddress bad = InetAddress.getByName("10.0.1.8");
        router.replace(List.of(
                orders.endpoints(Endpoint.http("1", good, 8080), Endpoint.http("2", bad, 8080))
                        .build(),
                Service.named("web")
                        .hosts("shop.example")
                        .endpoints(Endpoint.http("3", good, 80))
                        .build(),
                Service.named("blog")
                        .hosts("blog.example")
                        .endpoints(Endpoint.http("4", good, 80))
                        .build(),
                Service.named("red")
                        .hosts("shop.example")
                        .path("/orders/")
                        .enabled(false)
                        .build()));
        for (int i = 0; i < 2; i++) {
            Delivery delivery = Objects.requireNonNull(router.open("shop.example", "/orders/7", "GET"));
            boolean isBad = Objects.requireNonNull(delivery.next()).address().equals(bad);
            delivery.report(isBad ? Outcome.UNREACHABLE : Outcome.DELIVERED, "Connection refused");
            delivery.close();
        }

        now.set(TimeUnit.SECONDS.toNanos(12));

        assertThat(readme()).contains("goes to orders\n" + router.explain("shop.example", "/orders/7") + "\n");
    }

    @Test
    void theEmbeddingSnippetRuns() throws Exception {
        HttpServer application = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        application.createContext("/", exchange -> {
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        application.start();
        Endpoint endpoint = Endpoint.http(application.getAddress());

        // README: the same lines stand there
        InMemoryServices services = ServiceSource.of(
                Service.named("app").hosts("127.0.0.1").endpoints(endpoint).build());
        try (Millau millau =
                Millau.builder().http("127.0.0.1:0").source(services).start()) {
            URI uri = URI.create("http://127.0.0.1:" + millau.port() + "/");
            // README: up to here
            assertThat(status(uri)).isEqualTo(204);
            services.replace();
            assertThat(status(uri)).isEqualTo(502);
        } finally {
            application.stop(0);
        }

        String source = Files.readString(Path.of("src/test/java/io/millau/examples/ReadmeTest.java"));
        String shown =
                source.substring(source.indexOf("// README: the same lines"), source.indexOf("// README: up to"));
        String snippet = snippets("java").get(1);
        assertThat(tokens(shown)).contains(tokens(snippet.substring(0, snippet.indexOf("    // ..."))));
    }

    @Test
    void theGatewaySnippetStandsInTheGateway() throws IOException {
        assertSnippetStandsIn("src/main/java/io/millau/examples/CustomGateway.java", 0);
    }

    @Test
    void everyJavaSnippetAboutEmbeddingStandsInAFileThatATestRuns() throws IOException {
        List<String> files = new ArrayList<>();
        try (Stream<Path> sources = Files.walk(Path.of("src"))) {
            sources.filter(file -> file.toString().endsWith(".java")).forEach(file -> files.add(tokens(read(file))));
        }

        assertThat(snippets("java", read(ROOT.resolve("docs/start/embedding.md"))))
                .hasSizeGreaterThan(5)
                .allSatisfy(snippet -> assertThat(files).anyMatch(file -> file.contains(tokens(snippet))));
    }

    @Test
    void theTestingSnippetIsATestThatRuns() throws IOException {
        assertSnippetStandsIn("src/test/java/io/millau/examples/OrdersTest.java", 2);
    }

    @Test
    void theAssertionAboutAComposeFileHolds() throws IOException {
        Routes.of(Path.of("compose.yml")).sends("http://localhost/").to("blue", "green");

        assertThat(readme())
                .contains("Routes.of(Path.of(\"compose.yml\")).sends(\"http://localhost/\").to(\"blue\", \"green\");");
    }

    private static void assertSnippetStandsIn(String file, int number) throws IOException {
        assertThat(tokens(Files.readString(Path.of(file))))
                .contains(tokens(snippets("java").get(number)));
    }

    private static int status(URI uri) throws Exception {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    /** Java without its layout, which the formatter decides here and the page's width there. */
    private static String tokens(String java) {
        return java.replaceAll("\\s+", "");
    }

    private static List<String> snippets(String language) throws IOException {
        return snippets(language, readme());
    }

    private static List<String> snippets(String language, String page) {
        return Pattern.compile("(?s)```" + language + "\n(.*?)```")
                .matcher(page)
                .results()
                .map((MatchResult result) -> result.group(1))
                .toList();
    }

    private static String readme() throws IOException {
        return Files.readString(ROOT.resolve("README.md"));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String normal(String yaml) {
        return yaml.replaceAll("(?m)\\s+$", "").strip();
    }
}
