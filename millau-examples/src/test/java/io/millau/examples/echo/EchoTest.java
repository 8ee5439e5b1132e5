package io.millau.examples.echo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.core.testing.FreePorts;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class EchoTest {
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private static Echo echo;

    @BeforeAll
    static void start() throws Exception {
        echo = new Echo("blue", 0, Duration.ZERO);
    }

    @AfterAll
    static void stop() {
        echo.close();
    }

    @Test
    void tellsWhatArrived() throws Exception {
        HttpResponse<String> answer = client.send(
                request("/api/orders?id=7")
                        .header("X-Colour", "teal")
                        .POST(BodyPublishers.ofString("hello"))
                        .build(),
                BodyHandlers.ofString());

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body().lines())
                .contains(
                        "name: blue",
                        "method: POST",
                        "path: /api/orders?id=7",
                        "body: 5 bytes, crc32 3610a686",
                        "header X-Colour: teal",
                        "instance: " + answer.headers().firstValue("X-Instance").orElseThrow());
    }

    @Test
    void answersWithTheStatusOneAsksFor() throws Exception {
        assertThat(get("/?status=404").statusCode()).isEqualTo(404);
        assertThat(get("/?a=b&status=204").body()).isEmpty();
        assertThat(get("/health?status=500").statusCode()).isEqualTo(200);
    }

    @Test
    void anAnswerHasAChecksum() throws Exception {
        HttpResponse<String> answer = get("/");

        CRC32 crc = new CRC32();
        crc.update(answer.body().getBytes(StandardCharsets.UTF_8));
        assertThat(answer.headers().firstValue("X-Crc32")).contains(String.format("%08x", crc.getValue()));
    }

    @Test
    void headHasTheLengthAndNoBody() throws Exception {
        HttpResponse<String> answer =
                client.send(request("/").method("HEAD", BodyPublishers.noBody()).build(), BodyHandlers.ofString());

        assertThat(answer.headers().firstValueAsLong("Content-Length")).isPresent();
        assertThat(answer.body()).isEmpty();
    }

    @Test
    void finishesWhatIsInFlightBeforeItStops() throws Exception {
        Echo ending = new Echo("ending", FreePorts.next(), Duration.ZERO); // which nobody else gets after it
        URI slow = URI.create("http://127.0.0.1:" + ending.port() + "/?delay=500");
        CompletableFuture<HttpResponse<String>> answer;
        try (ending) {
            answer = client.sendAsync(HttpRequest.newBuilder(slow).build(), BodyHandlers.ofString());
            // A request sent later and answered: the slow one has arrived as well.
            client.send(HttpRequest.newBuilder(slow.resolve("/?delay=200")).build(), BodyHandlers.ofString());
        }

        assertThat(answer.get(5, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
        assertThatThrownBy(() -> client.send(HttpRequest.newBuilder(slow).build(), BodyHandlers.ofString()))
                .isInstanceOf(ConnectException.class);
    }

    @Test
    void aWebSocketGetsItsTextsBackAndIsClosedAtTheEnd() throws Exception {
        CompletableFuture<String> text = new CompletableFuture<>();
        CompletableFuture<Integer> closed = new CompletableFuture<>();
        WebSocket.Listener listener = new WebSocket.Listener() {
            @Override
            public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
                text.complete(data.toString());
                socket.request(1);
                return null;
            }

            @Override
            public @Nullable CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
                closed.complete(status);
                return null;
            }
        };
        try (Echo ending = new Echo("ending", 0, Duration.ZERO)) {
            WebSocket socket = client.newWebSocketBuilder()
                    .buildAsync(URI.create("ws://127.0.0.1:" + ending.port() + "/socket"), listener)
                    .get(30, TimeUnit.SECONDS);
            socket.sendText("hello", true);
            assertThat(text.get(30, TimeUnit.SECONDS)).isEqualTo("hello");
        }

        assertThat(closed.get(30, TimeUnit.SECONDS)).isEqualTo(1001);
    }

    private HttpResponse<String> get(String path) throws Exception {
        return client.send(request(path).build(), BodyHandlers.ofString());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + echo.port() + path));
    }
}
