package io.millau.server.cli;

import java.io.IOException;
import java.io.StringReader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/** Finds the line numbers of keys in a properties file, which {@link Properties} doesn't provide. */
final class PropertyLines {

    private PropertyLines() {}

    /** The line where each key's last value, the one in effect, starts. */
    static Map<String, Integer> of(List<String> file) {
        Map<String, Integer> lines = new HashMap<>();
        for (int first = 0; first < file.size(); first++) {
            StringBuilder logical = new StringBuilder(file.get(first));
            int number = first + 1;
            boolean isComment = file.get(first).stripLeading().matches("[#!].*");
            while (!isComment && isContinued(file.get(first)) && first + 1 < file.size()) {
                first++;
                logical.append('\n').append(file.get(first));
            }
            keys(logical.toString()).forEach(key -> lines.put(key, number));
        }
        return lines;
    }

    private static boolean isContinued(String line) {
        int backslashes = 0;
        while (backslashes < line.length() && line.charAt(line.length() - 1 - backslashes) == '\\') {
            backslashes++;
        }
        return backslashes % 2 == 1;
    }

    private static Iterable<String> keys(String logicalLine) {
        Properties one = new Properties();
        try {
            one.load(new StringReader(logicalLine));
        } catch (IOException | IllegalArgumentException e) {
            return List.of();
        }
        return one.stringPropertyNames();
    }
}
