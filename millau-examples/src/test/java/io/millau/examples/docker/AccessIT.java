package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.FreePorts;
import io.millau.docker.testing.Engine;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** {@code compose-access.yml}, run by {@code docker-compose}. */
@RequiresImages
@RequiresCompose
@ExtendWith(Stage.Provider.class)
class AccessIT {

    private final HttpClient client = HttpClient.newHttpClient();

    @TempDir
    private Path folder;

    private Compose compose;
    private Front front;
    private Front telemetry;

    @BeforeEach
    void up(Stage stage) throws Exception {
        Engine engine = stage.engine();
        front = new Front(engine.address(), FreePorts.next());
        telemetry = new Front(engine.address(), FreePorts.next());
        Files.writeString(
                folder.resolve("compose.yml"),
                Stage.read("compose-access.yml")
                        .replace(
                                "      - \"80:80\"\n",
                                "      - \"" + front.port() + ":80\"\n      - \"" + telemetry.port() + ":9100\"\n")
                        .replace("- /var/run/docker.sock:", "- " + Stage.socket(engine) + ":"));
        compose = new Compose(engine, "access", folder, Map.of());
        compose.run("up", "--detach");
        for (String path : new String[] {"/partners", "/admin", "/wiki", "/closed"}) {
            front.await("localhost", path, answer -> answer.status() != 502);
        }
        front.await("shop.example", "/shop", answer -> answer.status() == 200);
    }

    @AfterEach
    void down() throws Exception {
        compose.run("down", "--timeout=3");
    }

    private HttpResponse<String> get(String path, String... fields) throws IOException, InterruptedException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create("http://" + front.host() + ":" + front.port() + path));
        for (int i = 0; i < fields.length; i += 2) {
            request.header(fields[i], fields[i + 1]);
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    private static String login(String user) {
        return "Basic " + Base64.getEncoder().encodeToString(user.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void labelsSayWhoMayComeInAndWhatIsChanged() throws Exception {
        assertThat(get("/partners").statusCode()).isEqualTo(403);

        assertThat(get("/admin/x").statusCode()).isEqualTo(401);
        assertThat(get("/admin/x", "Authorization", login("alice:wrong")).statusCode())
                .isEqualTo(401);
        assertThat(get("/admin/x", "Authorization", login("alice:secret")).body())
                .contains("path: /x\n", "X-Forwarded-User: alice\n", "X-Forwarded-Prefix: /admin\n")
                .doesNotContain("Authorization");

        front.await("localhost", "/api", answer -> answer.status() == 429);

        HttpResponse<String> wiki = get("/wiki", "X-Instance", "forged");
        assertThat(wiki.statusCode()).isEqualTo(200);
        assertThat(wiki.body()).contains("header X-Instance: ").doesNotContain("forged");
        HttpResponse<String> closed = get("/closed");
        assertThat(closed.statusCode()).isEqualTo(403);
        assertThat(closed.body()).contains("name: ", "X-Forwarded-Uri: /closed\n");

        Answer nowhere =
                front.await("localhost", "/nowhere", answer -> answer.body().contains("name: "));
        assertThat(nowhere.status()).isEqualTo(502);
        assertThat(nowhere.fact("path")).isEqualTo("/errors/502.html");

        Answer elsewhere = front.get("www.shop.example", "/shop?a=b");
        assertThat(elsewhere.status()).isEqualTo(308);
        assertThat(elsewhere.headers()).containsEntry("location", "http://shop.example/shop?a=b");
        Answer shop = front.get("shop.example", "/shop");
        assertThat(shop.fact("header X-Api-Key")).isEqualTo("key");
        assertThat(shop.headers()).containsEntry("x-frame-options", "DENY");

        assertThat(telemetry.get("localhost", "/status.json").body())
                .contains("who is none of its users gets 401", "\"problems\":[]");
        assertThat(telemetry.get("localhost", "/metrics").body())
                .containsPattern("reason=\"denied\"} [1-9]")
                .containsPattern("reason=\"rate_limited\"} [1-9]")
                .containsPattern("reason=\"not_logged_in\"} [1-9]")
                .containsPattern("reason=\"auth\"} [1-9]");
    }
}
