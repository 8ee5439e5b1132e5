package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Service;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AccessLabelsTest {

    private static Vocabulary.Reading read(String label, String value) {
        return ServiceLabels.read(
                Map.of("millau.enabled", "true", "millau.port", "80", "millau." + label, value), List.of());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            allow     | 10.0.0/8      | millau.allow=10.0.0/8: "10.0.0/8": expected addresses or ranges such as 10.0.0.0/8 or 2001:db8::/32, private, or cloudflare | true
            allow     | office        | millau.allow=office: "office": expected addresses or ranges such as 10.0.0.0/8 or 2001:db8::/32, private, or cloudflare | true
            allow     | 10.0.0.0/33   | millau.allow=10.0.0.0/33: "10.0.0.0/33": expected a prefix of 0 to 32 bits after the / | true
            limit     | 20            | millau.limit=20: expected a number of requests per second, minute or hour, such as 20/s or 600/m: write 20/s | true
            limit     | 0/s           | millau.limit=0/s: expected a number of requests per second, minute or hour, such as 20/s or 600/m | true
            limit     | 20/day        | millau.limit=20/day: expected a number of requests per second, minute or hour, such as 20/s or 600/m | true
            limti     | 20/s          | millau.limti=20/s: unknown, did you mean millau.limit? The service is closed until then, since that label protects it | true
            strip     | yes           | millau.strip=yes: expected true or false: write true | false
            canonical | a/b           | millau.canonical=a/b: expected host names separated by spaces, without port, or * | false
            canonical | *             | millau.canonical=*: expected one name | false
            """)
    void aMistakeIsExplainedAndClosesWhatIsProtected(String label, String value, String problem, boolean closed) {
        assertThat(read(label, value).problems()).containsExactly(problem);
        assertThat(read(label, value).closed()).isEqualTo(closed);
    }

    @Test
    void anEmptyListOfAddressesIsAMistake() {
        assertThat(read("allow", " ").problems())
                .containsExactly(
                        "millau.allow=: expected addresses or ranges such as 10.0.0.0/8 or 2001:db8::/32, private, or"
                                + " cloudflare");
    }

    @Test
    void theCanonicalHostIsOneOfTheHosts() {
        assertThat(Service.named("a")
                        .hosts("www.a.example")
                        .canonical("A.example.")
                        .build()
                        .hosts())
                .containsExactly("www.a.example", "a.example");
        assertThat(Service.named("a").canonical("a.example").build().hosts()).containsExactly("*", "a.example");
        assertThat(Service.named("a")
                        .hosts("a.example")
                        .canonical("a.example")
                        .build()
                        .hosts())
                .containsExactly("a.example");
    }

    @Test
    void servicesWithTheSameLabelsAreEqual() {
        Service one = Service.named("a")
                .allow("10.0.0.0/8")
                .limit("20/s")
                .strip(true)
                .path("/a/")
                .build();
        Service same = Service.named("a")
                .allow("10.0.0.0/8")
                .limit("20/s")
                .strip(true)
                .path("/a/")
                .build();

        assertThat(one).isEqualTo(same);
        assertThat(one.allow()).isEqualTo("10.0.0.0/8");
        assertThat(one.limit()).isEqualTo("20/s");
        assertThat(one.filters()).hasSize(3);
        assertThat(one.settingsThatDiffer(
                        same.toBuilder().limit("30/s").allow(null).build()))
                .containsExactly("allow", "limit");
        assertThat(one.toBuilder().build().filters()).hasSize(3);
    }
}
