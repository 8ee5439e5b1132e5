package io.millau.core.internal;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Guesses which label an unknown name was meant to be. Names are without the prefix, perhaps behind that of a route. Immutable. */
final class MeantLabels {

    private final List<Label<?>> known;
    private final Predicate<String> isRouteName;

    MeantLabels(List<Label<?>> known, Predicate<String> isRouteName) {
        this.known = known;
        this.isRouteName = isRouteName;
    }

    /**
     * @param label what is meant, the first one if it could be several
     * @param names all that it could be
     */
    record Meant(Label<?> label, List<String> names) {

        Meant(Label<?> label, String name) {
            this(label, List.of(name));
        }

        Meant in(String route) {
            return new Meant(
                    label, names.stream().map(name -> route + "." + name).toList());
        }
    }

    /** The label with exactly this name; null if there is none. */
    @Nullable
    Meant exact(String name) {
        int dot = name.indexOf('.');
        for (Label<?> label : known) {
            if (label.covers(name)
                    || dot > 0 && label.covers(name.substring(dot + 1)) && isRouteName.test(name.substring(0, dot))) {
                return new Meant(label, name);
            }
        }
        return null;
    }

    /** What an unknown name probably should be; null if nothing is like it. */
    @Nullable
    Meant of(String name) {
        int dot = name.indexOf('.');
        if (dot > 0 && families(name.substring(0, dot)).isEmpty()) {
            Meant ofRoute = withoutRoute(name.substring(dot + 1));
            if (ofRoute != null) {
                String route = name.substring(0, dot).replaceAll("[^0-9A-Za-z-]", "-");
                return ofRoute.in(isRouteName.test(route) ? route : "ROUTE");
            }
        }
        return withoutRoute(name);
    }

    private @Nullable Meant withoutRoute(String name) {
        int dot = name.indexOf('.');
        List<Label<?>> families = dot < 0 ? List.of() : families(name.substring(0, dot));
        if (!families.isEmpty()) {
            return new Meant(
                    families.get(0),
                    families.stream()
                            .map(family -> family.name() + name.substring(dot))
                            .toList());
        }
        Label<?> nearest = alsoCalled(name);
        nearest = nearest == null ? nearest(name, label -> true) : nearest;
        nearest = nearest == null && dot > 0 ? alsoCalled(name.substring(0, dot)) : nearest;
        return nearest == null ? null : new Meant(nearest, nearest.toString());
    }

    /** The families that a word may stand for. */
    private List<Label<?>> families(String word) {
        Label<?> nearest = nearest(word, Label::isFamily);
        return nearest != null
                ? List.of(nearest)
                : known.stream()
                        .filter(label -> label.isFamily() && label.isAlsoCalled(word))
                        .toList();
    }

    private @Nullable Label<?> alsoCalled(String name) {
        return known.stream()
                .filter(label -> label.isAlsoCalled(name))
                .findFirst()
                .orElse(null);
    }

    private @Nullable Label<?> nearest(String name, Predicate<Label<?>> which) {
        Map<String, Label<?>> byName = new LinkedHashMap<>();
        known.stream().filter(which).forEach(label -> byName.put(label.name(), label));
        String nearest = Words.nearest(name, byName.keySet());
        return nearest == null ? null : byName.get(nearest);
    }
}
