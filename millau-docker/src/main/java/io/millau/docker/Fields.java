package io.millau.docker;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The fields that count in a response. All others, most of what an engine says of a service or task, are skipped while it is read.
 * Immutable.
 */
final class Fields {

    static final Fields ALL = new Fields(Map.of());

    /** By name, with what counts of their values; empty if everything counts. */
    private final Map<String, Fields> within;

    private Fields(Map<String, Fields> within) {
        this.within = within;
    }

    /** @param paths for example {@code Spec/Name}; the elements of an array have the path of the array */
    static Fields of(String... paths) {
        Fields fields = new Fields(new HashMap<>());
        for (String path : paths) {
            Fields at = fields;
            for (String name : path.split("/")) {
                // Interned, as the parser's names are: the look-ups compare no characters.
                at = at.within.computeIfAbsent(name.intern(), n -> new Fields(new HashMap<>()));
            }
        }
        return fields;
    }

    /** Reads the value at which the parser is. */
    Json read(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case START_OBJECT -> readObject(parser);
            case START_ARRAY -> readArray(parser);
            case VALUE_STRING -> Json.scalar(parser.getText());
            case VALUE_TRUE -> Json.scalar(true);
            case VALUE_FALSE -> Json.scalar(false);
            case VALUE_NULL -> Json.NOTHING;
            default -> Json.scalar(parser.getNumberValue());
        };
    }

    private Json readObject(JsonParser parser) throws IOException {
        Map<String, Json> object = new LinkedHashMap<>();
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            parser.nextToken();
            Fields value = within.isEmpty() ? ALL : within.get(name);
            if (value == null) {
                parser.skipChildren();
            } else {
                object.put(name, value.read(parser));
            }
        }
        return Json.object(object);
    }

    private Json readArray(JsonParser parser) throws IOException {
        List<Json> elements = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            elements.add(read(parser));
        }
        return Json.array(elements);
    }
}
