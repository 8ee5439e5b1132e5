package io.millau.server.cli;

import io.millau.core.Problem;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** What a check found in one file, with the lines. For one thread. */
final class Diagnostics {

    private record Finding(int line, String text) {}

    private final List<Finding> all = new ArrayList<>();
    private int problems;

    void problem(int line, Problem problem) {
        problems++;
        all.add(new Finding(line, problem.toString()));
    }

    /** Something to know that is not wrong. */
    void note(int line, String service, String text) {
        all.add(new Finding(line, new Problem(service, "note: " + text).toString()));
    }

    /**
     * A problem's line: its message begins with the key that has it, or that is missing.
     *
     * @param lines of the keys that are there
     * @param otherwise the line where all of them are
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

    /** A line for each, in the file's order. */
    List<String> lines(String file) {
        return all.stream()
                .sorted(Comparator.comparingInt(Finding::line))
                .map(finding -> file + ":" + finding.line() + ": " + finding.text())
                .distinct()
                .toList();
    }
}
