package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.millau.core.Service;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code millau.request-header.NAME} and {@code millau.response-header.NAME}. */
class HeaderLabelsTest {

    private static Vocabulary.Reading read(String... labels) {
        Map<String, String> all = new HashMap<>(Map.of("millau.enabled", "true", "millau.port", "80"));
        for (int i = 0; i < labels.length; i += 2) {
            all.put(labels[i], labels[i + 1]);
        }
        return ServiceLabels.read(all, List.of());
    }

    @Test
    void eachLabelIsAHeader() {
        Vocabulary.Reading reading = read(
                "millau.request-header.X-Tenant", "a=b",
                "millau.request-header.X-Debug", "",
                "millau.request-header.x.y_z", "1",
                "millau.response-header.X-Frame-Options", " DENY ");

        assertThat(reading.problems()).isEmpty();
        Service service = reading.routes().get("").service();
        assertThat(service.requestHeaders())
                .containsExactlyInAnyOrderEntriesOf(Map.of("X-Tenant", "a=b", "X-Debug", "", "x.y_z", "1"));
        assertThat(service.responseHeaders()).containsExactly(Map.entry("X-Frame-Options", "DENY"));
        assertThat(service.filters())
                .extracting(Object::toString)
                .containsExactly(
                        "in requests, X-Debug is removed, X-Tenant is set, x.y_z is set",
                        "in responses, X-Frame-Options is set");
    }

    @Test
    void aServiceWithoutThemHasNoFilters() {
        Service service = read().routes().get("").service();

        assertThat(service.filters()).isEmpty();
        assertThat(service.requestHeaders()).isEmpty();
        assertThat(service.responseHeaders()).isEmpty();
    }

    /** A value of a request may be a secret, of a response it can't be. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            request-header.Host              | x | millau.request-header.Host: header Host: expected another, since it frames the message, or belongs to the connection or the routing
            request-header.content-length    | 1 | millau.request-header.content-length: header content-length: expected another, since it frames the message, or belongs to the connection or the routing
            response-header.Connection       | x | millau.response-header.Connection=x: header Connection: expected another, since it frames the message, or belongs to the connection or the routing
            response-header.Transfer_Encoding| x | millau.response-header.Transfer_Encoding=x: header Transfer_Encoding: expected another, since it frames the message, or belongs to the connection or the routing
            request-header.X-Forwarded-For   | x | millau.request-header.X-Forwarded-For: header X-Forwarded-For: expected another, since the proxy sets it itself
            request-header.x_real_ip         | x | millau.request-header.x_real_ip: header x_real_ip: expected another, since the proxy sets it itself
            request-header.Via               | x | millau.request-header.Via: header Via: expected another, since the proxy sets it itself
            request-header.                  | x | millau.request-header.: header name “”: expected letters, digits and hyphens
            response-header.Größe            | x | millau.response-header.Größe=x: header name “Grö…”: expected letters, digits and hyphens
            response-header.X-Euro           | € | millau.response-header.X-Euro=€: header X-Euro: character U+20AC at position 0, expected visible Latin-1 characters and blanks
            request-header                   | x | millau.request-header: unknown, did you mean millau.request-header.NAME?
            header.X-Key                     | x | millau.header.X-Key: unknown, did you mean millau.request-header.X-Key or millau.response-header.X-Key?
            headers.Host                     | x | millau.headers.Host: unknown, did you mean millau.request-header.Host or millau.response-header.Host?
            requset-header.X-Key             | x | millau.requset-header.X-Key: unknown, did you mean millau.request-header.X-Key?
            Response-Header.X-Key            | x | millau.Response-Header.X-Key=x: unknown, did you mean millau.response-header.X-Key?
            response-headers.X-Key           | x | millau.response-headers.X-Key=x: unknown, did you mean millau.response-header.X-Key?
            """)
    void aMistakeIsNamedWithWhatIsExpected(String label, String value, String problem) {
        assertThat(read("millau." + label, value).problems()).containsExactly(problem);
        assertThat(read("millau." + label, value).closed()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\nb", "a\nb", "a\0b", "a\u007fb"})
    void aValueHasNoControlCharacters(String value) {
        assertThat(read("millau.response-header.X-A", value).problems())
                .singleElement()
                .asString()
                .startsWith("millau.response-header.X-A=a?")
                .contains(": header X-A: character U+00")
                .doesNotContain("\n");
    }

    @Test
    void aValueFitsIntoAHead() {
        assertThat(read("millau.request-header.X-A", "x".repeat(8 * 1024 - 3)).problems())
                .isEmpty();
        assertThat(read("millau.request-header.X-A", "x".repeat(8 * 1024 - 2)).problems())
                .containsExactly(
                        "millau.request-header.X-A: header X-A: expected name and value of at most 8192 characters");
    }

    @Test
    void twoLabelsThatDifferInCaseOnlyAreAMistake() {
        Vocabulary.Reading reading = read("millau.response-header.X-Key", "1", "millau.response-header.x-key", "2");

        assertThat(reading.routes()).isEmpty();
        assertThat(reading.problems())
                .containsExactly(
                        "millau.response-header.x-key=2: header x-key: expected once, but it is there twice, since"
                                + " names of headers have no case");
        assertThat(read("millau.response-header.X-Key", "1", "millau.request-header.x-key", "2")
                        .problems())
                .isEmpty();
    }

    @Test
    void everyMistakeIsNamed() {
        assertThat(read(
                                "millau.request-header.Host",
                                "1",
                                "millau.request-header.TE",
                                "2",
                                "millau.request-header.X",
                                "3")
                        .problems())
                .hasSize(2);
    }

    /** A name may hold anything, and a colon too many in YAML makes a secret part of it. */
    @Test
    void aNameThatCannotBeSentIsShownInOneLineWithoutAValue() {
        assertThat(read("millau.request-header.X-Key: s3cret", "").problems())
                .containsExactly(
                        "millau.request-header.X-Key: header name “X-Key:…”: expected letters, digits and hyphens");
    }

    @Test
    void buildersSetAndCheckThem() {
        Service service = Service.named("a")
                .requestHeader("X-A", "1")
                .requestHeader("x-a", "2")
                .responseHeader("Server", "")
                .build();

        assertThat(service.requestHeaders()).containsExactly(Map.entry("x-a", "2"));
        assertThat(service.responseHeaders()).containsExactly(Map.entry("Server", ""));
        assertThat(service).isEqualTo(service.toBuilder().build());
        assertThat(service.settingsThatDiffer(
                        service.toBuilder().requestHeader("X-B", "1").build()))
                .containsExactly("request-header");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Service.named("a").requestHeader("X-Forwarded-Host", "x"))
                .withMessage(
                        "request-header: header X-Forwarded-Host: expected another, since the proxy sets it itself");
        assertThatIllegalArgumentException().isThrownBy(() -> Service.named("a").responseHeader("X-A", "a\nb"));
    }
}
