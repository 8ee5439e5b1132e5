package io.millau.opentelemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.ServiceSource;
import io.millau.server.Millau;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** {@code docs/how-to/tracing.md} shows what runs here, and lists all attributes. */
class TracingDocumentTest {

    private static final Path DOCUMENT = Path.of("../docs/how-to/tracing.md");
    private static final Path TEST = Path.of("src/test/java/io/millau/opentelemetry/TracingDocumentTest.java");
    private static final Pattern SNIPPET = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `([a-z_.]+)` \\| (?:yes |\\| yes)");

    @Test
    void theFirstSnippetRuns() throws IOException {
        OpenTelemetry openTelemetry = OpenTelemetry.noop();
        ServiceSource services = ServiceSource.of();
        Tracing tracing = Tracing.of(openTelemetry);
        Millau millau = Millau.builder()
                .http("127.0.0.1:0")
                .source(services)
                .filter(tracing)
                .listener(tracing)
                .start();
        millau.close();
    }

    @Test
    void theSecondSnippetRuns() throws IOException {
        Tracing tracing = Tracing.of(OpenTelemetry.noop());
        ServiceSource services = ServiceSource.of();
        Millau millau = Millau.builder()
                .http("127.0.0.1:0")
                .source(services)
                .filter(request -> request.removeHeader("traceparent")
                        .removeHeader("tracestate")
                        .removeHeader("baggage")
                        .proceed())
                .filter(tracing)
                .listener(tracing)
                .start();
        millau.close();
    }

    @Test
    void everySnippetStandsInThisTest() throws IOException {
        String test = normal(Files.readString(TEST));

        assertThat(SNIPPET.matcher(Files.readString(DOCUMENT)).results().map(found -> normal(found.group(1))))
                .hasSize(2)
                .allSatisfy(snippet -> assertThat(test).contains(snippet.replace("\":8080\"", "\"127.0.0.1:0\"")));
    }

    private static String normal(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }

    @Test
    void theTableListsAllAttributes() throws Exception {
        List<String> keys = new ArrayList<>();
        for (Field field : HttpAttributes.class.getDeclaredFields()) {
            if (AttributeKey.class.isAssignableFrom(field.getType())) {
                keys.add(((AttributeKey<?>) field.get(null)).getKey());
            }
        }

        assertThat(ROW.matcher(Files.readString(DOCUMENT)).results().map(found -> found.group(1)))
                .containsExactlyInAnyOrderElementsOf(keys);
    }
}
