package io.millau.server.cli;

import io.millau.server.internal.text.ListenAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** The proxy that runs on this machine, or in this container, as its telemetry port shows it. For one thread. */
final class RunningProxy {

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final String url;
    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(TIMEOUT)
            .build();

    /** @param telemetry the address that it listens on */
    RunningProxy(InetSocketAddress telemetry) {
        InetAddress host =
                telemetry.getAddress().isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : telemetry.getAddress();
        url = "http://" + ListenAddress.show(new InetSocketAddress(host, telemetry.getPort()));
    }

    /** @param path with its query */
    HttpResponse<String> get(String path) throws IOException {
        try {
            return client.send(
                    HttpRequest.newBuilder(URI.create(url + path))
                            .timeout(TIMEOUT)
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (IllegalArgumentException e) { // port 0
            throw new IOException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** Its URL. */
    @Override
    public String toString() {
        return url;
    }
}
