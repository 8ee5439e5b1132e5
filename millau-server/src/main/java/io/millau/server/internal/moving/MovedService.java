package io.millau.server.internal.moving;

import io.millau.core.internal.Label;
import io.millau.core.internal.Labels;
import io.millau.core.internal.ServiceLabels;
import io.millau.core.internal.Words;
import io.millau.server.internal.compose.ComposeServices;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the labels of one service become: a line for each, and the new labels. If one that may protect the service can't be carried over,
 * the new labels close it. For one thread.
 */
final class MovedService {

    /** What makes a route differ from the others of its service: not for all of them. */
    private static final Set<String> OF_ROUTES = Set.of("port", "hosts", "path");

    private static final Pattern MIDDLEWARE =
            Pattern.compile("traefik\\.http\\.middlewares\\.[^.]+\\.", Pattern.CASE_INSENSITIVE);

    private static final Pattern PLAIN = Pattern.compile("[A-Za-z][ -~]*");

    /** What YAML takes for a mapping or a comment. */
    private static final Set<String> NOT_PLAIN = Set.of(": ", " #");

    private static final int LONGEST_SHOWN = 200;

    private static final Set<String> RESERVED = Stream.concat(
                    Labels.ALL.inFile().stream(), Stream.of(Labels.PORT, Labels.NETWORK))
            .map(Label::name)
            .collect(Collectors.toUnmodifiableSet());

    private final String name;
    private final boolean inSwarm;
    private final Map<String, String> unread;
    private final List<String> order;
    private final List<Line> lines = new ArrayList<>();
    private final List<MovedRoute> routes = new ArrayList<>();
    private final MovedRoute environment = new MovedRoute("");
    private final Map<String, String> ofAll = new LinkedHashMap<>();

    /** Labels of theirs that are needed as they are. */
    private final Map<String, String> kept = new LinkedHashMap<>();

    private int closings;

    /**
     * A line about one of their labels.
     *
     * @param set what was set, which may have become another since
     * @param route null if it is about none
     */
    private record Line(
            String key, Map<String, String> set, @Nullable MovedRoute route, String remark, boolean problem) {}

    MovedService(ComposeServices.Service service) {
        this.name = service.name();
        this.inSwarm = service.inSwarm();
        this.unread = service.unread();
        this.order = Stream.concat(service.labels().keySet().stream(), service.environment().keySet().stream())
                .toList();
    }

    String name() {
        return name;
    }

    /** By key, why there may be more labels or variables that were not read. */
    Map<String, String> unread() {
        return unread;
    }

    List<MovedRoute> routes() {
        return routes;
    }

    /** The environment that Millau needs in place of this service, if it is the other proxy. */
    MovedRoute environment() {
        return environment;
    }

    /** The number of labels that can't be carried over. */
    int problems() {
        return (int)
                lines.stream().filter(Line::problem).map(Line::key).distinct().count();
    }

    /** How often something could not be carried over that may say who may come in. */
    int closings() {
        return closings;
    }

    boolean isEmpty() {
        return lines.isEmpty();
    }

    /** Carries a label over to a route, and says so. */
    void move(Row row, Theirs theirs, MovedRoute route) {
        try {
            route.takeChanges();
            String remark = row.action().apply(theirs, route);
            lines.add(new Line(theirs.key(), route.takeChanges(), route, remark, false));
        } catch (IllegalArgumentException e) {
            if (row.protects()) {
                close(theirs.key(), String.valueOf(e.getMessage()));
            } else {
                cannot(theirs.key(), String.valueOf(e.getMessage()));
            }
        }
    }

    /** Says of a label what it becomes, or why it needs none. */
    void note(String key, String remark) {
        lines.add(new Line(key, Map.of(), null, remark, false));
    }

    /** Prints a label as it is beside the new ones. */
    void keep(String label, String value, String why) {
        kept.put(label, value);
        note(label, why);
    }

    boolean keeps(String label) {
        return kept.containsKey(label);
    }

    /** Says of a label why it can't be carried over. */
    void cannot(String key, String why) {
        lines.add(new Line(key, Map.of(), null, why, true));
    }

    /** The same, of one that may say who may come in: the service has to stay closed. */
    void close(String key, String why) {
        close();
        cannot(key, why);
    }

    /** The same, if another service says why. */
    void close() {
        closings++;
    }

    /** What its labels become, in their order, and its new labels; empty if nothing is carried over. */
    List<String> text() {
        Map<MovedRoute, String> names = names();
        hoist();
        List<String> text = new ArrayList<>(explanations(names));
        if (!routes.isEmpty()) {
            text.add(inSwarm ? "  deploy.labels:" : "  labels:");
            kept.forEach((label, value) -> text.add("    - " + yaml(label + "=" + value)));
            if (closings > 0) {
                text.add(
                        "    # not true before what can't be carried over is replaced, since it may have protected this service");
            }
            ofAll.forEach((label, value) -> text.add("    - " + yaml("millau." + label + "=" + value)));
            routes.forEach(route -> route.labels()
                    .forEach((label, value) ->
                            text.add("    - " + yaml(prefix(names.get(route)) + label + "=" + value))));
        }
        if (!environment.labels().isEmpty()) {
            text.add("  environment of millau:");
            environment.labels().forEach((name, value) -> text.add("    - " + yaml(name + "=" + value)));
        }
        return withName(text);
    }

    /** What can't be carried over, in the order of its labels: a line for the options of one middleware that have the same reason. */
    List<String> problemText() {
        Map<String, Set<String>> reasons = byKey();
        lines.stream()
                .filter(Line::problem)
                .forEach(line -> reasons.computeIfAbsent(line.key, key -> new LinkedHashSet<>())
                        .add(line.remark));
        Map<List<String>, List<String>> keys = new LinkedHashMap<>();
        reasons.forEach((key, ofKey) ->
                ofKey.forEach(reason -> keys.computeIfAbsent(List.of(group(key), reason), group -> new ArrayList<>())
                        .add(key)));
        List<String> text = new ArrayList<>();
        keys.forEach((group, of) -> text.add("  "
                + of.stream()
                        .map(key -> shown(
                                key.equals(of.get(0))
                                        ? key
                                        : key.substring(group.get(0).length())))
                        .collect(Collectors.joining(", "))
                + " can't be carried over: " + group.get(1)));
        return withName(text);
    }

    private List<String> withName(List<String> text) {
        if (!text.isEmpty()) {
            text.add(0, Words.shown(name));
        }
        return text;
    }

    /** What the options of one middleware begin with; else the label itself. */
    private static String group(String key) {
        Matcher middleware = MIDDLEWARE.matcher(key);
        return middleware.lookingAt() ? middleware.group() : key;
    }

    private Map<String, Set<String>> byKey() {
        Map<String, Set<String>> texts = new LinkedHashMap<>();
        order.forEach(key -> texts.put(key, new LinkedHashSet<>()));
        return texts;
    }

    private List<String> explanations(Map<MovedRoute, String> names) {
        Map<String, Set<String>> texts = byKey();
        Set<String> withProblem =
                lines.stream().filter(Line::problem).map(Line::key).collect(Collectors.toSet());
        Map<String, String> needless = new LinkedHashMap<>();
        for (Line line : lines) {
            if (line.problem) {
                continue;
            }
            Set<String> ofKey = texts.computeIfAbsent(line.key, key -> new LinkedHashSet<>());
            String became = became(line, names);
            if (!became.isEmpty()) {
                ofKey.add(" becomes " + became + (line.remark.isEmpty() ? "" : " (" + line.remark + ")"));
            } else {
                boolean ofEnvironment = line.route == environment;
                boolean leftOut = !ofEnvironment
                        && line.route != null
                        && !names.containsKey(line.route.whole())
                        && !line.set.isEmpty();
                String remark = leftOut
                        ? "it is of a route that is left out"
                        : line.set.isEmpty() ? line.remark : "another router serves the same over plain HTTP";
                needless.put(
                        line.key,
                        (ofEnvironment ? " needs no variable" : keeps(line.key) ? " stays as it is" : " needs no label")
                                + (remark.isEmpty() ? "" : ": " + remark));
            }
        }
        needless.forEach((key, text) -> {
            if (!withProblem.contains(key) && texts.getOrDefault(key, Set.of()).isEmpty()) {
                texts.put(key, Set.of(text));
            }
        });
        List<String> all = new ArrayList<>();
        texts.forEach((key, ofKey) -> ofKey.forEach(text -> all.add("  " + shown(key) + text)));
        return all;
    }

    private static String shown(String key) {
        String name = Words.withoutValue(key);
        return name.length() <= LONGEST_SHOWN ? name : name.substring(0, LONGEST_SHOWN) + "…";
    }

    private String became(Line line, Map<MovedRoute, String> names) {
        if (line.route == environment) {
            return line.set.keySet().stream()
                    .map(name -> name + "=" + environment.get(name))
                    .collect(Collectors.joining(", "));
        }
        if (line.route == null || !names.containsKey(line.route.whole())) {
            return "";
        }
        MovedRoute route = line.route.whole();
        Set<String> became = new LinkedHashSet<>();
        line.set.keySet().forEach(label -> {
            if (ofAll.containsKey(label)) {
                became.add("millau." + label + "=" + ofAll.get(label));
            } else if (route.labels().containsKey(label)) {
                became.add(prefix(names.get(route)) + label + "=" + route.get(label));
            }
        });
        return String.join(", ", became);
    }

    private static String prefix(@Nullable String route) {
        return ServiceLabels.PREFIX + (route == null || route.isEmpty() ? "" : route + ".");
    }

    /** The names of routes: none if there is one. */
    private Map<MovedRoute, String> names() {
        Map<MovedRoute, String> names = new LinkedHashMap<>();
        for (MovedRoute route : routes) {
            String plain = route.name().replaceAll("[^A-Za-z0-9]+", "-").replaceAll("^-+|-+$", "");
            String of = plain.isEmpty() || RESERVED.contains(plain) ? (plain + "-route").replaceAll("^-", "") : plain;
            String unique = of;
            for (int i = 2; names.containsValue(unique); i++) {
                unique = of + "-" + i;
            }
            names.put(route, routes.size() == 1 ? "" : unique);
        }
        return names;
    }

    /** What all routes have in common is said once. What a label without a route's name says, a route can't take back. */
    private void hoist() {
        ofAll.put(Labels.ENABLED.name(), String.valueOf(closings == 0));
        routes.forEach(route -> route.remove(Labels.ENABLED.name()));
        if (routes.size() < 2) {
            return;
        }
        Map<String, String> first = new LinkedHashMap<>(routes.get(0).labels());
        first.forEach((label, value) -> {
            boolean common = !OF_ROUTES.contains(label)
                    && routes.stream().allMatch(route -> route.get(label).equals(value));
            if (common) {
                ofAll.put(label, value);
                routes.forEach(route -> route.remove(label));
            }
        });
        routes.stream()
                .filter(route ->
                        OF_ROUTES.stream().allMatch(label -> route.get(label).isEmpty()))
                .forEach(route -> route.set("path", "/"));
    }

    /** A scalar, quoted where YAML needs it. */
    private static String yaml(String text) {
        boolean plain = PLAIN.matcher(text).matches()
                && NOT_PLAIN.stream().noneMatch((text + " ")::contains)
                && !text.endsWith(" ");
        return plain ? text : "'" + text.replace("'", "''") + "'";
    }
}
