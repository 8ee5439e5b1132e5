package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.server.RawHttp2Client.Frame;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A request over HTTP/2 that is responded to before its body was read: a login that is missing, a body that is too large. The stream
 * was reset right after the response (RFC 9113, 8.1), upon which curl 7.88 fails and the JDK's client waits for ever.
 */
class Http2RefusedUploadTest extends ProxyTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Override
    protected Millau.Builder builder() {
        return super.builder()
                .filter(request -> request.method().equals("POST") ? request.respond(401, "no\n") : request.proceed());
    }

    private RawHttp2Client refusedUpload() throws Exception {
        startWith(endpointThatSays("ok"));
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));
        client.headers(1, false, ":method", "POST", ":scheme", "http", ":path", "/", ":authority", "a");
        assertThat(client.body(1)).isEqualTo("no\n");
        return client;
    }

    private static CompletableFuture<Void> upload(RawHttp2Client client, int bytes) {
        return CompletableFuture.runAsync(() -> {
            try {
                client.upload(1, new byte[bytes], true);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 60_000, 900_000})
    void theClientMayComeToTheEndOfItsBody(int bytes) throws Exception {
        clock = closing(new RunClock());
        RawHttp2Client client = refusedUpload();
        CompletableFuture<Void> upload = upload(client, bytes);
        upload.thenRun(() -> {
            try {
                client.headers(3, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a");
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        List<Frame> ofUpload = new ArrayList<>();
        for (Frame frame = client.next(); frame.stream() != 3; frame = client.next()) {
            if (frame.stream() == 1) {
                ofUpload.add(frame);
            }
        }
        upload.get();
        assertThat(ofUpload).allMatch(frame -> frame.type() == RawHttp2Client.WINDOW_UPDATE);
        await().atMost(PATIENCE).until(() -> millau.buffersTaken() == 0);
    }

    @Test
    void aBodyThatIsMuchLongerIsNotReadToItsEnd() throws Exception {
        RawHttp2Client client = refusedUpload();
        CompletableFuture<Void> upload = upload(client, 3_000_000);

        assertThat(client.next(1).toString()).isEqualTo(reset());
        assertThat(upload).isNotCompleted();
        client.endUploads();
        client.headers(3, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a");
        assertThat(client.body(3)).isEqualTo("ok");
    }

    @Test
    void aClientThatSendsNoMoreIsNotWaitedForLong() throws Exception {
        RawHttp2Client client = refusedUpload();
        ahead.addAndGet(Duration.ofSeconds(4).toNanos());

        assertThat(client.next(1).toString()).isEqualTo(reset());
        client.headers(3, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a");
        assertThat(client.body(3)).isEqualTo("ok");
    }

    private static String reset() {
        return new Frame(RawHttp2Client.RST_STREAM, 0, 1, "\0\0\0\0").toString();
    }

    @ParameterizedTest
    @ValueSource(ints = {1_000, 100_000, 900_000})
    void theClientOfTheJdkGetsTheResponse(int bytes) throws Exception {
        clock = closing(new RunClock());
        startWith(endpointThatSays("ok"));
        HttpClient client = HttpClient.newHttpClient();
        URI uri = URI.create("http://127.0.0.1:" + millau.port() + "/");
        client.send(HttpRequest.newBuilder(uri).timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString());

        for (int i = 0; i < 5; i++) {
            HttpResponse<String> response = client.send(
                    HttpRequest.newBuilder(uri)
                            .timeout(PATIENCE)
                            .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[bytes]))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
            assertThat(response.statusCode()).isEqualTo(401);
            assertThat(response.body()).isEqualTo("no\n");
        }
    }
}
