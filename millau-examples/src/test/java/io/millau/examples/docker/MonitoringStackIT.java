package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.FreePorts;
import io.millau.core.testing.RequiresCommands;
import io.millau.docker.testing.Engine;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** {@code stacks/monitoring.yml} beside {@code stacks/quickstart.yml}, with this machine's Prometheus; an echo stands in for Grafana. */
@RequiresImages
@RequiresCommands("prometheus")
@ExtendWith(Stage.Provider.class)
class MonitoringStackIT {

    @TempDir
    private Path folder;

    @Test
    void prometheusReadsEachReplicaOfTheProxyAndGrafanaIsBehindIt(Stage stage) throws Exception {
        Engine engine = stage.engine();
        engine.hostImage(
                "prom/prometheus:v3.5.0",
                List.of("prometheus"),
                List.of("ENTRYPOINT [\"/bin/prometheus\", \"--config.file=/etc/prometheus/prometheus.yml\","
                        + " \"--storage.tsdb.path=/prometheus\"]"));
        engine.docker("tag", "millau-echo:latest", "grafana/grafana:11.6.0");
        Front prometheus = new Front(engine.address(), FreePorts.next());

        try (Stack quickstart = stage.deploy("quickstart.yml", "watched");
                Stack monitoring = stage.deployText(text(prometheus.port()), "monitoring")) {
            prometheus.await("localhost", query("up"), answer -> answer.body().contains("\"1\"]"));
            prometheus.await(
                    "localhost",
                    query("sum(millau_lb_status{service=\"watched_app\"})"),
                    answer -> answer.body().contains("\"1\"]"));
            quickstart
                    .front()
                    .await(
                            "grafana.localhost",
                            "/",
                            answer -> answer.instance()
                                    .equals(monitoring.instances("grafana").get(0)));

            assertThat(prometheus.get("localhost", query("up")).body())
                    .contains("\"instance\":\"10.", ":9100\"", "\"job\":\"millau\"");
            assertThat(prometheus.get("localhost", "/api/v1/rules").body()).contains("alerts.yml", "\"health\":\"ok\"");
        }
    }

    /** The stack's file with another network, files at other paths, Prometheus in more haste, and its port published. */
    private String text(int port) throws Exception {
        Path hasty = Files.writeString(
                folder.resolve("prometheus.yml"),
                Stage.read("monitoring/prometheus-swarm.yml").replace("15s", "1s"));
        return Stage.read("stacks/monitoring.yml")
                .replace("../monitoring/prometheus-swarm.yml", hasty.toString())
                .replace("../monitoring/", Path.of("monitoring").toAbsolutePath() + "/")
                .replace("quickstart_default", "watched_default")
                .replace("millau.port=3000", "millau.port=80")
                .replace(
                        "    image: prom/prometheus:v3.5.0\n",
                        "    image: prom/prometheus:v3.5.0\n    ports:\n      - target: 9090\n        published: "
                                + port + "\n        mode: host\n");
    }

    private static String query(String expression) {
        return "/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8);
    }
}
