package io.millau.docker;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A label that services need to be taken from an engine. Immutable.
 *
 * @param name empty if they need none
 * @param value null for any
 */
record RequiredLabel(String name, @Nullable String value) {

    static final RequiredLabel NONE = new RequiredLabel("", null);

    /** Parses {@code NAME} or {@code NAME=VALUE}, as {@code docker ps --filter label=} takes it. */
    static RequiredLabel of(String text) {
        int equals = text.indexOf('=');
        String name = equals < 0 ? text : text.substring(0, equals);
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._/-]*")) {
            throw new IllegalArgumentException("expected a label, such as proxy=public or proxy");
        }
        return new RequiredLabel(name, equals < 0 ? null : text.substring(equals + 1));
    }

    boolean isIn(Map<String, String> labels) {
        return name.isEmpty() || (value == null ? labels.containsKey(name) : value.equals(labels.get(name)));
    }

    @Override
    public String toString() {
        return value == null ? name : name + "=" + value;
    }
}
