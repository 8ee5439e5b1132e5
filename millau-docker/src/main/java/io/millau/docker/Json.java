package io.millau.docker;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.TreeMap;

/** Helpers for reading an engine's responses. */
final class Json {

    private Json() {}

    /**
     * A text that every engine gives.
     *
     * @throws IllegalArgumentException if this one doesn't
     */
    static String text(JsonNode json, String field) {
        String text = json.path(field).asText();
        if (text.isEmpty()) {
            throw new IllegalArgumentException(field + " is missing in the engine's answer");
        }
        return text;
    }

    /** An object of texts; empty if it is missing. */
    static Map<String, String> strings(JsonNode json) {
        Map<String, String> strings = new TreeMap<>();
        json.properties()
                .forEach(field -> strings.put(field.getKey(), field.getValue().asText()));
        return strings;
    }
}
