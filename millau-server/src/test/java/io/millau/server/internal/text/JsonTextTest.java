package io.millau.server.internal.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millau.server.StrictJson;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonTextTest {

    @Test
    void objectsAndArraysMayHoldAllTypes() {
        JsonText json = new JsonText().beginObject();
        json.name("text")
                .value("a")
                .name("none")
                .value((String) null)
                .name("yes")
                .value(true);
        json.name("long")
                .value(Long.MIN_VALUE)
                .name("time")
                .value(Instant.EPOCH)
                .name("never")
                .value((Instant) null);
        json.name("empty").beginArray().endArray().name("list").values(List.of("x", "y"));
        json.name("of")
                .beginArray()
                .beginObject()
                .endObject()
                .beginObject()
                .name("a")
                .value(1)
                .endObject();
        json.endArray().endObject();

        assertThat(json)
                .hasToString("{\"text\":\"a\",\"none\":null,\"yes\":true,\"long\":-9223372036854775808,"
                        + "\"time\":\"1970-01-01T00:00:00Z\",\"never\":null,\"empty\":[],\"list\":[\"x\",\"y\"],"
                        + "\"of\":[{},{\"a\":1}]}");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "1, 1",
        "0.5, 0.500",
        "0.0004, 0",
        "0.0005, 0.001",
        "12.3456, 12.346",
        "0.07, 0.070",
        "-0.25, -0.250",
        "-7.125, -7.125",
        "-0.0001, 0",
        "1e15, 1000000000000000",
        "NaN, 0"
    })
    void numbersHaveAtMostThreeDecimals(double number, String written) throws Exception {
        assertThat(new JsonText().value(number)).hasToString(written);
        StrictJson.read(written);
    }

    @ParameterizedTest
    @CsvSource({"Infinity", "-Infinity", "1.7976931348623157e308"})
    void numbersThatJsonCannotExpressBecomeValid(double number) throws Exception {
        StrictJson.read(new JsonText().value(number).toString());
    }

    /** All characters, including unpaired surrogates: a reader gets the same text back. */
    @Test
    void everyCharacterSurvives() throws Exception {
        for (int from = 0; from < 0x10000; from += 0x100) {
            StringBuilder text = new StringBuilder();
            for (int c = from; c < from + 0x100; c++) {
                text.append((char) c).append('.'); // so that two surrogates do not form a pair
            }
            String written = new JsonText().value(text.toString()).toString();

            assertThat(StrictJson.read(written).textValue()).isEqualTo(text.toString());
            assertThat(written.chars())
                    .noneMatch(c -> c < ' ' || c == 0x7f || c == '<' || c == 0x2028 || c == 0x2029)
                    .noneMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
        }
    }

    @Test
    void onlyUnpairedSurrogatesAreEscaped() {
        assertThat(new JsonText().value("😀")).hasToString("\"😀\"");
        assertThat(new JsonText().value("\ud83d")).hasToString("\"\\ud83d\"");
        assertThat(new JsonText().value("\ude00\ud83d")).hasToString("\"\\ude00\\ud83d\"");
        assertThat(new JsonText().value("\ud83d\ud83d\ude00")).hasToString("\"\\ud83d😀\"");
    }

    @Test
    void namesAreEscapedLikeValues() throws Exception {
        String hostile = "</script>\"\\\n\u2028";
        JsonNode read = StrictJson.read(
                new JsonText().beginObject().name(hostile).value(1).endObject().toString());

        assertThat(read.path(hostile).intValue()).isEqualTo(1);
    }
}
