package io.millau.server.internal.compose;

import io.millau.core.Problem;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.regex.Pattern;

/** The findings in one file, with their lines. For one thread. */
public final class Diagnostics {

    private static final Pattern KEY_GOES_ON = Pattern.compile("[A-Za-z0-9_-]");

    private record Finding(int line, String text) {}

    private final List<Finding> all = new ArrayList<>();
    private int problems;

    public void problem(int line, Problem problem) {
        problems++;
        all.add(new Finding(line, problem.toString()));
    }

    /** Adds a note that is not a problem. */
    void note(int line, String service, String text) {
        all.add(new Finding(line, new Problem(service, "note: " + text).toString()));
    }

    /**
     * The line of a problem, found by the key at the start of its message.
     *
     * @param lines the lines of existing keys
     * @param otherwise the line to use if the key is missing
     */
    public static int lineOf(Problem problem, NavigableMap<String, Integer> lines, int otherwise) {
        String message = problem.message();
        return keysAtStart(message, lines).stream()
                .filter(key -> !KEY_GOES_ON
                        .matcher(message)
                        .region(key.length(), message.length())
                        .lookingAt())
                .findFirst()
                .map(lines::get)
                .orElse(otherwise);
    }

    /** The keys that a text begins with, the longest first. Takes no longer with many keys. */
    static List<String> keysAtStart(String text, NavigableMap<String, ?> keys) {
        List<String> found = new ArrayList<>();
        String key = keys.floorKey(text);
        while (key != null) {
            if (text.startsWith(key)) {
                found.add(key);
                key = keys.lowerKey(key);
            } else {
                key = keys.floorKey(
                        text.substring(0, commonLength(text, key))); // whatever is between begins with that, too
            }
        }
        return found;
    }

    private static int commonLength(String one, String other) {
        int length = 0;
        while (length < one.length() && length < other.length() && one.charAt(length) == other.charAt(length)) {
            length++;
        }
        return length;
    }

    public int problems() {
        return problems;
    }

    /** One text per finding, in the file's order. */
    public List<String> lines(String file) {
        return all.stream()
                .sorted(Comparator.comparingInt(Finding::line))
                .map(finding -> file + ":" + finding.line() + ": " + finding.text())
                .distinct()
                .toList();
    }
}
