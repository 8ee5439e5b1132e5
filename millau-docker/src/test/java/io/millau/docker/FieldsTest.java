package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FieldsTest {

    private static Json read(Fields fields, String json) throws IOException {
        try (JsonParser parser = Json.FACTORY.createParser(json)) {
            parser.nextToken();
            Json read = fields.read(parser);
            assertThat(parser.nextToken()).as("everything was read").isNull();
            return read;
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'ID':'a','Spec':{'Name':'web','Env':['X=1',{'y':[2]}]},'Other':{'ID':'no'}} | {'ID':'a','Spec':{'Name':'web'}}",
                "{'Spec':{'Labels':{'a':'1','b':{'c':[2]}}}} | {'Spec':{'Labels':{'a':'1','b':{'c':[2]}}}}",
                "{'Nets':[{'Net':'n1','x':1},{'x':2},{'Net':'n3'}]} | {'Nets':[{'Net':'n1'},{},{'Net':'n3'}]}",
                "{'Spec':null,'Nets':7,'ID':{'all':true}} | {'Spec':null,'Nets':7,'ID':{'all':true}}",
                "{} | {}",
                "[] | []",
                "1 | 1",
                "null | null"
            })
    void onlyTheFieldsThatCountAreRead(String json, String expected) throws IOException {
        Fields fields = Fields.of("ID", "Spec/Name", "Spec/Labels", "Nets/Net");

        assertThat(read(fields, json.replace('\'', '"'))).isEqualTo(EngineJson.json(expected.replace('\'', '"')));
    }

    @Test
    void allAreReadWhereNoneIsNamed() throws IOException {
        assertThat(read(Fields.ALL, "{\"a\":{\"b\":1}}")).hasToString("{a={b=1}}");
    }

    @Test
    void aResponseThatEndsInASkippedFieldIsAnError() {
        assertThatThrownBy(() -> read(Fields.of("ID"), "{\"ID\":\"a\",\"Spec\":{\"Name\":["))
                .isInstanceOf(JsonProcessingException.class);
    }
}
