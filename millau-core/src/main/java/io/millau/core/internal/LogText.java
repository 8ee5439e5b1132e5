package io.millau.core.internal;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Values as lines of the log have them, {@code key=value}: in quotes where they are more than a word, short, and always in one
 * line, wherever they come from. Safe for use by several threads.
 */
public final class LogText {

    private static final int LONGEST = 1000;

    private LogText() {}

    /** A value. */
    public static String value(@Nullable Object value) {
        String text = String.valueOf(value);
        String shown = text.length() <= LONGEST ? text : cut(text) + "…";
        return isWord(shown) ? shown : quoted(shown);
    }

    /** The same, made only if the line is written. */
    public static Object later(Supplier<?> value) {
        return new Object() {
            @Override
            public String toString() {
                return value(value.get());
            }
        };
    }

    /** Not within a character of two. */
    private static String cut(String text) {
        return text.substring(0, Character.isHighSurrogate(text.charAt(LONGEST - 1)) ? LONGEST - 1 : LONGEST);
    }

    private static boolean isWord(String text) {
        return !text.isEmpty()
                && text.chars().noneMatch(c -> c <= ' ' || c == '"' || c == '=' || c == '\\' || endsLine(c));
    }

    /** Somewhere, or does worse. */
    private static boolean endsLine(int c) {
        return Character.isISOControl(c) || c == '\u2028' || c == '\u2029';
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (endsLine(c)) {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
