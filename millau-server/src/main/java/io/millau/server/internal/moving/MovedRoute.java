package io.millau.server.internal.moving;

import io.millau.core.internal.ServiceLabels;
import io.millau.core.internal.Words;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The labels of one route, without prefix; or the variables of Millau's environment. For one thread. */
final class MovedRoute {

    private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");
    private static final Pattern HEADER = Pattern.compile("(?:request|response)-header\\.(.*)", Pattern.DOTALL);
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,100}");

    private final String name;
    private final Map<String, String> labels = new LinkedHashMap<>();
    private final Map<String, String> changes = new LinkedHashMap<>();

    /** Whether it does nothing but redirect to HTTPS. */
    private boolean onlyRedirects;

    /** Whether it is served over plain HTTP. */
    private boolean plain;

    /** The route that this one has become a part of. */
    private @Nullable MovedRoute whole;

    /** @param name what the other proxy's user calls it */
    MovedRoute(String name) {
        this.name = name;
    }

    String name() {
        return name;
    }

    Map<String, String> labels() {
        return labels;
    }

    /** The value of a label; empty if it has none. */
    String get(String label) {
        return labels.getOrDefault(label, "");
    }

    Set<String> hosts() {
        return get("hosts").isEmpty()
                ? Set.of()
                : new LinkedHashSet<>(Arrays.asList(get("hosts").split(" ")));
    }

    /** @throws IllegalArgumentException if it can't have this value, or has another; the message shows no secret */
    void set(String label, String value) {
        String before = labels.get(label);
        if (before != null && !before.equals(value)) {
            throw new IllegalArgumentException("millau." + label + " has another value already, and a route has one");
        }
        check(label, value);
        replace(label, value);
    }

    /** @throws IllegalArgumentException if it has another; the message shows no secret */
    void setVariable(String variable, String value) {
        String before = labels.get(variable);
        if (before != null && !before.equals(value)) {
            throw new IllegalArgumentException(
                    variable + " has another value already, and is for all of Millau: choose one");
        }
        if (CONTROL.matcher(value).find()) {
            throw new IllegalArgumentException("expected one line for " + variable);
        }
        replace(variable, value);
    }

    /** Replaces a label that was set before. */
    void replace(String label, String value) {
        if (!value.equals(labels.put(label, value))) {
            changes.put(label, value);
        }
    }

    /** The labels that were set since this was called before. */
    Map<String, String> takeChanges() {
        Map<String, String> taken = new LinkedHashMap<>(changes);
        changes.clear();
        return taken;
    }

    void remove(String label) {
        labels.remove(label);
    }

    /** Asks the reader of our labels. Values of variables are not known here, nor those that are not shown. */
    private static void check(String label, String value) {
        Matcher header = HEADER.matcher(label);
        if (header.matches() && !NAME.matcher(header.group(1)).matches()) {
            throw new IllegalArgumentException("expected a header's name of letters, digits and hyphens");
        }
        if (CONTROL.matcher(value).find()) {
            throw new IllegalArgumentException("expected one line for millau." + label);
        }
        boolean unknown = value.contains("$") || value.contains(Words.PLACEHOLDER);
        if (unknown && !header.matches()) {
            return;
        }
        String name = ServiceLabels.PREFIX + label;
        ServiceLabels.read(Map.of(name, unknown ? "" : value), Set.of(80)).problems().stream()
                .filter(problem -> problem.startsWith(name))
                .findFirst()
                .ifPresent(problem -> {
                    throw new IllegalArgumentException(problem);
                });
    }

    void redirectOnly() {
        onlyRedirects = true;
    }

    boolean onlyRedirects() {
        return onlyRedirects;
    }

    void servePlain() {
        plain = true;
    }

    boolean isPlain() {
        return plain;
    }

    /** This route is a part of another from now on. */
    void joins(MovedRoute other) {
        whole = other;
    }

    /** The route that it is a part of, or itself. */
    MovedRoute whole() {
        return whole == null ? this : whole.whole();
    }
}
