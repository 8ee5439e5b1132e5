package io.millau.server.internal.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.Fuzz;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Values of fields: {@code Forwarded}, {@code Host}, lists of tokens. */
class FieldValuesFuzzTest {

    @Test
    void whatIsReadOfAValueCanBeWrittenAndReadAgain() throws Exception {
        Fuzz.of(
                        "field-values",
                        "for=",
                        "proto=https",
                        "host=",
                        ";",
                        ",",
                        "\"",
                        "\\",
                        "=",
                        "[",
                        "]",
                        ":",
                        " ",
                        "\t",
                        "close",
                        "_x")
                .check((input, random) -> {
                    String value = new String(input, StandardCharsets.ISO_8859_1);
                    checkForwarded(value);
                    checkAuthority(value);
                    for (String token : List.of("close", "te", "x-mine")) {
                        boolean there = Arrays.stream(value.split(","))
                                .anyMatch(each ->
                                        each.replaceAll("^[ \t]+|[ \t]+$", "").equalsIgnoreCase(token));
                        assertThat(HopByHop.hasToken(value, token)).isEqualTo(there);
                    }
                });
    }

    private static void checkForwarded(String value) {
        List<ForwardedField.Element> elements = ForwardedField.parse(value);
        int length = elements.stream()
                .mapToInt(each -> each.node().length()
                        + each.proto().length()
                        + each.host().length())
                .sum();
        assertThat(length).as("nothing is read twice").isLessThanOrEqualTo(value.length());
        assertThat(ForwardedField.parse(elements.stream()
                        .map(each -> "for=" + quoted(each.node()) + ";proto=" + quoted(each.proto()) + ";host="
                                + quoted(each.host()))
                        .collect(Collectors.joining(", "))))
                .isEqualTo(elements);
    }

    /** A backslash is only read outside of quotation marks. */
    private static String quoted(String text) {
        return text.contains("\\") ? text : '"' + text + '"';
    }

    private static void checkAuthority(String value) {
        if (!Authority.isValid(value)) {
            return;
        }
        assertThat(value).as("a host has nothing that ends it").doesNotContainPattern("[\\s/?#@\\\\\"<>]");
        String port = Authority.port(value);
        if (port != null) {
            assertThat(port).matches("[0-9]{1,5}");
            assertThat(value).endsWith(":" + port);
            assertThat(Authority.isValid(value.substring(0, value.length() - port.length() - 1)))
                    .isTrue();
        }
    }
}
