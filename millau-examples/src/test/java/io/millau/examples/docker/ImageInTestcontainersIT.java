package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;

/**
 * The image as Testcontainers starts it. Without a shell in the image, it takes the port for open as soon as Docker's own proxy
 * accepts connections, so the first request may come before the proxy is ready: it has to wait, not to fail.
 */
@RequiresImages
class ImageInTestcontainersIT {

    private static final DockerImageName IMAGE = DockerImageName.parse("millau:latest");

    private static final int CONTAINERS = 20;
    private static final int AT_A_TIME = 4;

    @Test
    void theFirstRequestIsAnswered() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(AT_A_TIME);
        try {
            List<Future<String>> bodies =
                    threads.invokeAll(Collections.nCopies(CONTAINERS, ImageInTestcontainersIT::firstBody));
            for (Future<String> body : bodies) {
                assertThat(body.get()).isEqualTo("No matching services found\n");
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static String firstBody() throws IOException, InterruptedException {
        try (GenericContainer<?> millau = new GenericContainer<>(IMAGE)
                .withExposedPorts(80)
                .withEnv("ACME", "off")
                .waitingFor(Wait.forListeningPort())) {
            millau.start();
            URI uri = URI.create("http://" + millau.getHost() + ":" + millau.getMappedPort(80) + "/");
            return HttpClient.newHttpClient()
                    .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                    .body();
        }
    }
}
