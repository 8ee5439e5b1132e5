package io.millau.core.internal;

import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads a Java properties file in UTF-8, line by line, so that a mistake in one line costs no other. {@link Properties}
 * fails for the whole file, and tells neither lines nor duplicates. Pure functions.
 */
public final class PropertyLines {

    private static final String BYTE_ORDER_MARK = "\ufeff";
    private static final Pattern BLANK_OR_COMMENT = Pattern.compile("\\s*|\\s*[#!].*", Pattern.DOTALL);

    /** The key of a line that {@link Properties} can't read. */
    private static final Pattern RAW_KEY = Pattern.compile("(?:\\\\.|[^\\\\=:\\s])+", Pattern.DOTALL);

    /** Characters that nobody sees in a key: controls, a byte order mark, blanks that look like others. */
    private static final Pattern INVISIBLE = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Z}&&[^ ]]");

    /**
     * A key with its value.
     *
     * @param line the number of its first line, from 1
     * @param mistake what is wrong with it, so that its value does not count; null if nothing is. The key may have lost
     *     what could not be read.
     */
    public record Entry(
            int line, String key, String value, @Nullable String mistake) {}

    /** A line of the file, without its end. */
    private record Line(int number, String text, @Nullable String mistake) {}

    private PropertyLines() {}

    /**
     * All entries, in order.
     *
     * @throws IOException if the file isn't text in UTF-8 at all
     */
    public static List<Entry> read(byte[] file) throws IOException {
        List<Line> lines = lines(file);
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            Line first = lines.get(i);
            if (BLANK_OR_COMMENT.matcher(first.text).matches()) {
                continue;
            }
            StringBuilder logical = new StringBuilder(first.text);
            String mistake = first.mistake;
            while (isContinued(lines.get(i).text) && i + 1 < lines.size()) {
                i++;
                logical.append('\n').append(lines.get(i).text);
                mistake = mistake == null ? lines.get(i).mistake : mistake;
            }
            entries.add(entry(first.number, logical.toString(), mistake));
        }
        return entries;
    }

    private static List<Line> lines(byte[] file) throws IOException {
        for (int i = 0; i < file.length; i++) {
            if (file[i] == 0) {
                throw new IOException("expected a text file in UTF-8, but byte " + (i + 1) + " is 0");
            }
        }
        List<Line> lines = new ArrayList<>();
        int start = 0;
        for (int i = 0; i <= file.length; i++) {
            if (i == file.length || file[i] == '\n' || file[i] == '\r') {
                lines.add(line(lines.size() + 1, file, start, i));
                if (i + 1 < file.length && file[i] == '\r' && file[i + 1] == '\n') {
                    i++;
                }
                start = i + 1;
            }
        }
        return lines;
    }

    private static Line line(int number, byte[] file, int start, int end) {
        ByteBuffer bytes = ByteBuffer.wrap(file, start, end - start);
        CharBuffer chars = CharBuffer.allocate(end - start);
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        boolean malformed = decoder.decode(bytes, chars, true).isError();
        int at = bytes.position();
        String text = malformed
                ? new String(file, start, end - start, StandardCharsets.UTF_8)
                : chars.flip().toString();
        if (number == 1 && text.startsWith(BYTE_ORDER_MARK)) {
            text = text.substring(1);
        }
        return new Line(
                number,
                text,
                malformed
                        ? "line %d: expected UTF-8, but byte %d of this line is 0x%02x"
                                .formatted(number, at - start + 1, file[at])
                        : null);
    }

    private static boolean isContinued(String line) {
        int backslashes = 0;
        while (backslashes < line.length() && line.charAt(line.length() - 1 - backslashes) == '\\') {
            backslashes++;
        }
        return backslashes % 2 == 1;
    }

    private static Entry entry(int line, String text, @Nullable String mistake) {
        Properties one = new Properties();
        try {
            one.load(new StringReader(text));
        } catch (IOException | IllegalArgumentException e) {
            Matcher key = RAW_KEY.matcher(text.stripLeading());
            return new Entry(
                    line,
                    key.lookingAt() ? visible(key.group()) : "",
                    "",
                    "line " + line + ": expected four hexadecimal digits after \\u, or \\\\ for a backslash");
        }
        String key = one.stringPropertyNames().stream().findFirst().orElse("");
        Matcher invisible = INVISIBLE.matcher(key);
        if (mistake == null && invisible.find()) {
            mistake = "line %d: the key has the invisible character U+%04X, expected none"
                    .formatted(line, (int) invisible.group().charAt(0));
        }
        return new Entry(line, visible(key), one.getProperty(key, ""), mistake);
    }

    private static String visible(String key) {
        return INVISIBLE.matcher(key).replaceAll("").replace("\ufffd", "");
    }
}
