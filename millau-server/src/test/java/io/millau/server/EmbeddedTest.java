package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.testing.ScriptedEndpoint;
import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/** The proxy runs without the modules that only the standalone server needs. */
class EmbeddedTest {

    private static final String OPTIONAL =
            ".*(millau-(metrics|docker|acme)|jackson|httpc|acme4j|snakeyaml|conscrypt).*";

    /** Runs without them, and returns the response of each path of the telemetry port. */
    public static final class Run implements Callable<List<String>> {

        @Override
        public List<String> call() throws Exception {
            List<String> responses = new ArrayList<>();
            try (ScriptedEndpoint endpoint = ScriptedEndpoint.thatSays("ok");
                    Millau millau = Millau.builder()
                            .http("127.0.0.1:0")
                            .https("127.0.0.1:0")
                            .telemetry("127.0.0.1:0")
                            .source(ServiceSource.of(Service.named("app")
                                    .endpoints(endpoint.endpoint())
                                    .build()))
                            .start();
                    RawClient client = new RawClient(millau.port());
                    RawClient telemetry = new RawClient(millau.telemetryPort())) {
                responses.add(client.get("/").body());
                for (String path : new String[] {"/", "/ready", "/live", "/status", "/status.json", "/metrics"}) {
                    responses.add(path + " " + telemetry.get(path).status());
                }
            }
            return responses;
        }
    }

    @Test
    void withoutMetricsEverythingElseWorks() throws Exception {
        List<URL> urls = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!entry.matches(OPTIONAL)) {
                urls.add(Path.of(entry).toUri().toURL());
            }
        }
        try (URLClassLoader alone =
                new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            assertThatThrownBy(() -> alone.loadClass("io.millau.metrics.PrometheusMetrics"))
                    .isInstanceOf(ClassNotFoundException.class);
            Callable<?> run = (Callable<?>)
                    alone.loadClass(Run.class.getName()).getConstructor().newInstance();
            Object responses = run.call();

            assertThat(responses)
                    .isEqualTo(List.of(
                            "ok",
                            "/ 200",
                            "/ready 200",
                            "/live 200",
                            "/status 200",
                            "/status.json 200",
                            "/metrics 404"));
        }
    }
}
