package io.millau.core.internal;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads the labels of one service, route by route: {@code millau.admin.port} is {@code millau.port} of route {@code admin}. What a
 * route does not say, it takes from the labels without a route's name.
 *
 * <p>A mistake in one route concerns all: without its route, a request could get to another one that protects less. For one use by
 * one thread.
 */
final class LabelRoutes {

    /** By these, a route differs from the others of its service. */
    private static final List<Label<?>> MAKING_ROUTES = List.of(Labels.PORT, Labels.HOSTS, Labels.PATH);

    private static final String UNPROTECTED = " Without it the service is not protected";

    private final String prefix;
    private final List<Label<?>> known;
    private final Predicate<String> isRouteName;
    private final Predicate<String> isNearlyOurs;
    private final MeantLabels meantLabels;
    private final SortedMap<String, LabelText> unnamed = new TreeMap<>();
    private final SortedMap<String, SortedMap<String, LabelText>> named = new TreeMap<>();

    /** So that who asks for such a host hears of the mistake. */
    private final List<LabelText> misspelledHosts = new ArrayList<>();

    private final Map<String, Settings> routes = new LinkedHashMap<>();

    /** What could be read of routes of which it is known which requests are theirs. */
    private final Map<String, Settings> placed = new LinkedHashMap<>();

    private final Set<String> problems = new LinkedHashSet<>(); // routes share labels, and their mistakes
    private boolean unreadable;
    private boolean closed;

    /** Whether a route may get requests, so that a missing label matters. */
    private boolean enabled;

    /** @param isNearlyOurs whether a label begins with the prefix but for a typing mistake */
    LabelRoutes(String prefix, List<Label<?>> known, Predicate<String> isRouteName, Predicate<String> isNearlyOurs) {
        this.prefix = prefix;
        this.known = known;
        this.isRouteName = isRouteName;
        this.isNearlyOurs = isNearlyOurs;
        this.meantLabels = new MeantLabels(known, isRouteName);
    }

    /** Where the word before the name of a label ends, at a dot or what some write in place of it; -1 if there is no such word. */
    static int endOfPrefix(String label) {
        for (int i = 0; i < label.length(); i++) {
            if (".-_/".indexOf(label.charAt(i)) >= 0) {
                return i;
            }
        }
        return -1;
    }

    Vocabulary.Reading read(Map<String, String> all, boolean enabledByDefault, Collection<Integer> exposedPorts) {
        List<LabelText> unknown = new ArrayList<>();
        new TreeMap<>(all).forEach((label, value) -> {
            if (label.regionMatches(true, 0, prefix, 0, prefix.length())) {
                LabelText text = new LabelText(label, value.strip());
                if (!sort(text)) {
                    unknown.add(text);
                }
            } else if (isNearlyOurs.test(label)) {
                unknown.add(new LabelText(label, value.strip()));
            }
        });
        enabled = mayBeEnabled(enabledByDefault);
        unknown.forEach(this::reportUnknown);
        if (named.isEmpty() || makeRoute(unnamed)) {
            take("", new LabelParser(prefix, unnamed, known).parse(enabledByDefault, exposedPorts));
        }
        named.forEach((route, own) -> {
            if (makeRoute(own)) {
                LabelParser parser = new LabelParser(prefix + route + ".", withUnnamed(own), known);
                take(route, parser.parse(enabledByDefault, exposedPorts));
            } else {
                reportNoRoute(route, own);
            }
        });
        if (closed) {
            placed.replaceAll((route, settings) -> settings.closed());
        }
        Map<String, Settings> served = closed ? placed : unreadable ? Map.of() : routes;
        return new Vocabulary.Reading(served, closed, List.copyOf(problems), hosts());
    }

    private List<String> hosts() {
        Stream<LabelText> known = Stream.concat(Stream.of(unnamed), named.values().stream())
                .map(labels -> labels.get(Labels.HOSTS.name()))
                .filter(Objects::nonNull);
        return Stream.concat(known, misspelledHosts.stream())
                .flatMap(text -> Stream.of(text.value().split("\\s+")))
                .filter(host -> !host.isEmpty())
                .distinct()
                .toList();
    }

    private void take(String route, LabelParser.Result result) {
        problems.addAll(result.problems());
        closed |= result.closed();
        if (result.placed() != null) {
            placed.put(route, result.placed());
        }
        if (result.settings() == null) {
            unreadable = true;
        } else {
            routes.put(route, result.settings());
        }
    }

    /** Returns false for an unknown label. */
    private boolean sort(LabelText text) {
        String name = text.label().substring(prefix.length());
        int dot = name.indexOf('.');
        String ofRoute = name.substring(dot + 1);
        if (!text.label().startsWith(prefix)) {
            return false;
        }
        if (isKnown(name)) {
            unnamed.put(name, text);
            return true;
        }
        if (dot > 0 && isKnown(ofRoute) && isRouteName.test(name.substring(0, dot))) {
            named.computeIfAbsent(name.substring(0, dot), route -> new TreeMap<>())
                    .put(ofRoute, text);
            return true;
        }
        return false;
    }

    private boolean isKnown(String name) {
        return known.stream().anyMatch(label -> label.covers(name));
    }

    private static boolean makeRoute(Map<String, LabelText> labels) {
        return MAKING_ROUTES.stream().anyMatch(label -> labels.containsKey(label.name()));
    }

    private SortedMap<String, LabelText> withUnnamed(SortedMap<String, LabelText> own) {
        SortedMap<String, LabelText> all = new TreeMap<>(unnamed);
        all.keySet().removeIf(name -> replaces(own, name));
        all.putAll(own);
        return all;
    }

    /** Names of headers have no case; a key belongs to its certificate, and {@code canonical} to the hosts. */
    private static boolean replaces(SortedMap<String, LabelText> own, String name) {
        return own.keySet().stream().anyMatch(name::equalsIgnoreCase)
                || name.equals(Labels.CERT.name()) && own.containsKey(Labels.KEY.name())
                || name.equals(Labels.KEY.name()) && own.containsKey(Labels.CERT.name())
                || name.equals(Labels.CANONICAL.name()) && own.containsKey(Labels.HOSTS.name());
    }

    private void reportNoRoute(String route, SortedMap<String, LabelText> own) {
        LabelText protecting = own.entrySet().stream()
                .filter(text -> known.stream().anyMatch(label -> label.protects() && label.covers(text.getKey())))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(null);
        LabelText named = protecting == null ? own.values().iterator().next() : protecting;
        unreadable = true;
        closed |= protecting != null;
        String expected = MAKING_ROUTES.stream()
                .filter(known::contains)
                .map(label -> prefix + route + "." + label)
                .collect(Collectors.joining(" or "));
        problems.add(named.shownLabel() + ": expected " + Words.shown(expected)
                + " beside it, since each route has one of these"
                + (protecting == null || !enabled ? "" : "." + UNPROTECTED));
    }

    private boolean mayBeEnabled(boolean byDefault) {
        return Stream.concat(Stream.of(unnamed), named.values().stream())
                .map(labels -> labels.get(Labels.ENABLED.name()))
                .filter(Objects::nonNull)
                .map(text -> !text.value().equalsIgnoreCase("false"))
                .reduce(Boolean::logicalOr)
                .orElse(byDefault);
    }

    private void reportUnknown(LabelText text) {
        if (reportValueInName(text)) {
            return;
        }
        boolean isOurs = text.label().startsWith(prefix);
        boolean inOtherCase = !isOurs && text.label().regionMatches(true, 0, prefix, 0, prefix.length());
        String written =
                text.label().substring(isOurs || inOtherCase ? prefix.length() : endOfPrefix(text.label()) + 1);
        MeantLabels.Meant meant = isOurs || inOtherCase ? meantLabels.of(written) : meantLabels.exact(written);
        Label<?> label = meant == null ? null : meant.label();
        // A label of another program may look like ours: it does no harm beside the one that is meant.
        boolean isNeedless = label != null && !isOurs && !inOtherCase && isSaid(label, written);
        closed |= label != null && label.protects() && !isNeedless;
        keepHosts(label, text);
        problems.add(text.shown(label) + ": unknown"
                + (inOtherCase ? ", since labels begin with " + prefix + " in lower case" : "")
                + (meant == null
                        ? "; known are " + known.stream().map(Label::toString).collect(Collectors.joining(", "))
                        : ", did you mean "
                                + meant.names().stream()
                                        .map(name -> Words.shown(Words.withoutValue(prefix + name)))
                                        .collect(Collectors.joining(" or "))
                                + "?")
                + (label == null || isNeedless ? "" : withoutIt(label)));
    }

    /**
     * Whether a route has a label, which it may take from the labels without a route's name.
     *
     * @param name that of the label, perhaps behind the route's
     */
    private boolean isSaid(Label<?> label, String name) {
        SortedMap<String, LabelText> own = label.covers(name) ? null : named.get(name.substring(0, name.indexOf('.')));
        return Stream.concat(unnamed.keySet().stream(), own == null ? Stream.of() : own.keySet().stream())
                .anyMatch(label::covers);
    }

    /** Reports a label that has a blank, or its value after a colon, in its name. Returns false if it has none. */
    private boolean reportValueInName(LabelText text) {
        String written = text.label();
        String name = Words.withoutValue(written);
        MeantLabels.Meant meant = name.length() == written.length() || !name.startsWith(prefix)
                ? null
                : meantLabels.exact(name.substring(prefix.length()));
        if (meant == null) {
            return false;
        }
        String rest = written.substring(name.length());
        String inName = rest.replaceFirst("^\\s*[:=]?\\s*", "");
        String value = inName.isEmpty() ? text.value() : inName + (text.value().isEmpty() ? "" : "=" + text.value());
        LabelText right = new LabelText(name, value);
        String write = right.shown(meant.label());
        String without = withoutIt(meant.label());
        closed |= meant.label().protects();
        keepHosts(meant.label(), right);
        problems.add(text.shownLabel() + ": "
                + (rest.isBlank() ? "its name has a blank at its end" : "expected = after its name")
                + ": write " + (write.contains("=") ? write : write + "=…") + (without.isEmpty() ? "" : "." + without));
        return true;
    }

    private void keepHosts(@Nullable Label<?> label, LabelText text) {
        if (label == Labels.HOSTS && !text.looksSecret()) {
            misspelledHosts.add(text);
        }
    }

    /** What follows if a label is misspelled, where that is worse than its default value. */
    private String withoutIt(Label<?> label) {
        if (!enabled) {
            return "";
        }
        if (label.protects() && label != Labels.ENABLED) {
            return UNPROTECTED;
        }
        if (isThere(label) || label != Labels.HOSTS && label != Labels.PATH) {
            return "";
        }
        return " Without it the service is for all " + (label == Labels.HOSTS ? "hosts" : "paths");
    }

    private boolean isThere(Label<?> label) {
        return unnamed.containsKey(label.name())
                || named.values().stream().anyMatch(own -> own.containsKey(label.name()));
    }
}
