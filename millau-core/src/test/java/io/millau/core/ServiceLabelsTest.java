package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServiceLabelsTest {

    @Test
    void defaults() {
        Settings settings =
                read(Map.of("millau.enabled", "true", "millau.port", "80")).settings();

        assertThat(settings)
                .isEqualTo(new Settings(
                        true, 80, List.of("*"), "/", Duration.ofSeconds(30), Duration.ofSeconds(60), false, null));
    }

    @Test
    void everyLabel() {
        Settings settings = read(Map.of(
                        "millau.enabled", " TRUE ",
                        "millau.port", "8080",
                        "millau.hosts", "Company.com. blue.local  bücher.example",
                        "millau.path", "/api/",
                        "millau.timeout", "0.5",
                        "millau.retry", "0",
                        "millau.retry-unsafe", "true",
                        "millau.network", "front"))
                .settings();

        assertThat(settings)
                .isEqualTo(new Settings(
                        true,
                        8080,
                        List.of("company.com", "blue.local", "xn--bcher-kva.example"),
                        "/api/",
                        Duration.ofMillis(500),
                        Duration.ZERO,
                        true,
                        "front"));
    }

    @ParameterizedTest(name = "{0}={1}: {2}")
    @CsvSource(
            delimiter = '|',
            value = {
                "port     | eighty       | expected a port from 1 to 65535",
                "port     | 0            | expected a port from 1 to 65535",
                "port     | 65536        | expected a port from 1 to 65535",
                "hosts    | *.one.com    | suffixes match anyway, write one.com",
                "hosts    | one.com,two  | expected host names separated by spaces",
                "hosts    | one.com:80   | expected host names separated by spaces, without port",
                "hosts    | http://one   | expected host names",
                "hosts    | ''           | expected host names",
                "path     | api          | expected a path that starts with /, /api for instance",
                "path     | /api?x       | without blanks, ? or #",
                "timeout  | 30s          | expected seconds",
                "timeout  | 0            | expected more than 0 seconds",
                "timeout  | -1           | expected seconds",
                "timeout  | 86401        | expected 0 to 86400 seconds",
                "retry    | soon         | expected seconds",
                "enabled  | yes          | expected true or false",
                "retry-unsafe | 1        | expected true or false",
            })
    void unreadableValues(String label, String value, String expected) {
        ServiceLabels.Reading reading = ServiceLabels.read(
                label.equals("enabled")
                        ? Map.of("millau.port", "80", "millau.enabled", value)
                        : label.equals("port")
                                ? Map.of("millau.enabled", "true", "millau.port", value)
                                : Map.of("millau.enabled", "true", "millau.port", "80", "millau." + label, value),
                List.of());

        assertThat(reading.settings()).isNull();
        assertThat(reading.problems())
                .singleElement()
                .satisfies(message -> assertThat(message)
                        .startsWith("millau." + label + "=" + value + ": ")
                        .contains(expected));
    }

    @ParameterizedTest
    @CsvSource({
        "prot, port",
        "host, hosts",
        "PORT, port",
        "time-out, timeout",
        "retry_unsafe, retry-unsafe",
        "netwrok, network"
    })
    void anUnknownLabelIsReportedWithTheNearestNameAndChangesNothing(String typo, String meant) {
        ServiceLabels.Reading reading =
                read(Map.of("millau.enabled", "true", "millau.port", "80", "millau." + typo, "x"));

        assertThat(reading.settings()).isNotNull();
        assertThat(reading.problems())
                .containsExactly("millau." + typo + "=x: unknown, did you mean millau." + meant + "?");
    }

    @Test
    void anUnknownLabelLikeNoOtherListsTheKnownOnes() {
        assertThat(read(Map.of("millau.enabled", "true", "millau.port", "80", "millau.colour", "blue"))
                        .problems())
                .singleElement()
                .asString()
                .contains("unknown; known are enabled, port, hosts, path");
    }

    @ParameterizedTest
    @CsvSource({"client-ac, x", "enabeld, false", "client_ca, x", "client-ca, x"})
    void whatLooksLikeAProtectingLabelClosesTheService(String label, String value) {
        ServiceLabels.Reading reading =
                read(Map.of("millau.enabled", "true", "millau.port", "80", "millau." + label, value));

        assertThat(reading.closed()).isTrue();
        assertThat(reading.settings()).isNull();
        assertThat(reading.problems()).isNotEmpty();
    }

    @Test
    void theOnlyExposedPortStandsForAMissingOne() {
        Map<String, String> labels = Map.of("millau.enabled", "true");

        assertThat(ServiceLabels.read(labels, List.of(8080, 8080)).settings().port())
                .isEqualTo(8080);
        assertThat(ServiceLabels.read(labels, List.of()).problems())
                .singleElement()
                .asString()
                .startsWith("millau.port is missing");
        assertThat(ServiceLabels.read(labels, List.of(80, 443)).problems())
                .singleElement()
                .asString()
                .endsWith("it exposes 80, 443");
    }

    @Test
    void aServiceThatIsNotEnabledNeedsNoPort() {
        assertThat(read(Map.of("millau.hosts", "one.com")).settings().enabled()).isFalse();
        assertThat(read(Map.of("millau.hosts", "one.com")).problems()).isEmpty();
    }

    @Test
    void aLongOrMultilineValueIsShownShortAndInOneLine() {
        String message = read(Map.of("millau.enabled", "true", "millau.port", "a\nb" + "x".repeat(500)))
                .problems()
                .get(0);

        assertThat(message).contains("=a?bxxx").hasSizeLessThan(200);
    }

    @Test
    void aValueThatTurnsBadLeavesTheServiceAsItWas() {
        LabelReader reader = new LabelReader();
        LabelReader.Picture first = reader.picture();
        Settings good = first.read("1", "app", Map.of("millau.enabled", "true", "millau.port", "80"), List.of());
        assertThat(first.finish()).isEmpty();

        LabelReader.Picture second = reader.picture();
        Settings kept = second.read("1", "app", Map.of("millau.enabled", "true", "millau.port", "x"), List.of());
        assertThat(kept).isEqualTo(good).isNotNull();
        assertThat(second.finish())
                .singleElement()
                .asString()
                .endsWith("(the service keeps its last good configuration)");

        assertThat(reader.picture().finish()).isEmpty();
        LabelReader.Picture afterItWasGone = reader.picture();
        assertThat(afterItWasGone.read("1", "app", Map.of("millau.enabled", "true", "millau.port", "x"), List.of()))
                .isNull();
        assertThat(afterItWasGone.finish()).singleElement().asString().endsWith("(the service is left out)");
    }

    @Test
    void aClosedServiceDoesNotKeepItsLastGoodConfiguration() {
        LabelReader reader = new LabelReader();
        LabelReader.Picture first = reader.picture();
        first.read("1", "app", Map.of("millau.enabled", "true", "millau.port", "80"), List.of());
        first.finish();

        assertThat(reader.picture().read("1", "app", Map.of("millau.enabled", "maybe", "millau.port", "80"), List.of()))
                .isNull();
    }

    private static ServiceLabels.Reading read(Map<String, String> labels) {
        return ServiceLabels.read(labels, List.of());
    }
}
