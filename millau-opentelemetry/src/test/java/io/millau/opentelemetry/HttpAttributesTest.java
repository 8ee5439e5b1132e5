package io.millau.opentelemetry;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpAttributesTest {

    @ParameterizedTest
    @CsvSource({
        "a.example, http, a.example, 80",
        "a.example, https, a.example, 443",
        "a.example:8080, https, a.example, 8080",
        "a.example:, http, a.example, 80",
        "a.example:x, http, a.example, 80",
        "192.0.2.1:1, http, 192.0.2.1, 1",
        "[::1], http, ::1, 80",
        "[::1]:8080, http, ::1, 8080",
    })
    void theHostFieldHasAnAddressAndPerhapsAPort(String host, String scheme, String address, int port) {
        assertThat(HttpAttributes.hostWithoutPort(host)).isEqualTo(address);
        assertThat(HttpAttributes.port(host, scheme)).isEqualTo(port);
    }

    @ParameterizedTest
    @CsvSource({"HTTP/1.0, 1.0", "HTTP/1.1, 1.1", "HTTP/2.0, 2"})
    void versionsAreThoseOfTheConventions(String protocol, String version) {
        assertThat(HttpAttributes.version(protocol)).isEqualTo(version);
    }
}
