package io.millau.examples.documents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.testing.FreePorts;
import io.millau.core.testing.RequiresCommands;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The maintenance page of nginx responds with 503, as the page about maintenance says. */
@RequiresCommands("nginx")
class NginxTest {

    static final String PAGE = "docs/how-to/maintenance.md";

    @TempDir
    Path folder;

    @Test
    void theMaintenancePageIsA503() throws Exception {
        int port = FreePorts.next();
        Path root = Files.createDirectory(folder.resolve("html"));
        Files.writeString(root.resolve("maintenance.html"), "Back soon\n");
        List<Document.Block> blocks = Document.of(Document.ROOT.resolve(PAGE)).blocks().stream()
                .filter(block -> block.kind().equals("nginx"))
                .toList();
        String server = blocks.get(0)
                .text()
                .replace("listen 80;", "listen 127.0.0.1:" + port + ";")
                .replace("/usr/share/nginx/html", root.toString());
        Path configuration = Files.writeString(
                folder.resolve("nginx.conf"),
                "daemon off;\nmaster_process off;\npid " + folder.resolve("pid")
                        + ";\nevents {}\nhttp {\naccess_log off;\n" + server + "}\n");
        Process nginx = new ProcessBuilder(
                        "nginx",
                        "-p",
                        folder.toString(),
                        "-e",
                        folder.resolve("error.log").toString(),
                        "-c",
                        configuration.toString())
                .inheritIO()
                .start();
        try {
            await("nginx")
                    .atMost(Duration.ofSeconds(30))
                    .ignoreException(IOException.class)
                    .until(() -> get(port) != null);
            HttpResponse<String> response = get(port);

            assertThat(response.statusCode()).isEqualTo(503);
            assertThat(response.headers().firstValue("Retry-After")).contains("300");
            assertThat(response.body()).isEqualTo("Back soon\n");
        } finally {
            nginx.destroy();
            nginx.waitFor();
        }
    }

    private static HttpResponse<String> get(int port) throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/shop"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }
}
