package io.millau.core;

import io.millau.core.internal.Labels;
import io.millau.core.internal.PropertyLines;
import io.millau.core.internal.ServiceKeys;
import io.millau.core.internal.Words;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/** What a services file says of each service, before labels are read. For one thread. */
final class DeclaredServices {

    /** In place of these, a file without an end of its last line may be half written. */
    static final DeclaredServices NONE = none();

    private final ServiceKeys services;
    private final Map<String, Map<String, String>> values = new TreeMap<>();
    private final Map<String, List<String>> mistakes = new HashMap<>();
    private final List<Problem> problems = new ArrayList<>();
    private final Set<String> keys = new TreeSet<>();
    private String lastKey = "";
    private boolean endsWithLine;

    /**
     * Parses a file.
     *
     * @param name the file's name in problems that belong to no service
     * @throws IOException if it isn't text in UTF-8 at all
     */
    static DeclaredServices parse(String name, byte[] file) throws IOException {
        List<PropertyLines.Entry> entries = PropertyLines.read(file);
        DeclaredServices declared = new DeclaredServices(entries);
        declared.readValues(entries);
        declared.readMistakes(name, entries);
        declared.endsWithLine = file.length > 0 && file[file.length - 1] == '\n';
        return declared;
    }

    private static DeclaredServices none() {
        DeclaredServices none = new DeclaredServices(List.of());
        none.endsWithLine = true;
        return none;
    }

    private DeclaredServices(List<PropertyLines.Entry> entries) {
        services =
                new ServiceKeys(entries.stream().map(PropertyLines.Entry::key).toList());
    }

    private void readValues(List<PropertyLines.Entry> entries) {
        Map<String, Integer> lines = new HashMap<>();
        for (PropertyLines.Entry entry : entries) {
            keys.add(entry.key());
            lastKey = entry.key();
            String service = services.serviceOf(entry.key());
            if (entry.mistake() == null && !service.isEmpty()) {
                values.computeIfAbsent(service, s -> new TreeMap<>()).put(entry.key(), entry.value());
                Integer before = lines.put(entry.key(), entry.line());
                if (before != null) {
                    problems.add(new Problem(
                            service,
                            entry.key() + " is there twice: line " + entry.line() + " counts, line " + before
                                    + " has no effect"));
                }
            }
        }
    }

    /** After the values, since a mistake in a key may hide the name of its service. */
    private void readMistakes(String name, List<PropertyLines.Entry> entries) {
        for (PropertyLines.Entry entry : entries) {
            String key = entry.key();
            String service = services.serviceOf(key);
            if (service.isEmpty()) {
                problems.add(new Problem(
                        name,
                        entry.mistake() != null
                                ? entry.mistake()
                                : "line " + entry.line() + ": expected a key like NAME." + Labels.ENDPOINTS));
            } else if (entry.mistake() != null) {
                String nearest = values.containsKey(service) ? service : Words.nearest(service, values.keySet());
                addMistake(nearest == null ? service : nearest, entry.mistake());
            } else if (key.indexOf('.') < 0) {
                addLoneKey(key);
            } else if (key.endsWith(".")) {
                addMistake(service, key + ": expected the name of a label after the dot, without a blank");
            }
        }
    }

    /** {@code app hosts=one.com} has the key {@code app}, and {@code app,hosts=one.com} one that is near to a key. */
    private void addLoneKey(String key) {
        Predicate<String> isMeant = service -> Labels.ALL.inFile().stream()
                .anyMatch(label ->
                        key.length() == service.length() + 1 + label.name().length()
                                && key.startsWith(service)
                                && key.endsWith(label.name()));
        String meant = values.keySet().stream()
                .filter(service -> !service.equals(key))
                .filter(isMeant)
                .findFirst()
                .orElse(null);
        if (meant == null) {
            addMistake(key, "expected keys like " + key + "." + Labels.ENDPOINTS);
        } else {
            values.remove(key);
            addMistake(meant, key + ": expected " + meant + "." + key.substring(meant.length() + 1));
        }
    }

    private void addMistake(String service, String message) {
        values.computeIfAbsent(service, s -> new TreeMap<>());
        mistakes.computeIfAbsent(service, s -> new ArrayList<>()).add(message);
    }

    /** The values by service, each with its full key. */
    Map<String, Map<String, String>> values() {
        return values;
    }

    /** Why not all lines of a service can be read; empty if they can. */
    List<String> mistakes(String service) {
        return mistakes.getOrDefault(service, List.of());
    }

    /** The problems that change no service. */
    List<Problem> problems() {
        return problems;
    }

    /** Whether this could be the beginning of a file that is still being written, in place of an earlier one. */
    boolean mayBePartOf(DeclaredServices earlier) {
        return !values.keySet().containsAll(earlier.values.keySet())
                || !earlier.keys.isEmpty() && !keys.contains(earlier.lastKey)
                || earlier.endsWithLine && !endsWithLine;
    }
}
