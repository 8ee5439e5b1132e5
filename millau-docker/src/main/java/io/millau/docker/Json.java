package io.millau.docker;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A value of an engine's response. A field that is missing or null reads as an empty text, as 0, false, or an object or
 * array without elements. Immutable.
 */
final class Json implements Iterable<Json> {

    static final JsonFactory FACTORY = new JsonFactory();

    static final Json NOTHING = new Json("");

    /** A {@code Map<String, Json>}, {@code List<Json>}, String, Number or Boolean. */
    private final Object value;

    private Json(Object value) {
        this.value = value;
    }

    static Json object(Map<String, Json> fields) {
        return new Json(fields);
    }

    static Json array(List<Json> elements) {
        return new Json(elements);
    }

    /** @param value a String, Number or Boolean */
    static Json scalar(Object value) {
        return new Json(value);
    }

    /** Reads a whole response; nothing if it is empty. */
    static Json read(InputStream body) throws IOException {
        try (JsonParser parser = FACTORY.createParser(body)) {
            return parser.nextToken() == null ? NOTHING : Fields.ALL.read(parser);
        }
    }

    /** Returns the value of a field. */
    Json path(String field) {
        return fields().getOrDefault(field, NOTHING);
    }

    boolean has(String field) {
        return fields().containsKey(field);
    }

    /** The fields of an object, in the order of the response. */
    @SuppressWarnings("unchecked") // The constructors' types.
    Map<String, Json> fields() {
        return value instanceof Map ? (Map<String, Json>) value : Map.of();
    }

    /** The elements of an array, or the values of an object. */
    @Override
    @SuppressWarnings("unchecked") // The constructors' types.
    public Iterator<Json> iterator() {
        Collection<Json> elements = value instanceof List ? (List<Json>) value : fields().values();
        return elements.iterator();
    }

    /** Returns a scalar as text; empty for an object or array. */
    String asText() {
        return value instanceof Map || value instanceof List ? "" : value.toString();
    }

    String asText(String absent) {
        return this == NOTHING ? absent : asText();
    }

    int asInt() {
        return asInt(0);
    }

    /** @param otherwise where there is no number */
    int asInt(int otherwise) {
        return value instanceof Number number ? number.intValue() : otherwise;
    }

    long asLong() {
        return value instanceof Number number ? number.longValue() : 0;
    }

    boolean asBoolean() {
        return Boolean.TRUE.equals(value);
    }

    /**
     * Returns a required text field.
     *
     * @throws IllegalArgumentException if it is missing
     */
    String text(String field) {
        String text = path(field).asText();
        if (text.isEmpty()) {
            throw new IllegalArgumentException(field + " is missing in the engine's response");
        }
        return text;
    }

    /** Returns an object's fields as texts; empty if there is no object. */
    Map<String, String> strings() {
        Map<String, String> strings = new TreeMap<>();
        fields().forEach((name, text) -> strings.put(name, text.asText()));
        return strings;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Json json && value.equals(json.value);
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }

    @Override
    public String toString() {
        return value.toString();
    }
}
