package io.millau.examples.monitoring;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;

/** Debian's Prometheus, in a process and a folder of its own. For one thread. */
final class Prometheus implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient client = HttpClient.newHttpClient();
    private final int port;
    private final Path output;
    private final Process process;

    /** Runs until it is closed; returns when it answers. */
    Prometheus(Path folder, Path configuration, int port) throws IOException {
        this.port = port;
        this.output = folder.resolve("prometheus.log");
        this.process = new ProcessBuilder(
                        "prometheus",
                        "--config.file=" + configuration,
                        "--storage.tsdb.path=" + folder.resolve("data"),
                        "--web.listen-address=127.0.0.1:" + port)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            Awaitility.await().atMost(Duration.ofSeconds(120)).until(this::answers);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private boolean answers() throws Exception {
        if (!process.isAlive()) {
            throw new AssertionError("prometheus ended: " + Files.readString(output));
        }
        try {
            return send("/-/ready").statusCode() == 200;
        } catch (IOException e) {
            return false;
        }
    }

    /** The value of an expression now: a list of samples, each with its labels ({@code metric}) and its {@code value}. */
    JsonNode query(String expression) throws IOException, InterruptedException {
        JsonNode answer = get("/api/v1/query?query=" + encoded(expression));
        return answer.at("/data/result");
    }

    /** The values of a label of a metric. */
    JsonNode labelValues(String metric, String label) throws IOException, InterruptedException {
        return get("/api/v1/label/" + label + "/values?match[]=" + encoded(metric))
                .get("data");
    }

    private JsonNode get(String path) throws IOException, InterruptedException {
        HttpResponse<String> answer = send(path);
        if (answer.statusCode() != 200) {
            throw new AssertionError(path + ": " + answer.body());
        }
        return JSON.readTree(answer.body());
    }

    private HttpResponse<String> send(String path) throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + port + path.replace("[]", "%5B%5D"));
        return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join(); // or its folder could not be removed
    }
}
