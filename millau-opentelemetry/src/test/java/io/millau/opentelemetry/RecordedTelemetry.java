package io.millau.opentelemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.opentelemetry.api.baggage.propagation.W3CBaggagePropagator;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SdkTracerProviderBuilder;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** An OpenTelemetry whose spans and metrics a test reads. */
final class RecordedTelemetry {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final InMemorySpanExporter exporter = InMemorySpanExporter.create();
    private final InMemoryMetricReader reader = InMemoryMetricReader.create();
    final OpenTelemetrySdk sdk;

    RecordedTelemetry() {
        this(builder -> {});
    }

    /** @param settings come before the exporter of the test */
    RecordedTelemetry(Consumer<SdkTracerProviderBuilder> settings) {
        SdkTracerProviderBuilder tracers = SdkTracerProvider.builder();
        settings.accept(tracers);
        sdk = OpenTelemetrySdk.builder()
                .setTracerProvider(tracers.addSpanProcessor(SimpleSpanProcessor.create(exporter))
                        .build())
                .setMeterProvider(
                        SdkMeterProvider.builder().registerMetricReader(reader).build())
                .setPropagators(ContextPropagators.create(TextMapPropagator.composite(
                        W3CTraceContextPropagator.getInstance(), W3CBaggagePropagator.getInstance())))
                .build();
    }

    /** Those that have ended, in the order in which they did. */
    List<SpanData> ended() {
        return exporter.getFinishedSpanItems();
    }

    /** The server span of one request, after which none of its spans follows. */
    SpanData server() {
        await().atMost(PATIENCE).until(() -> ended().stream().anyMatch(span -> span.getKind() == SpanKind.SERVER));
        List<SpanData> servers = ended().stream()
                .filter(span -> span.getKind() == SpanKind.SERVER)
                .toList();
        assertThat(servers).hasSize(1);
        return servers.get(0);
    }

    /** The client spans of one request, in the order of the attempts. Each is within its server span, after the one before. */
    List<SpanData> attempts() {
        SpanData server = server();
        List<SpanData> attempts = ended().stream()
                .filter(span -> span.getKind() == SpanKind.CLIENT)
                .toList();
        long earliest = server.getStartEpochNanos();
        for (SpanData attempt : attempts) {
            assertThat(attempt.getTraceId()).isEqualTo(server.getTraceId());
            assertThat(attempt.getParentSpanId()).isEqualTo(server.getSpanId());
            assertThat(attempt.getStartEpochNanos()).isGreaterThanOrEqualTo(earliest);
            assertThat(attempt.getEndEpochNanos()).isGreaterThanOrEqualTo(attempt.getStartEpochNanos());
            earliest = attempt.getEndEpochNanos();
        }
        assertThat(server.getEndEpochNanos()).isGreaterThanOrEqualTo(earliest);
        return attempts;
    }

    /** The points of a histogram, once there are so many. */
    List<HistogramPointData> points(String histogram, int count) {
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(points(histogram)).hasSize(count));
        return points(histogram);
    }

    List<HistogramPointData> points(String histogram) {
        return reader.collectAllMetrics().stream()
                .filter(metric -> metric.getName().equals(histogram))
                .map(MetricData::getHistogramData)
                .flatMap(data -> data.getPoints().stream())
                .toList();
    }

    static Object attribute(SpanData span, String name) {
        return attribute(span.getAttributes(), name);
    }

    static Object attribute(Attributes attributes, String name) {
        return attributes.asMap().entrySet().stream()
                .filter(entry -> entry.getKey().getKey().equals(name))
                .findFirst()
                .map(java.util.Map.Entry::getValue)
                .orElse(null);
    }

    static List<String> names(Attributes attributes) {
        return attributes.asMap().keySet().stream().map(AttributeKey::getKey).toList();
    }
}
