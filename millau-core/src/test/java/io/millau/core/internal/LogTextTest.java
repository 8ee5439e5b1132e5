package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogTextTest {

    @ParameterizedTest
    @ValueSource(strings = {"shop", "http://10.0.0.1:80", "shop.example/a?b", "1.5s", "größe", "名前", "😀"})
    void aWordIsWrittenUnchanged(String word) {
        assertThat(LogText.value(word)).isEqualTo(word);
    }

    @Test
    void otherTextIsQuoted() {
        assertThat(LogText.value("")).isEqualTo("\"\"");
        assertThat(LogText.value("two words")).isEqualTo("\"two words\"");
        assertThat(LogText.value("a=b")).isEqualTo("\"a=b\"");
        assertThat(LogText.value("say \"no\"")).isEqualTo("\"say \\\"no\\\"\"");
        assertThat(LogText.value("C:\\temp")).isEqualTo("\"C:\\\\temp\"");
        assertThat(LogText.value(null)).isEqualTo("null");
        assertThat(LogText.value(80)).isEqualTo("80");
    }

    /** Every character that ends a line for a terminal, a log shipper or a browser, also within a plain word. */
    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r", "\r\n", "\u0000", "\u001b[2K", "\u007f", "\u0085", "\u2028", "\u2029", "\t"})
    void aHostileValueIsOneLine(String end) {
        String forged = LogText.value("shop" + end + "ERROR");

        assertThat(forged).startsWith("\"shop").endsWith("ERROR\"").contains("\\u");
        assertThat(forged.codePoints()).noneMatch(c -> Character.isISOControl(c) || c == 0x2028 || c == 0x2029);
    }

    @Test
    void aValueCannotEndItsQuotes() {
        String hostile = "x\" level=ERROR \\\" service=\"y\\";
        String written = LogText.value(hostile);

        assertThat(read(written)).isEqualTo(hostile);
    }

    /** Unescapes a quoted text, as a reader of the log does. */
    private static String read(String quoted) {
        StringBuilder text = new StringBuilder();
        for (int i = 1; i < quoted.length() - 1; i++) {
            char c = quoted.charAt(i);
            assertThat(c).isNotEqualTo('"');
            text.append(c == '\\' ? quoted.charAt(++i) : c);
        }
        return text.toString();
    }

    @Test
    void aLongValueIsCutToAThousandCharacters() {
        assertThat(LogText.value("x".repeat(1_000_000))).isEqualTo("x".repeat(1000) + "…");
        assertThat(LogText.value("\n".repeat(1_000_000))).hasSize(6003);
        assertThat(LogText.value("x".repeat(1000))).hasSize(1000);
    }

    @Test
    void aSurrogatePairIsNotSplit() {
        assertThat(LogText.value("x".repeat(999) + "😀".repeat(9))).isEqualTo("x".repeat(999) + "…");
        assertThat(LogText.value("x".repeat(998) + "😀".repeat(9))).isEqualTo("x".repeat(998) + "😀…");
    }

    @Test
    void aLazyTextIsBuiltOnlyWhenItIsWritten() {
        List<String> made = new ArrayList<>();
        Object later = LogText.later(() -> {
            made.add("made");
            return "two words";
        });

        assertThat(made).isEmpty();
        assertThat(later).hasToString("\"two words\"");
        assertThat(made).hasSize(1);
    }
}
