package io.millau.examples.monitoring;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millau.core.testing.RequiresCommands;
import java.awt.Rectangle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** What can be said of the files in {@code monitoring} without running them. */
class MonitoringTest {

    private static final String METRIC = "\\b((?:millau|process|jvm)_[a-z_]*[a-z])\\b";

    @Test
    void everyMetricThatIsAskedForIsDocumentedAndEachOfMillausIsShown() throws IOException {
        Set<String> documented = new HashSet<>();
        for (String row : Files.readAllLines(Path.of("../docs/reference/metrics.md"))) {
            List<String> names = Monitoring.values(row, "^\\| `([a-z_]+)`");
            for (String name : names) {
                documented.add(name);
                if (row.contains("| histogram |") || row.contains("| summary |")) {
                    documented.addAll(List.of(name + "_bucket", name + "_sum", name + "_count"));
                }
            }
        }
        Set<String> shown = new HashSet<>();
        for (Monitoring.Expression expression : Monitoring.expressions()) {
            String text = expression
                    .text()
                    .replace(
                            "{__name__=~\"millau_lb_(successful|failed)_requests_total\"",
                            "millau_lb_successful_requests_total millau_lb_failed_requests_total");
            shown.addAll(Monitoring.values(text, METRIC));
        }
        assertThat(documented).containsAll(shown);
        assertThat(shown)
                .containsAll(documented.stream()
                        .filter(name -> name.startsWith("millau_") && !name.matches(".*_seconds(_sum|_count)?"))
                        .toList());

        String alerts = Monitoring.read("alerts.yml").replaceAll("millau_lb_\\([^)]*\\)_requests_total", "");
        assertThat(documented).containsAll(Monitoring.values(alerts, METRIC));
    }

    @Test
    void everyPanelSaysWhatItShowsAndNoneLiesOnAnother() throws IOException {
        Set<Integer> ids = new HashSet<>();
        List<Rectangle> places = new ArrayList<>();
        for (JsonNode panel : Monitoring.dashboard().get("panels")) {
            String title = panel.get("title").asText();
            assertThat(title).isNotBlank();
            assertThat(ids.add(panel.get("id").asInt())).as(title).isTrue();
            JsonNode at = panel.get("gridPos");
            Rectangle place = new Rectangle(
                    at.get("x").asInt(),
                    at.get("y").asInt(),
                    at.get("w").asInt(),
                    at.get("h").asInt());
            assertThat(places).as(title).noneMatch(place::intersects);
            assertThat(place.getMaxX()).as(title).isLessThanOrEqualTo(24);
            places.add(place);
            if (!panel.get("type").asText().equals("row")) {
                assertThat(panel.get("description").asText()).as(title).endsWith(".");
                assertThat(panel.get("targets")).as(title).isNotEmpty();
                assertThat(panel.at("/datasource/uid").asText()).as(title).isEqualTo("${datasource}");
            }
        }
    }

    @Test
    void grafanaAsksAsOftenAsPrometheusLooks() throws IOException {
        String interval = Monitoring.values(Monitoring.read("prometheus.yml"), "scrape_interval: (\\S+)")
                .get(0);

        assertThat(Monitoring.read("grafana/provisioning/datasources/prometheus.yml"))
                .contains("timeInterval: " + interval + "\n");
    }

    @Test
    void everyFileThatComposeMountsIsThere() throws IOException {
        List<String> mounts = Monitoring.values(Monitoring.read("compose.yml"), "- (\\./[^:]+):/");

        assertThat(mounts)
                .hasSize(4)
                .allSatisfy(
                        mount -> assertThat(Monitoring.FOLDER.resolve(mount)).exists());
    }

    @Test
    void composeTakesItsFile() throws Exception {
        Assumptions.assumeTrue(
                RequiresCommands.Condition.isInstalled("docker-compose"), "docker-compose isn't installed");
        Process process = new ProcessBuilder("docker-compose", "--file", "compose.yml", "config", "--quiet")
                .directory(Monitoring.FOLDER.toFile())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(said).isZero();
    }
}
