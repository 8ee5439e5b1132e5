package io.millau.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** {@code docs/reference/metrics.md} lists exactly the metrics of the page. */
class MetricsDocumentTest {

    private static final Path DOCUMENT = Path.of("../docs/reference/metrics.md");
    private static final Pattern HELP = Pattern.compile("# HELP (\\S+) (.*)");
    private static final Pattern TYPE = Pattern.compile("# TYPE (\\S+) (\\S+)");
    private static final Pattern SAMPLE = Pattern.compile("([a-z_]+)(?:\\{(.*)})? \\S+");
    private static final Pattern LABEL = Pattern.compile("([a-z]+)=\"(?:[^\"\\\\]|\\\\.)*\"");

    @Test
    void theTableListsMillausMetrics() throws IOException {
        assertThat(rows("millau_"))
                .containsExactlyElementsOf(Arrays.stream(Metric.values())
                        .map(metric -> row(
                                metric.id,
                                metric.type.toString(),
                                metric.labels.stream()
                                        .map(label -> "`" + label + "`")
                                        .collect(Collectors.joining(", ")),
                                metric.help))
                        .toList());
    }

    @Test
    void labelsAreInAlphabeticalOrder() {
        assertThat(Metric.values())
                .allSatisfy(metric -> assertThat(metric.labels).isSorted());
    }

    @Test
    void theTableListsTheMetricsOfTheProcessAndTheJvm() throws IOException {
        System.gc(); // some memory series exist only after a collection
        assertThat(rows("process_", "jvm_")).containsExactlyElementsOf(rowsOfPage(new PrometheusMetrics().page()));
    }

    private static List<String> rowsOfPage(String page) {
        Map<String, String> help = new LinkedHashMap<>();
        Map<String, String> types = new LinkedHashMap<>();
        Map<String, TreeSet<String>> labels = new LinkedHashMap<>();
        String family = "";
        for (String line : page.split("\n")) {
            MatchResult matched;
            if ((matched = match(HELP, line)) != null) {
                family = matched.group(1);
                help.put(family, matched.group(2));
            } else if ((matched = match(TYPE, line)) != null) {
                types.put(family, matched.group(2));
            } else if ((matched = match(SAMPLE, line)) != null && matched.group(2) != null) {
                TreeSet<String> seen = labels.computeIfAbsent(family, name -> new TreeSet<>());
                LABEL.matcher(matched.group(2)).results().forEach(label -> seen.add("`" + label.group(1) + "`"));
            }
        }
        List<String> rows = new ArrayList<>();
        help.keySet().stream()
                .filter(name -> !name.startsWith("millau_"))
                .forEach(name -> rows.add(row(
                        name,
                        types.get(name),
                        name.equals("jvm_memory_pool_allocated_bytes_total")
                                ? "`pool`"
                                : String.join(", ", labels.getOrDefault(name, new TreeSet<>())),
                        help.get(name))));
        return rows;
    }

    private static MatchResult match(Pattern pattern, String line) {
        return pattern.matcher(line)
                .results()
                .filter(result -> result.start() == 0 && result.end() == line.length())
                .findFirst()
                .orElse(null);
    }

    private static String row(String name, String type, String labels, String meaning) {
        return "| `" + name + "` | " + type + " | " + labels + (labels.isEmpty() ? "" : " ") + "| " + meaning + " |";
    }

    private static List<String> rows(String... beginnings) throws IOException {
        return Files.readAllLines(DOCUMENT).stream()
                .filter(line -> Arrays.stream(beginnings).anyMatch(beginning -> line.startsWith("| `" + beginning)))
                .toList();
    }
}
