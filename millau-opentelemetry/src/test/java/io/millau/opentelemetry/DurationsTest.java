package io.millau.opentelemetry;

import static io.millau.opentelemetry.RecordedTelemetry.attribute;
import static io.millau.opentelemetry.RecordedTelemetry.names;
import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Service;
import io.millau.testing.Fault;
import io.millau.testing.ScriptedUpstream;
import io.millau.testing.TestGateway;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DurationsTest {

    private static final String SERVER = "http.server.request.duration";
    private static final String CLIENT = "http.client.request.duration";

    private final RecordedTelemetry telemetry = new RecordedTelemetry();
    private final Tracing tracing = Tracing.of(telemetry.sdk);

    @AfterEach
    void close() {
        telemetry.sdk.close();
    }

    @Test
    void requestsAndAttemptsAreMeasured() {
        try (TestGateway millau =
                TestGateway.start(builder -> builder.filter(tracing).listener(tracing))) {
            ScriptedUpstream bad = millau.upstream("orders").fails(Fault.RESET_AFTER_HEAD);
            ScriptedUpstream good = millau.upstream("orders");
            millau.routes(Service.named("orders").path("/orders/").build());

            millau.get("/orders/7");

            HistogramPointData request = telemetry.points(SERVER, 1).get(0);
            assertThat(request.getCount()).isEqualTo(1);
            assertThat(request.getSum()).isPositive();
            assertThat(request.getBoundaries()).startsWith(0.005).endsWith(10.0).hasSize(14);
            Attributes attributes = request.getAttributes();
            assertThat(names(attributes))
                    .containsExactlyInAnyOrder(
                            "http.request.method",
                            "http.response.status_code",
                            "http.route",
                            "network.protocol.version",
                            "url.scheme");
            assertThat(attribute(attributes, "http.route")).isEqualTo("/orders/");
            assertThat(attribute(attributes, "http.response.status_code")).isEqualTo(200L);

            List<HistogramPointData> attempts = telemetry.points(CLIENT, 2);
            Attributes failed = at(attempts, bad);
            assertThat(attribute(failed, "error.type")).isEqualTo("broken");
            assertThat(attribute(failed, "http.response.status_code")).isNull();
            Attributes second = at(attempts, good);
            assertThat(attribute(second, "error.type")).isNull();
            assertThat(attribute(second, "http.response.status_code")).isEqualTo(200L);
            assertThat(attribute(second, "server.address")).isEqualTo("127.0.0.1");
            assertThat(attribute(second, "network.protocol.version")).isEqualTo("1.1");
        }
    }

    private static Attributes at(List<HistogramPointData> attempts, ScriptedUpstream upstream) {
        return attempts.stream()
                .map(HistogramPointData::getAttributes)
                .filter(attributes -> Objects.equals(attribute(attributes, "server.port"), (long)
                        upstream.endpoint().port()))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void asAListenerAloneItMeasuresAndLeavesRequestsAsTheyAre() {
        try (TestGateway millau = TestGateway.start(builder -> builder.listener(tracing))) {
            ScriptedUpstream app = millau.upstream("app");

            millau.get("/");

            assertThat(attribute(telemetry.points(SERVER, 1).get(0).getAttributes(), "url.scheme"))
                    .isEqualTo("http");
            telemetry.points(CLIENT, 1);
            assertThat(app.requests())
                    .singleElement()
                    .satisfies(
                            request -> assertThat(request.header("traceparent")).isNull());
            assertThat(telemetry.ended()).isEmpty();
        }
    }
}
