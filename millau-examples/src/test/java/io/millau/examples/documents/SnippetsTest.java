package io.millau.examples.documents;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.internal.ServiceLabels;
import io.millau.server.internal.compose.ComposeFile;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/**
 * The blocks of code in README and docs, each by its kind. {@code console}, and what {@code sh} does before it, is run by {@link
 * CommandsTest}; the configurations of HAProxy and nginx in {@code docs/how-to/behind-a-proxy.md} are run by {@code ProxiesInFrontIT}.
 */
class SnippetsTest {

    private static final Set<String> KINDS =
            Set.of("console", "haproxy", "java", "log", "mermaid", "nginx", "properties", "sh", "xml", "yaml");

    private static final Path EXAMPLES = Document.ROOT.resolve("millau-examples");
    private static final Pattern EVENT = Pattern.compile("(?:FATAL|ERROR|WARN|INFO|DEBUG) \\w+ - ([^={]+?) [a-z]+=.*");
    private static final Pattern COMBINED = Pattern.compile(
            "\\S+ - - \\[.+\\] \"[^\"]+\" \\d{3} \\d+ \"-\" \"[^\"]+\" (\"[^\"]+\" ){3}\\d+ \\d+ \\d+ms \\d+ms \\S+ \\w{32}");
    private static final Pattern LABEL = Pattern.compile("`(millau\\.[a-zA-Z.-]+)(?:=[^`]*)?`");

    @TempDir
    Path folder;

    @Test
    void everyBlockIsOfAKindThatIsChecked() {
        assertThat(Document.all().stream().flatMap(page -> page.blocks().stream()))
                .hasSizeGreaterThan(60)
                .allSatisfy(
                        block -> assertThat(block.kind()).as(block.toString()).isIn(KINDS));
    }

    static Stream<Path> examples() {
        try (Stream<Path> files = Stream.of(EXAMPLES, EXAMPLES.resolve("stacks"))
                .flatMap(SnippetsTest::list)
                .filter(file -> file.toString().endsWith(".yml"))
                .sorted()) {
            return Stream.concat(files.toList().stream(), Stream.of(EXAMPLES.resolve("monitoring/compose.yml")));
        }
    }

    private static Stream<Path> list(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void yamlStandsInAnExample() {
        List<String> files = new ArrayList<>(examples().map(Document::read).toList());
        files.add(Document.read(EXAMPLES.resolve("monitoring/prometheus.yml")));
        files.add(Document.read(EXAMPLES.resolve("monitoring/prometheus-swarm.yml")));
        List<String> texts = files.stream().map(SnippetsTest::normal).toList();

        assertThat(Document.blocks("yaml")).hasSizeGreaterThan(20);
        assertThat(Document.blocks("yaml"))
                .filteredOn(block -> texts.stream().noneMatch(file -> file.contains(normal(block.text()))))
                .as("lines that no file in millau-examples has")
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("examples")
    void theLabelsOfAnExampleHaveNoMistake(Path file) throws Exception {
        ComposeFile compose = ComposeFile.check(file.toString(), Document.read(file), StandIn.VARIABLES::get);

        assertThat(compose.findings().lines(file.toString()))
                .as(file.toString())
                .noneMatch(line -> line.contains("millau."));
        assertThat(compose.findings().problems()).isZero();
    }

    @Test
    void propertiesAreReadWithoutAProblem() throws Exception {
        for (Document.Block block : Document.blocks("properties")) {
            Path file = Files.writeString(folder.resolve("services.properties"), block.text());
            CompletableFuture<Snapshot> delivered = new CompletableFuture<>();
            ServiceSource.Subscription reading = ServiceSource.file(file).subscribe(delivered::complete);
            Snapshot snapshot = delivered.get(60, TimeUnit.SECONDS);
            reading.close();

            assertThat(snapshot.problems()).as(block.toString()).isEmpty();
            assertThat(snapshot.services())
                    .as(block.toString())
                    .isNotEmpty()
                    .allSatisfy(service -> assertThat(service.endpoints()).isNotEmpty());
        }
    }

    @Test
    void javaStandsInAFileThatATestRuns() throws IOException {
        List<String> files = new ArrayList<>();
        for (String sources : List.of("millau-examples/src", "millau-opentelemetry/src/test")) {
            try (Stream<Path> all = Files.walk(Document.ROOT.resolve(sources))) {
                all.filter(file -> file.toString().endsWith(".java"))
                        .forEach(file -> files.add(tokens(Document.read(file))));
            }
        }

        assertThat(Document.blocks("java")).hasSizeGreaterThan(15);
        assertThat(Document.blocks("java"))
                // The port of an example, where a test has a free one.
                .filteredOn(block -> files.stream()
                        .noneMatch(file -> file.contains(tokens(block.text()).replace("\":8080\"", "\"127.0.0.1:0\""))))
                .as("lines that no tested class has")
                .isEmpty();
    }

    @Test
    void xmlNamesModulesThatExistInTheirVersion() throws Exception {
        String version = version();
        for (Document.Block block : Document.blocks("xml")) {
            NodeList ids = DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(new InputSource(new StringReader("<all>" + block.text() + "</all>")))
                    .getElementsByTagName("dependency");
            for (int i = 0; i < ids.getLength(); i++) {
                Element dependency = (Element) ids.item(i);
                if (text(dependency, "groupId").equals("io.millau")) {
                    assertThat(Document.ROOT.resolve(text(dependency, "artifactId")))
                            .as(block.toString())
                            .isDirectory();
                    assertThat(text(dependency, "version")).as(block.toString()).isIn("", version);
                }
            }
        }
    }

    private static String version() {
        Matcher version = Pattern.compile("<artifactId>millau</artifactId>\\s*<version>(.*?)</version>")
                .matcher(Document.read(Document.ROOT.resolve("pom.xml")));
        assertThat(version.find()).isTrue();
        return version.group(1);
    }

    private static String text(Element parent, String name) {
        NodeList found = parent.getElementsByTagName(name);
        return found.getLength() == 0 ? "" : found.item(0).getTextContent();
    }

    @Test
    void linesOfTheLogAreWhatIsLogged() throws Exception {
        String sources;
        try (Stream<Path> all = Files.walk(Document.ROOT.resolve("millau-server/src/main/java"))) {
            sources = all.filter(file -> file.toString().endsWith(".java"))
                    .map(Document::read)
                    .collect(Collectors.joining());
        }
        String mistake = ServiceLabels.read(
                        Map.of("millau.enabled", "true", "millau.port", "80", "millau.prot", "80"), List.of())
                .problems()
                .get(0);

        for (Document.Block block : Document.blocks("log")) {
            block.text().lines().forEach(line -> {
                Matcher event = EVENT.matcher(line);
                if (line.startsWith("WARN Millau - shop: ")) {
                    assertThat(line).as(block.toString()).isEqualTo("WARN Millau - shop: " + mistake);
                } else if (event.matches()) {
                    assertThat(sources.contains("\"" + event.group(1) + " "))
                            .as("%s: is “%s” logged?", block, event.group(1))
                            .isTrue();
                } else {
                    assertThat(line).as(block.toString()).matches(COMBINED);
                }
            });
        }
    }

    @Test
    void nginxAndHaproxyAreRunOrReadElsewhere() {
        assertThat(Stream.concat(Document.blocks("nginx").stream(), Document.blocks("haproxy").stream())
                        .map(block -> Document.ROOT.relativize(block.file()).toString()))
                .containsOnly("docs/how-to/behind-a-proxy.md", NginxTest.PAGE);
    }

    @Test
    void everyLabelThatIsNamedIsKnown() {
        for (Document page : Document.all()) {
            if (page.file().endsWith("tracing.md")) {
                continue; // Those are attributes of OpenTelemetry: TracingDocumentTest knows them.
            }
            Set<String> labels = LABEL.matcher(page.withoutBlocks())
                    .results()
                    .map(label -> label.group(1))
                    .filter(label -> !label.matches("millau\\.(seed|docker|documents|deb|service|api.*)"))
                    .filter(label ->
                            !label.contains("ROUTE") && !label.contains("LABEL") && !label.equals("millau.prot"))
                    .collect(Collectors.toSet());

            assertThat(labels)
                    .as(page.toString())
                    .allSatisfy(label -> assertThat(ServiceLabels.read(Map.of(label, "?"), List.of())
                                    .problems())
                            .noneMatch(problem -> problem.contains("unknown")));
        }
    }

    /** Java without its layout, which the formatter decides here and the page's width there. */
    private static String tokens(String java) {
        return java.replaceAll("\\s+", "");
    }

    private static String normal(String yaml) {
        return yaml.replaceAll("(?m)\\s+$", "").replaceAll("^\\n+|\\n+$", "");
    }
}
