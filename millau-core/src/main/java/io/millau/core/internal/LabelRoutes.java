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
    private final SortedMap<String, LabelText> unnamed = new TreeMap<>();
    private final SortedMap<String, SortedMap<String, LabelText>> named = new TreeMap<>();

    private final Map<String, Settings> routes = new LinkedHashMap<>();

    /** What could be read of routes of which it is known which requests are theirs. */
    private final Map<String, Settings> placed = new LinkedHashMap<>();

    private final Set<String> problems = new LinkedHashSet<>(); // routes share labels, and their mistakes
    private boolean unreadable;
    private boolean closed;

    LabelRoutes(String prefix, List<Label<?>> known, Predicate<String> isRouteName) {
        this.prefix = prefix;
        this.known = known;
        this.isRouteName = isRouteName;
    }

    Vocabulary.Reading read(Map<String, String> all, boolean enabledByDefault, Collection<Integer> exposedPorts) {
        List<LabelText> unknown = new ArrayList<>();
        new TreeMap<>(all).forEach((label, value) -> {
            if (label.regionMatches(true, 0, prefix, 0, prefix.length())) {
                LabelText text = new LabelText(label, value.strip());
                if (!sort(text)) {
                    unknown.add(text);
                }
            }
        });
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
        return Stream.concat(Stream.of(unnamed), named.values().stream())
                .map(labels -> labels.get(Labels.HOSTS.name()))
                .filter(Objects::nonNull)
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
                + " beside it, since each route has one of these" + (protecting == null ? "" : "." + UNPROTECTED));
    }

    private void reportUnknown(LabelText text) {
        Meant meant = meant(text.label().substring(prefix.length()));
        boolean protects = meant != null && meant.label.protects();
        closed |= protects;
        problems.add(text.shown(meant == null ? null : meant.label) + ": unknown"
                + (text.label().startsWith(prefix) ? "" : ", since labels begin with " + prefix + " in lower case")
                + (meant == null
                        ? "; known are " + known.stream().map(Label::toString).collect(Collectors.joining(", "))
                        : ", did you mean " + Words.shown(Words.withoutValue(prefix + meant.name)) + "?")
                + (meant == null ? "" : withoutIt(meant.label)));
    }

    /** What follows if a label is misspelled, where that is worse than its default value. */
    private String withoutIt(Label<?> label) {
        if (label.protects() && label != Labels.ENABLED) {
            return UNPROTECTED;
        }
        boolean isThere = unnamed.containsKey(label.name())
                || named.values().stream().anyMatch(own -> own.containsKey(label.name()));
        if (isThere || label != Labels.HOSTS && label != Labels.PATH) {
            return "";
        }
        return " Without it the service is for all " + (label == Labels.HOSTS ? "hosts" : "paths");
    }

    /** @param name without the prefix */
    private record Meant(Label<?> label, String name) {}

    /** What an unknown label probably should be. */
    private @Nullable Meant meant(String name) {
        int dot = name.indexOf('.');
        if (dot > 0 && nearest(name.substring(0, dot), Label::isFamily) == null) {
            Meant ofRoute = meantWithoutRoute(name.substring(dot + 1));
            if (ofRoute != null) {
                String route = name.substring(0, dot).replaceAll("[^0-9A-Za-z-]", "-");
                return new Meant(ofRoute.label, (isRouteName.test(route) ? route : "ROUTE") + "." + ofRoute.name);
            }
        }
        return meantWithoutRoute(name);
    }

    private @Nullable Meant meantWithoutRoute(String name) {
        int dot = name.indexOf('.');
        Label<?> family = dot < 0 ? null : nearest(name.substring(0, dot), Label::isFamily);
        if (family != null) {
            return new Meant(family, family.name() + name.substring(dot));
        }
        Label<?> nearest = nearest(name, label -> true);
        return nearest == null ? null : new Meant(nearest, nearest.toString());
    }

    private @Nullable Label<?> nearest(String name, Predicate<Label<?>> which) {
        Map<String, Label<?>> byName = new LinkedHashMap<>();
        known.stream().filter(which).forEach(label -> byName.put(label.name(), label));
        String nearest = Words.nearest(name, byName.keySet());
        return nearest == null ? null : byName.get(nearest);
    }
}
