package io.millau.server.internal.text;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Writes JSON (RFC 8259) in one line. For one thread. */
public final class JsonText {

    private static final char[] DIGITS = "0123456789abcdef".toCharArray();

    private final StringBuilder out;
    private boolean needsComma;

    JsonText() {
        this(new StringBuilder(256));
    }

    public JsonText(StringBuilder out) {
        this.out = out;
    }

    public JsonText beginObject() {
        return begin('{');
    }

    public JsonText endObject() {
        return end('}');
    }

    public JsonText beginArray() {
        return begin('[');
    }

    public JsonText endArray() {
        return end(']');
    }

    private JsonText begin(char bracket) {
        separate();
        out.append(bracket);
        needsComma = false;
        return this;
    }

    private JsonText end(char bracket) {
        out.append(bracket);
        needsComma = true;
        return this;
    }

    public JsonText name(String name) {
        separate();
        quote(name);
        out.append(':');
        needsComma = false;
        return this;
    }

    public JsonText value(@Nullable String text) {
        separate();
        if (text == null) {
            out.append("null");
        } else {
            quote(text);
        }
        return this;
    }

    public JsonText value(long number) {
        separate();
        out.append(number);
        return this;
    }

    /** Writes a number with at most three decimals. */
    public JsonText value(double number) {
        separate();
        long thousandths = Math.round(Math.abs(number) * 1000);
        if (number < 0 && thousandths > 0) {
            out.append('-');
        }
        out.append(thousandths / 1000);
        int rest = (int) (thousandths % 1000);
        if (rest > 0) {
            out.append('.').append((char) ('0' + rest / 100));
            out.append((char) ('0' + rest / 10 % 10)).append((char) ('0' + rest % 10));
        }
        return this;
    }

    public JsonText value(boolean truth) {
        separate();
        out.append(truth);
        return this;
    }

    public JsonText value(@Nullable Instant time) {
        return value(time == null ? null : time.toString());
    }

    public JsonText values(Iterable<String> texts) {
        beginArray();
        texts.forEach(this::value);
        return endArray();
    }

    private void separate() {
        if (needsComma) {
            out.append(',');
        }
        needsComma = true;
    }

    /** Writes a string. Also escapes characters that end a line in JavaScript, or a script in HTML. */
    private void quote(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ' || c == 0x7f || c == '<' || c == '\u2028' || c == '\u2029' || isLoneSurrogate(text, i)) {
                out.append("\\u").append(DIGITS[c >> 12]).append(DIGITS[c >> 8 & 15]);
                out.append(DIGITS[c >> 4 & 15]).append(DIGITS[c & 15]);
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }

    private static boolean isLoneSurrogate(String text, int at) {
        char c = text.charAt(at);
        if (Character.isHighSurrogate(c)) {
            return at + 1 == text.length() || !Character.isLowSurrogate(text.charAt(at + 1));
        }
        return Character.isLowSurrogate(c) && (at == 0 || !Character.isHighSurrogate(text.charAt(at - 1)));
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
