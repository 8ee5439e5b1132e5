package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Endpoint;
import io.millau.core.InMemoryServices;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.examples.echo.Echo;
import io.millau.server.Millau;
import io.millau.testing.ScriptedEndpoint;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Routes of other services change all the time, and one that stays as it is doesn't feel it. */
class RouteChangesIT {

    private static final int CHANGES_PER_SECOND = 100;
    private static final int OTHERS = 50;

    private final InMemoryServices services = ServiceSource.of();
    private final BlockingQueue<String> said = new LinkedBlockingQueue<>();
    private final AtomicInteger changes = new AtomicInteger();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private Echo blue;
    private Echo green;
    private ScriptedEndpoint streaming;
    private Millau millau;

    @BeforeEach
    void start() throws Exception {
        blue = new Echo("blue", 0, Duration.ZERO);
        green = new Echo("green", 0, Duration.ZERO);
        streaming = ScriptedEndpoint.that(this::stream);
        change();
        millau = Millau.builder().http("127.0.0.1:0").source(services).start();
    }

    @AfterEach
    void stop() throws Exception {
        clock.shutdownNow();
        millau.close();
        streaming.close();
        blue.close();
        green.close();
    }

    @Test
    void aHundredChangesASecondElsewhereAreNotFelt() throws Exception {
        Front front = new Front("127.0.0.1", millau.port());
        String instance = front.get("app.local", "/").instance();
        try (BufferedReader stream = openStream();
                Crowd crowd = Crowd.at(front, "app.local")) {
            List<Long> calm = new ArrayList<>();
            List<Long> changing = new ArrayList<>();
            for (int round = 0; round < 5 * Rounds.NUMBER; round++) {
                calm.add(p99(crowd));
                ScheduledFuture<?> change =
                        clock.scheduleAtFixedRate(this::change, 0, 1_000 / CHANGES_PER_SECOND, TimeUnit.MILLISECONDS);
                changing.add(p99(crowd));
                change.cancel(false);
                said.add("round " + round);
                assertThat(stream.readLine()).isEqualTo("round " + round);
            }
            // The first ones are also those in which most is compiled.
            System.out.println("p99 without changes, us: " + calm + "; with a hundred a second: " + changing);
            crowd.endsWell("other routes changed", List.of(instance));
        }
    }

    /** Moves one of the others to another host, with another endpoint. */
    private void change() {
        int number = changes.incrementAndGet();
        List<Service> all = new ArrayList<>();
        all.add(Service.named("app")
                .hosts("app.local")
                .endpoints(at(blue), at(green))
                .build());
        all.add(Service.named("stream")
                .path("/stream")
                .endpoints(streaming.endpoint())
                .build());
        for (int i = 0; i < OTHERS; i++) {
            int changed = (number + i) / OTHERS;
            all.add(Service.named("other" + i)
                    .hosts("host" + changed + ".other" + i + ".local")
                    .endpoints(changed % 2 == 0 ? at(blue) : at(green))
                    .build());
        }
        services.replace(all);
    }

    private static Endpoint at(Echo server) {
        return Endpoint.http(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()));
    }

    /** An answer that goes on as long as something is said. */
    private void stream(ScriptedEndpoint.Connection connection) throws IOException {
        connection.readRequest();
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        try {
            for (String line = said.take(); ; line = said.take()) {
                connection.send(Integer.toHexString(line.length() + 1) + "\r\n" + line + "\n\r\n");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private BufferedReader openStream() throws IOException {
        URI uri = URI.create("http://127.0.0.1:" + millau.port() + "/stream");
        return new BufferedReader(new InputStreamReader(uri.toURL().openStream(), StandardCharsets.UTF_8));
    }

    /** Of the next thousand requests, in microseconds. */
    private static long p99(Crowd crowd) {
        crowd.load().takeDurations();
        crowd.awaitRequests(1_000);
        List<Duration> durations =
                crowd.load().takeDurations().stream().sorted().toList();
        return TimeUnit.NANOSECONDS.toMicros(
                durations.get(durations.size() * 99 / 100).toNanos());
    }
}
