package io.millau.acme;

import java.util.Optional;

/** The {@code key: value} lines before the PEM blocks of a stored value. PEM readers ignore them. Pure functions. */
final class Header {

    private Header() {}

    static String line(String key, Object value) {
        return key + ": " + value + "\n";
    }

    static Optional<String> find(String text, String key) {
        return text.lines()
                .takeWhile(line -> !line.startsWith("-----"))
                .filter(line -> line.startsWith(key + ": "))
                .map(line -> line.substring(key.length() + 2).strip())
                .findFirst();
    }

    /** @throws IllegalArgumentException if there is none */
    static String get(String text, String key) {
        return find(text, key).orElseThrow(() -> new IllegalArgumentException("expected a line \"" + key + ": ...\""));
    }
}
