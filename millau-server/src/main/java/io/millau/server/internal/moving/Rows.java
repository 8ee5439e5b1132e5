package io.millau.server.internal.moving;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The rows for one proxy: what the command prints, and a table of {@code docs/how-to/migrating.md}. Immutable. */
final class Rows {

    private static final Row UNKNOWN =
            Row.none("*", "it is not known here: see docs/how-to/migrating.md").protecting();

    private final Map<String, Row> byName = new LinkedHashMap<>();

    Rows(List<Row> rows) {
        rows.forEach(row -> byName.put(row.theirs(), row));
    }

    /** The row of an option: its own, else that of the longest beginning. */
    Row of(String option) {
        String name = option.toLowerCase(Locale.ROOT).replaceAll("\\[[0-9]+\\]", "");
        Row row = byName.get(name);
        for (int dot = name.lastIndexOf('.'); row == null && dot >= 0; dot = name.lastIndexOf('.', dot - 1)) {
            row = byName.get(name.substring(0, dot) + ".*");
        }
        return row == null ? UNKNOWN : row;
    }

    /** Whether there is a row for this option or what it begins with. */
    boolean know(String option) {
        return of(option) != UNKNOWN;
    }

    /** The table in Markdown. */
    String table() {
        return byName.values().stream()
                .map(row -> "| `" + row.theirs() + "` | " + row.ours() + " |\n")
                .collect(Collectors.joining("", "| theirs | ours |\n|---|---|\n", ""));
    }
}
