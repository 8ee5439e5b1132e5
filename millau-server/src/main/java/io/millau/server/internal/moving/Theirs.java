package io.millau.server.internal.moving;

import io.millau.core.internal.Words;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A label or variable of another proxy. Immutable.
 *
 * @param key its whole name, as it is written
 * @param option what its row is found by: its name without names that users choose
 * @param value as it is written, with its variables; it may be secret
 * @param siblings values of the other options of the same thing, by their names in lower case
 */
record Theirs(String key, String option, String value, Map<String, String> siblings) {

    private static final Set<String> TRUE = Set.of("1", "t", "T", "true", "TRUE", "True");
    private static final Set<String> FALSE = Set.of("0", "f", "F", "false", "FALSE", "False");

    private static final Pattern VARIABLE =
            Pattern.compile("\\$(?:[A-Za-z_][A-Za-z0-9_]*|\\{[A-Za-z_][A-Za-z0-9_]*\\})");

    /** The last part of the name, such as that of a header. */
    String name() {
        return option.substring(option.lastIndexOf('.') + 1);
    }

    String lowerCase() {
        return value.toLowerCase(Locale.ROOT);
    }

    /** The value of another option; empty if there is none. */
    String sibling(String name) {
        return siblings.getOrDefault(name, "");
    }

    /**
     * What is printed for a value that may be secret: a variable, or a word that the user has to replace, and that no protecting label
     * takes.
     */
    String secret() {
        return VARIABLE.matcher(value).matches() ? value : Words.PLACEHOLDER + key.replaceAll("[^A-Za-z0-9._-]", "_");
    }

    /**
     * A value that is true or false, as Go reads it.
     *
     * @throws IllegalArgumentException if it is neither, such as a variable
     */
    static boolean bool(String value) {
        if (!isTrue(value) && !isFalse(value)) {
            throw new IllegalArgumentException("expected true or false");
        }
        return isTrue(value);
    }

    static boolean isTrue(String value) {
        return TRUE.contains(value.strip());
    }

    static boolean isFalse(String value) {
        return FALSE.contains(value.strip());
    }
}
