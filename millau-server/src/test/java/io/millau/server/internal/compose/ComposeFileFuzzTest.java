package io.millau.server.internal.compose;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.Fuzz;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Whatever stands in a Compose file is checked, or refused with its name; variables never show through. */
class ComposeFileFuzzTest {

    private static final String SECRET = "s3cr3t-value";
    private static final Map<String, String> VARIABLES = Map.of("NAME", SECRET, "CERT", SECRET, "EMPTY", "");

    @Test
    void aFileIsCheckedOrRefusedWithItsName() throws Exception {
        Fuzz.of(
                        "compose",
                        "services:\n",
                        "  ",
                        "\n",
                        "- ",
                        ": ",
                        "&a ",
                        "*a",
                        "*common",
                        "<<: ",
                        "[",
                        "]",
                        "{",
                        "}",
                        "!!binary ",
                        "|\n",
                        "? ",
                        "\"",
                        "${CERT}",
                        "millau.path=/${NAME}",
                        "millau.enabled=",
                        "millau.admin.path=/admin",
                        "millau.${CERT}.path=/",
                        "null",
                        "~",
                        "\t",
                        "\0",
                        "%YAML 9\n---\n")
                .check((input, random) -> {
                    String text = new String(input, StandardCharsets.UTF_8);
                    try {
                        ComposeFile file = ComposeFile.check("stack.yml", text, VARIABLES::get);
                        for (String line : file.findings().lines("stack.yml")) {
                            assertThat(line).startsWith("stack.yml:").doesNotContain(SECRET);
                            int number = Integer.parseInt(line.split(":", 3)[1]);
                            assertThat(number).isBetween(1, (int) text.lines().count() + 1);
                        }
                    } catch (NotComposeException e) {
                        assertThat(e.getMessage()).startsWith("stack.yml").contains("expected");
                        assertThat(e.getMessage()).doesNotContain(SECRET);
                    }
                });
    }

    @Test
    void aTextIsFilledAsComposeDoesOrItsMistakeIsNamed() throws Exception {
        Fuzz.of("interpolation", "$", "${", "}", ":-", "-", "?", ":?", "+", "NAME", "UNSET", "EMPTY", "$$")
                .check((input, random) -> {
                    String text = new String(input, StandardCharsets.UTF_8);
                    Interpolation filled = new Interpolation(text, VARIABLES::get);
                    if (!text.contains("$")) {
                        assertThat(filled.text()).isEqualTo(text);
                        assertThat(filled.problems()).isEmpty();
                    }
                    assertThat(new Interpolation(text.replace("$", "$$"), VARIABLES::get).text())
                            .isEqualTo(text);
                    for (String problem : filled.problems()) {
                        assertThat(problem)
                                .containsAnyOf("expected", "is not set")
                                .doesNotContain(SECRET);
                    }
                });
    }
}
