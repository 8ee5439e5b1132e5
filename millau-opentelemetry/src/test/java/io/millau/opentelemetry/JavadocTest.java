package io.millau.opentelemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.UndocumentedApi;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class JavadocTest {

    @Test
    void everyPublicMemberIsDocumented() throws Exception {
        assertThat(UndocumentedApi.in(Path.of("src/main/java/io/millau/opentelemetry")))
                .isEmpty();
    }
}
