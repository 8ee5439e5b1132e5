package io.millau.examples.monitoring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.testing.Authority;
import io.millau.core.testing.FreePorts;
import io.millau.core.testing.RequiresCommands;
import io.millau.core.testing.TrustAll;
import io.millau.docker.testing.Shell;
import io.millau.examples.echo.Echo;
import io.millau.metrics.PrometheusMetrics;
import io.millau.server.Millau;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The shipped configuration, alerts and dashboard on a real Prometheus that reads a real Millau under load, with every trouble
 * that they know: what they ask for is there.
 */
@RequiresCommands({"prometheus", "promtool"})
class MonitoringIT {

    private static final Duration PATIENCE = Duration.ofSeconds(180);

    /** What Grafana would put in. */
    private static final String RATE_INTERVAL = "10s";

    @TempDir
    private Path folder;

    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .sslContext(TrustAll.context())
            .build();

    private Path servicesFile;
    private Millau millau;

    @BeforeEach
    void startMillau() throws Exception {
        Echo echo = closing(new Echo("shop", 0, Duration.ZERO));
        Endpoint works = Endpoint.http(new InetSocketAddress(InetAddress.getLoopbackAddress(), echo.port()));
        Endpoint refuses = closing(ScriptedEndpoint.thatRefuses()).endpoint();
        Certificate expiresSoon = Authority.root("test")
                .order()
                .names("shop.example")
                .until(Instant.now().plus(Duration.ofDays(5)))
                .issue();
        servicesFile = folder.resolve("services.properties");
        Files.writeString(
                servicesFile, "filed.endpoints = " + works + "\nfiled.hosts = filed.example\nfiled.wieght = 3\n");
        Path certificates = Files.createDirectories(folder.resolve("certificates"));
        Files.writeString(certificates.resolve("other.example.crt"), "no certificate");
        PrometheusMetrics metrics = new PrometheusMetrics();
        millau = closing(Millau.builder()
                .http("127.0.0.1:0")
                .https("127.0.0.1:0")
                .telemetry("127.0.0.1:0")
                .certificates(CertificateSource.folder(certificates))
                .source(ServiceSource.of(
                        Service.named("shop")
                                .endpoints(works, refuses)
                                .retry(Duration.ofSeconds(1))
                                .certificate(expiresSoon)
                                .build(),
                        Service.named("broken")
                                .path("/broken")
                                .endpoints(refuses)
                                .build()))
                .source(ServiceSource.file(servicesFile))
                .listener(metrics)
                .metrics(metrics::page)
                .start());
    }

    @AfterEach
    void closeAll() throws Exception {
        while (!open.isEmpty()) {
            open.pop().close();
        }
    }

    @Test
    void promtoolHasNothingToSay() throws Exception {
        Path prometheus = Monitoring.FOLDER.resolve("prometheus.yml").toAbsolutePath();
        assertThat(Shell.run("promtool", "check", "config", prometheus.toString()))
                .contains("SUCCESS");
        assertThat(Shell.run(
                        "promtool",
                        "check",
                        "rules",
                        prometheus.resolveSibling("alerts.yml").toString()))
                .contains("SUCCESS");
    }

    @Test
    void everyExpressionHasDataAndEveryAlertFires() throws Exception {
        load();
        Files.delete(servicesFile);
        Prometheus prometheus = closing(new Prometheus(folder, configuration(), FreePorts.next()));

        List<Monitoring.Expression> expressions = Monitoring.expressions();
        assertThat(expressions).hasSizeGreaterThan(50);
        awaitData(prometheus, expressions);
        awaitData(prometheus, Monitoring.originalExpressions());

        List<String> alerts = Monitoring.alerts();
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(prometheus
                                .query("ALERTS{alertstate=\"firing\"}")
                                .findValuesAsText("alertname"))
                        .containsAll(alerts));
        List<String> variables = Monitoring.variables();
        for (String variable : variables) {
            Matcher asked = Pattern.compile("label_values\\((\\w+), (\\w+)\\)").matcher(variable);
            assertThat(asked.matches()).as(variable).isTrue();
            assertThat(prometheus.labelValues(asked.group(1), asked.group(2)))
                    .as(variable)
                    .isNotEmpty();
        }
        assertThatEdgesJoinNodes(prometheus);
        System.out.printf(
                "Dashboard on Prometheus: %d expressions and %d variables have data, %d alerts fire%n",
                expressions.size(), variables.size(), alerts.size());
    }

    private static void awaitData(Prometheus prometheus, List<Monitoring.Expression> expressions) {
        List<Monitoring.Expression> missing = new ArrayList<>(expressions);
        await().atMost(PATIENCE).untilAsserted(() -> {
            for (Monitoring.Expression expression : List.copyOf(missing)) {
                if (hasData(prometheus.query(filledIn(expression.text())), expression.text())) {
                    missing.remove(expression);
                }
            }
            assertThat(missing).isEmpty();
        });
    }

    /** Whether there is a number; where nothing wrong is shown as 0, more than that, since all is wrong here. */
    private static boolean hasData(JsonNode samples, String expression) {
        for (JsonNode sample : samples) {
            double value = Double.parseDouble(
                    sample.at("/value/1").asText().replace("+Inf", "Infinity").replace("-Inf", "-Infinity"));
            if (!Double.isNaN(value) && (!expression.contains("or vector(0)") || value > 0)) {
                return true;
            }
        }
        return false;
    }

    private static String filledIn(String expression) {
        String filled = expression.replace("$__rate_interval", RATE_INTERVAL).replace("$service", ".*");
        assertThat(filled).doesNotContain("$");
        return filled;
    }

    /** As Grafana's node graph has to have it. */
    private static void assertThatEdgesJoinNodes(Prometheus prometheus) throws Exception {
        List<Monitoring.Expression> graph = Monitoring.expressions().stream()
                .filter(expression -> expression.shownBy().equals("Ports and services"))
                .toList();
        List<String> nodes = new ArrayList<>();
        for (JsonNode node : prometheus.query(filledIn(graph.get(0).text()))) {
            nodes.add(node.at("/metric/id").asText());
            assertThat(node.at("/metric/mainstat").asText()).isIn("up", "down");
            assertThat(node.at("/metric/title").asText()).isNotBlank();
        }
        assertThat(nodes).doesNotHaveDuplicates().contains("shop", "broken");
        for (JsonNode edge : prometheus.query(filledIn(graph.get(1).text()))) {
            assertThat(nodes)
                    .contains(
                            edge.at("/metric/source").asText(),
                            edge.at("/metric/target").asText());
            assertThat(edge.at("/metric/id").asText()).isNotBlank();
        }
    }

    /** The shipped one, but for who is asked, and how soon: half a minute stands for five. */
    private Path configuration() throws IOException {
        Files.writeString(
                folder.resolve("alerts.yml"),
                replaced(replaced(Monitoring.read("alerts.yml"), "for: \\d+m\n", "for: 0s\n"), "\\[5m]", "[10s]"));
        String configuration = Monitoring.read("prometheus.yml");
        configuration = replaced(configuration, "_interval: 15s\n", "_interval: 1s\n");
        configuration = replaced(
                configuration,
                "\"millau:9100\"",
                "\"127.0.0.1:" + millau.telemetryPort() + "\", \"127.0.0.1:" + FreePorts.next() + "\"");
        return Files.writeString(folder.resolve("prometheus.yml"), configuration);
    }

    private static String replaced(String text, String pattern, String by) {
        String replaced = text.replaceAll(pattern, by);
        assertThat(replaced).isNotEqualTo(text);
        return replaced;
    }

    private void load() {
        String http = "http://127.0.0.1:" + millau.port();
        String https = "https://127.0.0.1:" + millau.addresses().get(1).getPort();
        List<HttpRequest> round = List.of(
                get(http + "/"),
                get(http + "/?delay=20"),
                get(http + "/?status=302"),
                get(http + "/?status=404"),
                get(http + "/?status=500"),
                get(http + "/broken"),
                get(https + "/"),
                HttpRequest.newBuilder(URI.create(http + "/"))
                        .POST(HttpRequest.BodyPublishers.ofString("some text"))
                        .build());
        ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();
        open.push(thread::shutdownNow);
        thread.scheduleWithFixedDelay(() -> round.forEach(this::send), 0, 50, TimeUnit.MILLISECONDS);
    }

    private static HttpRequest get(String uri) {
        return HttpRequest.newBuilder(URI.create(uri)).build();
    }

    private void send(HttpRequest request) {
        try {
            client.send(request, HttpResponse.BodyHandlers.discarding());
        } catch (IOException e) {
            System.err.println(request.uri() + ": " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private <T extends AutoCloseable> T closing(T what) {
        open.push(what);
        return what;
    }
}
