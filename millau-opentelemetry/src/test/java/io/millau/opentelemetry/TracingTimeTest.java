package io.millau.opentelemetry;

import static io.millau.opentelemetry.RecordedTelemetry.attribute;
import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.server.Millau;
import io.millau.testing.ScriptedEndpoint;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Time stands still, except where the test lets it pass: so the times of spans are exact. */
class TracingTimeTest {

    private static final Instant BEGAN = Instant.parse("2026-11-29T01:02:03.000000004Z");
    private static final Duration TIMEOUT = Duration.ofSeconds(7);

    private final AtomicLong nanos = new AtomicLong(5);
    private final RecordedTelemetry telemetry = new RecordedTelemetry();
    private final Tracing tracing = Tracing.of(telemetry.sdk, nanos::get, Clock.fixed(BEGAN, ZoneOffset.UTC));

    @Test
    void anAttemptThatTimesOutTakesTheTimeoutExactly() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        try (ScriptedEndpoint silent = ScriptedEndpoint.that(connection -> {
                    connection.readHead();
                    asked.countDown();
                    connection.hang();
                });
                ScriptedEndpoint good = ScriptedEndpoint.thatSays("good");
                Millau millau = Millau.builder()
                        .http(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                        .source(ServiceSource.of(service(silent.endpoint(), good.endpoint())))
                        .ioThreads(1)
                        .drain(Duration.ZERO)
                        .ticker(nanos::get)
                        .filter(tracing)
                        .listener(tracing)
                        .start()) {
            URI uri = URI.create("http://127.0.0.1:" + millau.port() + "/");
            CompletableFuture<HttpResponse<String>> response = HttpClient.newHttpClient()
                    .sendAsync(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
            assertThat(asked.await(60, TimeUnit.SECONDS)).isTrue(); // the timeout has begun
            nanos.addAndGet(TIMEOUT.toNanos());
            assertThat(response.orTimeout(60, TimeUnit.SECONDS).join().body()).isEqualTo("good");

            long began = TimeUnit.SECONDS.toNanos(BEGAN.getEpochSecond()) + BEGAN.getNano();
            SpanData server = telemetry.server();
            assertThat(server.getStartEpochNanos()).isEqualTo(began);
            assertThat(server.getEndEpochNanos()).isEqualTo(began + TIMEOUT.toNanos());
            List<SpanData> attempts = telemetry.attempts();
            assertThat(attempts).hasSize(2);
            SpanData timedOut = attempts.get(0);
            assertThat(attribute(timedOut, "error.type")).isEqualTo("timed_out");
            assertThat(timedOut.getStartEpochNanos()).isEqualTo(began);
            assertThat(timedOut.getEndEpochNanos()).isEqualTo(began + TIMEOUT.toNanos());
            SpanData second = attempts.get(1);
            assertThat(second.getStartEpochNanos()).isEqualTo(began + TIMEOUT.toNanos());
            assertThat(second.getEndEpochNanos()).isEqualTo(began + TIMEOUT.toNanos());
            assertThat(telemetry.points("http.server.request.duration", 1))
                    .extracting(HistogramPointData::getSum)
                    .containsExactly(7.0);
            assertThat(telemetry.points("http.client.request.duration", 2))
                    .extracting(HistogramPointData::getSum)
                    .containsExactlyInAnyOrder(7.0, 0.0);
        } finally {
            telemetry.sdk.close();
        }
    }

    private static Service service(Endpoint... endpoints) {
        return Service.named("app").timeout(TIMEOUT).endpoints(endpoints).build();
    }
}
