package io.millau.opentelemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.testing.ScriptedUpstream;
import io.millau.testing.TestGateway;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProviderBuilder;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.opentelemetry.sdk.trace.samplers.SamplingResult;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What is plugged into OpenTelemetry fails, and requests go on. */
class TracingFailuresTest {

    private static void assertThatRequestsGoOn(Consumer<SdkTracerProviderBuilder> settings) {
        RecordedTelemetry telemetry = new RecordedTelemetry(settings);
        Tracing tracing = Tracing.of(telemetry.sdk);
        try (TestGateway millau =
                TestGateway.start(builder -> builder.filter(tracing).listener(tracing))) {
            ScriptedUpstream app = millau.upstream("app");
            assertThat(millau.get("/1").statusCode()).isEqualTo(200);
            assertThat(millau.get("/2").statusCode()).isEqualTo(200);
            assertThat(app.requests()).hasSize(2);
        } finally {
            telemetry.sdk.close();
        }
    }

    @Test
    void anExporterThatThrows() {
        assertThatRequestsGoOn(builder -> builder.addSpanProcessor(SimpleSpanProcessor.create(new SpanExporter() {
            @Override
            public CompletableResultCode export(Collection<SpanData> spans) {
                throw new IllegalStateException("exporter of the test");
            }

            @Override
            public CompletableResultCode flush() {
                return CompletableResultCode.ofSuccess();
            }

            @Override
            public CompletableResultCode shutdown() {
                return CompletableResultCode.ofSuccess();
            }
        })));
    }

    /** A filter that throws costs its request: the client would get 500. */
    @Test
    void aSamplerThatThrows() {
        assertThatRequestsGoOn(builder -> builder.setSampler(new Sampler() {
            @Override
            public SamplingResult shouldSample(
                    Context parent,
                    String traceId,
                    String name,
                    SpanKind kind,
                    Attributes attributes,
                    List<LinkData> links) {
                throw new IllegalStateException("sampler of the test");
            }

            @Override
            public String getDescription() {
                return "fails";
            }
        }));
    }

    @Test
    void aProcessorThatThrows() {
        assertThatRequestsGoOn(builder -> builder.addSpanProcessor(new SpanProcessor() {
            @Override
            public void onStart(Context parent, ReadWriteSpan span) {}

            @Override
            public boolean isStartRequired() {
                return false;
            }

            @Override
            public void onEnd(ReadableSpan span) {
                throw new IllegalStateException("processor of the test");
            }

            @Override
            public boolean isEndRequired() {
                return true;
            }
        }));
    }
}
