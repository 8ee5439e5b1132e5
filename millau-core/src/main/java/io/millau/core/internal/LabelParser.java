package io.millau.core.internal;

import io.millau.core.Certificate;
import io.millau.core.Service;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads the labels of one service. For one use by one thread. */
final class LabelParser {

    /** A PEM key or certificate, or a bcrypt hash, under a name that is unknown or another's, plain or in Base64. */
    private static final Pattern SECRET = Pattern.compile("-----BEGIN|^\\s*LS0tLS1CRUdJT|\\$2[abxy]\\$|"
            + "JDJ[5hi]JD|Qy(?:eS|YS|Yi)Q[wx]|kM(?:nk|mE|mI)k"); // three ways, as a hash begins at any byte

    private final String prefix;
    private final List<Label<?>> known;
    private final Map<String, String> texts = new TreeMap<>();

    /** Labels whose prefix differs in case only, such as {@code Millau.Enabled}. */
    private final Map<String, String> inOtherCase = new TreeMap<>();

    private final Map<Label<?>, Object> ofEndpoints = new HashMap<>();
    private final Service.Builder service = Service.named("");
    private final List<String> problems = new ArrayList<>();
    private boolean enabled = true; // until its label is read
    private boolean unreadable;
    private boolean closed;

    LabelParser(String prefix, Map<String, String> all, List<Label<?>> known) {
        this.prefix = prefix;
        this.known = known;
        all.forEach((label, text) -> {
            if (label.startsWith(prefix)) {
                texts.put(label.substring(prefix.length()), text.strip());
            } else if (label.regionMatches(true, 0, prefix, 0, prefix.length())) {
                inOtherCase.put(label, text.strip());
            }
        });
    }

    Vocabulary.Reading parse(boolean enabledByDefault, Collection<Integer> exposedPorts) {
        reportUnknown();
        enabled = Objects.requireNonNullElse(read(Labels.ENABLED), enabledByDefault);
        service.enabled(enabled);
        Integer port = read(Labels.PORT);
        if (enabled && !texts.containsKey(Labels.PORT.name())) {
            port = onlyOf(exposedPorts);
        }
        for (Label<?> label : known) {
            if (label == Labels.CERT) {
                readCertificate();
            } else if (label != Labels.ENABLED && label != Labels.PORT && label != Labels.KEY) {
                set(label);
            }
        }
        requireAuth();
        Settings settings = unreadable || closed
                ? null
                : new Settings(
                        service.build(),
                        port == null ? 0 : port,
                        value(Labels.NETWORK),
                        Objects.requireNonNull(value(Labels.SCHEME)),
                        Objects.requireNonNull(value(Labels.UPSTREAM_CA)),
                        value(Labels.UPSTREAM_NAME));
        return new Vocabulary.Reading(settings, closed, List.copyOf(problems));
    }

    private <T> void set(Label<T> label) {
        T value = read(label);
        if (value == null) {
            return;
        }
        if (label.isOfService()) {
            service.set(label, value);
        } else {
            ofEndpoints.put(label, value);
        }
    }

    @SuppressWarnings("unchecked") // set stores only values of the label's type
    private <T> @Nullable T value(Label<T> label) {
        Object value = ofEndpoints.get(label);
        return value == null ? label.defaultValue() : (T) value;
    }

    /** The value of a label, or of all labels of a family; null if it is missing or invalid. */
    private <T> @Nullable T read(Label<T> label) {
        if (label.isFamily()) {
            return readFamily(label);
        }
        String text = known.contains(label) ? texts.get(label.name()) : null;
        return text == null
                ? null
                : read(label, label.name(), text, () -> label.type().read(text));
    }

    private <T> @Nullable T readFamily(Label<T> family) {
        T all = null;
        for (Map.Entry<String, String> member : texts.entrySet()) {
            if (family.covers(member.getKey())) {
                T before = all;
                String named = member.getKey().substring(family.name().length() + 1) + "=" + member.getValue();
                T merged = read(family, member.getKey(), member.getValue(), () -> {
                    T value = family.type().read(named);
                    return before == null ? value : family.merge(before, value);
                });
                all = merged == null ? before : merged;
            }
        }
        return all;
    }

    private <T> @Nullable T read(Label<T> label, String name, String text, Supplier<T> reading) {
        try {
            return reading.get();
        } catch (IllegalArgumentException e) {
            unreadable = true;
            closed |= label.protects() && enabled;
            problems.add(shownName(prefix + name) + valueToShow(label, text) + ": " + e.getMessage());
            return null;
        }
    }

    /** Combines two labels into one setting. */
    private void readCertificate() {
        boolean hasChain = texts.containsKey(Labels.CERT.name());
        boolean hasKey = texts.containsKey(Labels.KEY.name());
        if (hasChain != hasKey) {
            unreadable = true;
            problems.add(prefix + (hasChain ? Labels.KEY : Labels.CERT) + " is missing: expected beside " + prefix
                    + (hasChain ? Labels.CERT : Labels.KEY));
            return;
        }
        var chain = read(Labels.CERT);
        var key = chain == null ? null : read(Labels.KEY);
        if (chain == null || key == null) {
            return;
        }
        try {
            service.certificate(new Certificate(key, chain));
        } catch (IllegalArgumentException e) {
            unreadable = true;
            problems.add(prefix + Labels.KEY + ": " + e.getMessage());
        }
    }

    /** Whoever names the fields of a response expects that somebody is asked. */
    private void requireAuth() {
        if (known.contains(Labels.AUTH)
                && texts.containsKey(Labels.AUTH_HEADERS.name())
                && !texts.containsKey(Labels.AUTH.name())) {
            unreadable = true;
            closed |= enabled;
            problems.add(prefix + Labels.AUTH + " is missing: expected beside " + prefix + Labels.AUTH_HEADERS);
        }
    }

    private int onlyOf(Collection<Integer> exposedPorts) {
        TreeSet<Integer> ports = new TreeSet<>(exposedPorts);
        if (ports.size() == 1) {
            return ports.first();
        }
        unreadable = true;
        problems.add(prefix + Labels.PORT + " is missing: expected the port the service listens on inside its container"
                + (ports.isEmpty()
                        ? ""
                        : "; it exposes " + ports.stream().map(String::valueOf).collect(Collectors.joining(", "))));
        return 0;
    }

    private static String shownName(String label) {
        return Words.shown(Words.withoutValue(label));
    }

    private void reportUnknown() {
        texts.forEach((name, text) -> {
            if (known.stream().noneMatch(label -> label.covers(name))) {
                reportUnknown(prefix + name, name, text);
            }
        });
        inOtherCase.forEach((label, text) -> reportUnknown(label, label.substring(prefix.length()), text));
    }

    /** The value with an equals sign before it, unless it is a secret. */
    private static String valueToShow(@Nullable Label<?> label, String text) {
        boolean confidential = label != null && label.type().confidential()
                || SECRET.matcher(text).find();
        return confidential ? "" : "=" + Words.shown(text);
    }

    private void reportUnknown(String label, String name, String text) {
        int dot = name.indexOf('.');
        Label<?> family = dot < 0 ? null : nearest(name.substring(0, dot), true);
        Label<?> meant = family == null ? nearest(name, false) : family;
        boolean protects = meant != null && meant.protects();
        closed |= protects;
        boolean otherCase = !label.startsWith(prefix);
        problems.add(shownName(label) + valueToShow(meant, text) + ": unknown"
                + (otherCase ? ", since labels begin with " + prefix + " in lower case" : "")
                + (meant == null
                        ? "; known are " + known.stream().map(Label::toString).collect(Collectors.joining(", "))
                        : ", did you mean " + prefix
                                + (family == null ? meant : family.name() + shownName(name.substring(dot)))
                                + "?")
                + (protects ? " The service is closed until then, since that label protects it" : ""));
    }

    private @Nullable Label<?> nearest(String name, boolean onlyFamilies) {
        Map<String, Label<?>> byName = new LinkedHashMap<>();
        known.stream()
                .filter(label -> label.isFamily() || !onlyFamilies)
                .forEach(label -> byName.put(label.name(), label));
        String nearest = Words.nearest(name, byName.keySet());
        return nearest == null ? null : byName.get(nearest);
    }
}
