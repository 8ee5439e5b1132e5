package io.millau.server.cli;

import io.millau.core.Problem;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** The findings in one file, with their lines. For one thread. */
final class Diagnostics {

    private record Finding(int line, String text) {}

    private final List<Finding> all = new ArrayList<>();
    private int problems;

    void problem(int line, Problem problem) {
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
    static int lineOf(Problem problem, Map<String, Integer> lines, int otherwise) {
        return lines.keySet().stream()
                .filter(key -> problem.message().startsWith(key)
                        && !problem.message().substring(key.length()).matches("(?s)[A-Za-z0-9_-].*"))
                .max(Comparator.comparingInt(String::length))
                .map(lines::get)
                .orElse(otherwise);
    }

    int problems() {
        return problems;
    }

    /** One text per finding, in the file's order. */
    List<String> lines(String file) {
        return all.stream()
                .sorted(Comparator.comparingInt(Finding::line))
                .map(finding -> file + ":" + finding.line() + ": " + finding.text())
                .distinct()
                .toList();
    }
}
