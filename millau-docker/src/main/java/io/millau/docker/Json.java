package io.millau.docker;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.TreeMap;

/** Helpers for reading an engine's responses. */
final class Json {

    private Json() {}

    /**
     * Returns a required text field.
     *
     * @throws IllegalArgumentException if it is missing
     */
    static String text(JsonNode json, String field) {
        String text = json.path(field).asText();
        if (text.isEmpty()) {
            throw new IllegalArgumentException(field + " is missing in the engine's response");
        }
        return text;
    }

    /** Returns an object's fields as texts; empty if there is no object. */
    static Map<String, String> strings(JsonNode json) {
        Map<String, String> strings = new TreeMap<>();
        json.properties()
                .forEach(field -> strings.put(field.getKey(), field.getValue().asText()));
        return strings;
    }
}
