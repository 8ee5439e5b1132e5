package io.millau.examples.browser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * Chromium without a window, by chromedriver (W3C WebDriver, and Chrome's own protocol for what that has no words for). For one
 * thread.
 */
public final class Browser implements AutoCloseable {

    static final String DRIVER = "chromedriver";

    private static final int MOST_STARTS = 10;
    private static final int MOST_LOADS = 10;
    private static final String NETWORK_CHANGED = "ERR_NETWORK_CHANGED";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Pattern PORT = Pattern.compile("on port (\\d+)");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient client = HttpClient.newHttpClient();
    private final Path output;
    private final Process driver;
    private final String session;
    private final List<String> requests = new ArrayList<>();

    /** Starts one with a profile of its own; what the driver says goes to a file in the folder. */
    public Browser(Path folder) throws IOException, InterruptedException {
        output = folder.resolve("chromedriver.log");
        Started started = startDriver();
        driver = started.driver;
        try {
            List<String> arguments = List.of(
                    "--headless=new",
                    "--no-sandbox",
                    "--disable-dev-shm-usage",
                    "--hide-scrollbars",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--user-data-dir=" + folder.resolve("profile"));
            String base = "http://127.0.0.1:" + started.port + "/session";
            JsonNode opened = send(
                    "POST",
                    base,
                    Map.of(
                            "capabilities",
                            Map.of(
                                    "alwaysMatch",
                                    Map.of(
                                            "browserName",
                                            "chrome",
                                            "acceptInsecureCerts",
                                            true,
                                            "goog:loggingPrefs",
                                            Map.of("browser", "ALL", "performance", "ALL"),
                                            "goog:chromeOptions",
                                            Map.of("args", arguments)))));
            session = base + "/" + opened.path("sessionId").asText();
        } catch (IOException | RuntimeException | InterruptedException | Error e) {
            end();
            throw e;
        }
    }

    private record Started(Process driver, int port) {}

    /** It takes a free port of IPv6, and ends if that one is not free in IPv4, too; then another one is tried. */
    private Started startDriver() throws IOException {
        for (int i = 0; i < MOST_STARTS; i++) {
            Process started = new ProcessBuilder(DRIVER, "--port=0")
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            await(DRIVER).atMost(PATIENCE).until(() -> portOf(output) > 0 || !started.isAlive());
            if (started.isAlive()) {
                return new Started(started, portOf(output));
            }
        }
        throw new AssertionError(DRIVER + " ended: " + Files.readString(output));
    }

    /** The port that the driver says it is on; 0 before it says one. */
    private static int portOf(Path output) throws IOException {
        return PORT.matcher(Files.readString(output))
                .results()
                .mapToInt(result -> Integer.parseInt(result.group(1)))
                .reduce(0, (before, last) -> last);
    }

    private JsonNode send(String method, String url, Map<String, ?> body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
                .timeout(PATIENCE)
                .header("Content-Type", "application/json")
                .method(
                        method,
                        method.equals("DELETE")
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body)))
                .build();
        HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
        JsonNode value = JSON.readTree(answer.body()).path("value");
        assertThat(answer.statusCode()).as("%s %s: %s", method, url, value).isEqualTo(200);
        return value;
    }

    private JsonNode command(String command, Map<String, ?> body) throws IOException, InterruptedException {
        return send("POST", session + command, body);
    }

    private JsonNode chrome(String command, Map<String, ?> parameters) throws IOException, InterruptedException {
        return command("/goog/cdp/execute", Map.of("cmd", command, "params", parameters));
    }

    /**
     * Loads a page; returns when it has. Chromium gives up what it loads when a network of the machine comes or goes, as they do while
     * other tests use Docker: then it is loaded again.
     */
    public void open(String url) throws IOException, InterruptedException {
        for (int i = 0; i < MOST_LOADS; i++) {
            if (load(url)) {
                return;
            }
        }
        throw new AssertionError(url + " was not loaded: " + NETWORK_CHANGED + ", " + MOST_LOADS + " times");
    }

    private boolean load(String url) throws IOException, InterruptedException {
        try {
            command("/url", Map.of("url", url));
        } catch (AssertionError e) {
            if (String.valueOf(e.getMessage()).contains(NETWORK_CHANGED)) {
                return false;
            }
            throw e;
        }
        return !run("return document.documentElement.innerText").asText().contains(NETWORK_CHANGED);
    }

    /** Runs the body of a function in the page; what it returns. */
    public JsonNode run(String script, Object... arguments) throws IOException, InterruptedException {
        return command("/execute/sync", Map.of("script", script, "args", List.of(arguments)));
    }

    /** Whether a function's body returns true, within a minute. */
    public void awaitTrue(String script, Object... arguments) {
        await(script)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> run(script, arguments).asBoolean());
    }

    /** What the page's console said since it was asked last: errors, warnings and all else, but for networks that came or went. */
    public List<String> console() throws IOException, InterruptedException {
        return entries("browser").stream()
                .filter(entry -> !entry.contains(NETWORK_CHANGED))
                .toList();
    }

    private List<String> entries(String log) throws IOException, InterruptedException {
        List<String> entries = new ArrayList<>();
        command("/se/log", Map.of("type", log))
                .forEach(entry -> entries.add(entry.path("message").asText()));
        return entries;
    }

    /** The URLs that were asked for so far. */
    public List<String> requests() throws IOException, InterruptedException {
        for (String entry : entries("performance")) {
            JsonNode message = JSON.readTree(entry).path("message");
            if (message.path("method").asText().equals("Network.requestWillBeSent")) {
                requests.add(message.path("params").path("request").path("url").asText());
            }
        }
        return List.copyOf(requests);
    }

    /** Requests for these URLs, with {@code *} for anything, fail from now on. */
    public void block(String... urls) throws IOException, InterruptedException {
        chrome("Network.enable", Map.of());
        chrome("Network.setBlockedURLs", Map.of("urls", List.of(urls)));
    }

    /** What the operating system says of the user's taste. */
    public void prefer(String colorScheme) throws IOException, InterruptedException {
        chrome(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", colorScheme))));
    }

    /** The size of its window, in CSS pixels; a phone's has no scroll bars and fits pages to its width. */
    public void resize(int width, int height, boolean phone) throws IOException, InterruptedException {
        chrome(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", phone));
    }

    /** Takes a picture of the whole page. */
    public void screenshot(Path file) throws IOException, InterruptedException {
        JsonNode picture = chrome("Page.captureScreenshot", Map.of("captureBeyondViewport", true));
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.write(file, Base64.getDecoder().decode(picture.path("data").asText()));
    }

    @Override
    public void close() throws IOException {
        try {
            send("DELETE", session, Map.of());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            end();
        }
    }

    private void end() {
        List<ProcessHandle> all = driver.descendants().toList();
        driver.destroy();
        all.forEach(ProcessHandle::destroyForcibly);
        all.forEach(each -> each.onExit().orTimeout(10, TimeUnit.SECONDS).join());
    }
}
