package io.millau.examples.documents;

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
import io.millau.server.Millau;
import io.millau.testing.Routes;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What README and docs say in words, figures and tables holds. After a new run of {@code bench/run},
 *
 * <pre>mvn -pl millau-examples -am test -Dtest=ReadmeTest -Dsurefire.failIfNoSpecifiedTests=false -Dmillau.documents=write</pre>
 *
 * writes the table of the README anew.
 */
class ReadmeTest {

    private static final Path README = Document.ROOT.resolve("README.md");
    private static final int MOST_LINES = 200;

    private static final String PERFORMANCE = "<!-- performance -->";
    private static final String END_OF_PERFORMANCE = "<!-- end of performance -->";

    @Test
    void theReadmeIsShortAndHasItsTwoCommands() {
        Document readme = Document.of(README);

        assertThat(readme.text().lines().count()).isLessThan(MOST_LINES);
        assertThat(readme.blocks().stream()
                        .filter(block -> block.kind().equals("sh"))
                        .limit(2)
                        .map(Document.Block::text))
                .containsExactly(
                        "mvn -q -DskipTests package && java -jar millau-server/target/millau-server.jar demo\n",
                        "mvn verify\n");
    }

    @Test
    void itsFiguresAreThoseOfTheLastRunOfTheBenchmark() throws IOException {
        String table = new Figures(Document.ROOT.resolve("bench/RESULTS.md")).table();
        String readme = Document.read(README);
        int start = readme.indexOf(PERFORMANCE) + PERFORMANCE.length() + 1;
        int end = readme.indexOf(END_OF_PERFORMANCE);

        if ("write".equals(System.getProperty("millau.documents"))) {
            Files.writeString(README, readme.substring(0, start) + table + readme.substring(end));
        } else {
            assertThat(readme.substring(start, end))
                    .as("write it anew: -Dtest=ReadmeTest -Dmillau.documents=write")
                    .isEqualTo(table);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "docs/concepts/requests.md, <!-- matching:hosts -->, true",
        "docs/concepts/requests.md, <!-- matching:paths -->, false",
        "README.md, | services have | requested host | goes to |, true",
        "README.md, | services have | requested path | goes to |, false",
    })
    void requestsGoWhereTheTableSays(String page, String marker, boolean byHost) {
        String text = Document.read(Document.ROOT.resolve(page));
        List<String[]> rows = text.substring(text.indexOf(marker) + marker.length())
                .lines()
                .skip(1)
                .takeWhile(line -> line.startsWith("|"))
                .filter(line -> line.contains("`"))
                .map(line -> line.split(" *\\| *"))
                .toList();

        assertThat(rows).hasSizeGreaterThan(3);
        for (String[] row : rows) {
            List<String> configured = code(row[1]);
            Router router = new Router(RetryPolicy.standard(), LoadBalancer.roundRobin(), () -> 0L);
            List<Service> services = new ArrayList<>();
            for (int i = 0; i < configured.size(); i++) {
                Service.Builder service = Service.named(configured.get(i) + " " + i)
                        .endpoints(Endpoint.http("e" + i, InetAddress.getLoopbackAddress(), 80));
                services.add((byHost ? service.hosts(configured.get(i)) : service.path(configured.get(i))).build());
            }
            router.replace(services);
            String requested = code(row[2]).get(0);
            List<String> chosen = (byHost ? router.explain(requested, "/") : router.explain("one.com", requested))
                    .chosen().stream()
                            .map(service -> service.name().replaceFirst(" .*", ""))
                            .toList();

            List<String> expected = new ArrayList<>(row[3].startsWith("none") ? List.of() : code(row[3]));
            if (row[3].startsWith("both ")) {
                expected.addAll(code(row[3]));
            }
            assertThat(chosen).as(String.join(" | ", row)).containsExactlyInAnyOrderElementsOf(expected);
        }
    }

    private static List<String> code(String cell) {
        return Pattern.compile("`([^`]+)`")
                .matcher(cell)
                .results()
                .map(found -> found.group(1))
                .toList();
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

        assertThat(Document.read(Document.ROOT.resolve("docs/reference/commands.md")))
                .contains("goes to orders\n" + router.explain("shop.example", "/orders/7") + "\n");
    }

    @Test
    void theSmallestProgramRuns() throws Exception {
        HttpServer application = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        application.createContext("/", exchange -> {
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        application.start();
        Endpoint endpoint = Endpoint.http(application.getAddress());

        // docs/start/embedding.md: the same lines stand there
        InMemoryServices services = ServiceSource.of(
                Service.named("app").hosts("127.0.0.1").endpoints(endpoint).build());
        try (Millau millau =
                Millau.builder().http("127.0.0.1:0").source(services).start()) {
            use(URI.create("http://127.0.0.1:" + millau.port() + "/"));
            // Routes change while it runs.
            services.replace(
                    Service.named("app").path("/api/").endpoints(endpoint).build());
            use(URI.create("http://127.0.0.1:" + millau.port() + "/api/"));
        } finally {
            application.stop(0);
        }
    }

    private static void use(URI uri) throws Exception {
        int status = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.discarding())
                .statusCode();
        assertThat(status).isEqualTo(204);
    }

    @Test
    void theAssertionAboutAComposeFileHolds() {
        Routes.of(Path.of("compose.yml")).sends("http://localhost/").to("blue", "green");

        assertThat(Document.read(Document.ROOT.resolve("docs/start/tests.md")))
                .contains("Routes.of(Path.of(\"compose.yml\")).sends(\"http://localhost/\").to(\"blue\", \"green\");");
    }

    /** The few figures of {@code bench/RESULTS.md} that the README shows. */
    private record Figures(Path results, List<String> lines) {

        private static final List<String> PROXIES = List.of("millau", "nginx", "haproxy", "caddy");

        Figures(Path results) {
            this(results, Document.read(results).lines().toList());
        }

        String table() {
            StringBuilder table = new StringBuilder("Performance, measured on ")
                    .append(fact("date"))
                    .append(" (")
                    .append(fact("machine"))
                    .append(", JDK ")
                    .append(fact("JDK"))
                    .append(
                            "), all on one machine, medians; the whole table, with what does not hold: [results](bench/RESULTS.md).\n\n")
                    .append("| | Millau | nginx ")
                    .append(fact("nginx"))
                    .append(" | HAProxy ")
                    .append(fact("haproxy").replaceFirst("-.*", ""))
                    .append(" | Caddy ")
                    .append(fact("caddy"))
                    .append(" |\n|---|---|---|---|---|\n");
            row(table, "GET of 250 bytes, CPU per request, µs", "## GET, 250 bytes", "CPU, µs");
            row(table, "the same, requests/s", "## GET, 250 bytes", "requests/s");
            row(table, "the same, p99, ms", "## GET, 250 bytes", "p99, ms");
            row(table, "GET of 10 MB, CPU per GB, ms", "## GET of 10 MB", "CPU, ms per GB");
            row(table, "POST of 5 MB, average, ms", "## One connection: POST of 5 MB", "average, ms");
            row(table, "HTTPS, HTTP/1.1, CPU per request, µs", "## HTTPS, HTTP/1.1", "CPU, µs");
            row(table, "HTTPS, HTTP/2, CPU per request, µs", "## HTTPS, HTTP/2", "CPU, µs");
            row(table, "memory with 5,000 idle connections, MB", "## Memory", "5 000 idle");
            return table.toString();
        }

        private String fact(String name) {
            return lines.stream()
                    .map(line -> line.split(" *\\| *"))
                    .filter(cells -> cells.length == 3 && cells[1].equals(name))
                    .map(cells -> cells[2])
                    .findFirst()
                    .orElseThrow(() -> new AssertionError(results + ": no " + name));
        }

        private void row(StringBuilder table, String name, String heading, String column) {
            List<String[]> rows = lines.stream()
                    .dropWhile(line -> !line.startsWith(heading))
                    .skip(1)
                    .takeWhile(line -> !line.startsWith("## "))
                    .filter(line -> line.startsWith("|"))
                    .map(line -> line.split(" *\\| *"))
                    .toList();
            assertThat(rows).as("%s: %s", results, heading).isNotEmpty();
            int index = Arrays.stream(rows.get(0))
                    .map(String::strip)
                    .toList()
                    .indexOf(Arrays.stream(rows.get(0))
                            .filter(cell -> cell.startsWith(column))
                            .findFirst()
                            .orElse(""));
            assertThat(index)
                    .as("%s: %s: %s in %s", results, heading, column, List.of(rows.get(0)))
                    .isPositive();
            table.append("| ").append(name).append(" |");
            for (String proxy : PROXIES) {
                String cell = rows.stream()
                        .filter(cells -> cells.length > 1 && cells[1].equals(proxy))
                        .map(cells -> cells[index])
                        .findFirst()
                        .orElseThrow(() -> new AssertionError(results + ": " + heading + ": no " + proxy));
                table.append(' ').append(cell.replaceFirst(" [(*].*", "")).append(" |");
            }
            table.append('\n');
        }
    }
}
