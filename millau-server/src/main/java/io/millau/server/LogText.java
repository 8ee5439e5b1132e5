package io.millau.server;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Values as lines of the log have them, {@code key=value}: in quotes where they are more than a word, and always in one line. */
final class LogText {

    private static final int LONGEST = 300;

    private LogText() {}

    static String value(@Nullable Object value) {
        String text = String.valueOf(value);
        String shown = text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "…";
        return isWord(shown) ? shown : new JsonText().value(shown).toString();
    }

    /** The same, made only if the line is written. */
    static Object later(Supplier<?> value) {
        return new Object() {
            @Override
            public String toString() {
                return value(value.get());
            }
        };
    }

    private static boolean isWord(String text) {
        return !text.isEmpty()
                && text.chars().noneMatch(c -> c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 127);
    }
}
