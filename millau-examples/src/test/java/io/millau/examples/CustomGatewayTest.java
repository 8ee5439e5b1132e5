package io.millau.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Endpoint;
import io.millau.examples.echo.Echo;
import io.millau.testing.ScriptedEndpoint;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CustomGatewayTest {

    private static final InetSocketAddress[] NONE = {};

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final List<String> log = new CopyOnWriteArrayList<>();
    private Echo api;
    private Echo website;
    private CustomGateway gateway;

    @BeforeEach
    void start() throws Exception {
        api = new Echo("api", 0, Duration.ZERO);
        website = new Echo("website", 0, Duration.ZERO);
        gateway = new CustomGateway("127.0.0.1:0", log::add);
    }

    @AfterEach
    void stop() {
        gateway.close();
        api.close();
        website.close();
    }

    @Test
    void routesByPathAndChangesWhileItRuns() throws Exception {
        assertThat(get("/").statusCode()).isEqualTo(502);

        gateway.route(at(api), at(website));
        assertThat(get("/api/orders").body()).startsWith("name: api\n");
        assertThat(get("/index.html").body()).startsWith("name: website\n");

        gateway.route(at(website), NONE);
        assertThat(get("/api/orders").body()).startsWith("name: website\n");
        assertThat(get("/index.html").statusCode()).isEqualTo(502);
    }

    @Test
    void writesALineForEachRequestAndForEachFailedAttempt() throws Exception {
        try (ScriptedEndpoint dead = ScriptedEndpoint.thatRefuses()) {
            Endpoint nobody = dead.endpoint();
            gateway.route(
                    new InetSocketAddress[] {new InetSocketAddress(nobody.address(), nobody.port()), at(api)[0]}, NONE);

            assertThat(get("/api/").statusCode()).isEqualTo(200);
            assertThat(get("/api/?status=404").statusCode()).isEqualTo(404);

            await().untilAsserted(() -> assertThat(log)
                    .containsExactly("api UNREACHABLE, goes on to the next", "GET api 200", "GET api 404"));
        }
    }

    private static InetSocketAddress[] at(Echo server) {
        return new InetSocketAddress[] {new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port())};
    }

    private HttpResponse<String> get(String path) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + gateway.port() + path))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }
}
