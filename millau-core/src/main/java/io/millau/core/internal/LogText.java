package io.millau.core.internal;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Formats values for log lines, {@code key=value}: quoted unless they are one word, limited in length, and always on
 * one line. Pure functions.
 */
public final class LogText {

    private static final int LONGEST = 1000;

    private LogText() {}

    /** Formats a value. */
    public static String value(@Nullable Object value) {
        String text = String.valueOf(value);
        String shown = text.length() <= LONGEST ? text : cut(text) + "…";
        return isWord(shown) ? shown : quoted(shown);
    }

    /** Formats a value only if the line is written. */
    public static Object later(Supplier<?> value) {
        return new Object() {
            @Override
            public String toString() {
                return value(value.get());
            }
        };
    }

    /** Doesn't split a surrogate pair. */
    private static String cut(String text) {
        return text.substring(0, Character.isHighSurrogate(text.charAt(LONGEST - 1)) ? LONGEST - 1 : LONGEST);
    }

    private static boolean isWord(String text) {
        return !text.isEmpty()
                && text.chars().noneMatch(c -> c <= ' ' || c == '"' || c == '=' || c == '\\' || endsLine(c));
    }

    /** Whether a character ends a line or controls a terminal. */
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
