package io.millau.core.internal;

import io.millau.core.Certificate;
import io.millau.core.Service;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads the labels of one route of a service. For one use by one thread. */
final class LabelParser {

    /** They say which requests a service gets, and where. */
    private static final Set<Label<?>> PLACING = Set.of(Labels.ENABLED, Labels.PORT, Labels.HOSTS, Labels.PATH);

    private final String start;
    private final SortedMap<String, LabelText> texts;
    private final List<Label<?>> known;
    private final Map<Label<?>, Object> ofEndpoints = new HashMap<>();
    private final Service.Builder service = Service.named(ServiceName.NONE);
    private final List<String> problems = new ArrayList<>();
    private boolean enabled = true; // until its label is read
    private boolean unreadable;
    private boolean closed;

    /** Whether it is known which requests are the service's. */
    private boolean placed = true;

    /**
     * @param start with which labels of the route begin
     * @param texts by the names of known labels
     */
    LabelParser(String start, SortedMap<String, LabelText> texts, List<Label<?>> known) {
        this.start = start;
        this.texts = texts;
        this.known = known;
    }

    /**
     * What was read.
     *
     * @param settings null if a value is invalid
     * @param placed what could be read; null if it is disabled, or it is not known which requests are its own
     */
    record Result(
            @Nullable Settings settings,
            boolean closed,
            @Nullable Settings placed,
            List<String> problems) {}

    Result parse(boolean enabledByDefault, Collection<Integer> exposedPorts) {
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
        Settings read = settings(port);
        return new Result(unreadable ? null : read, closed, placed && enabled ? read : null, problems);
    }

    private Settings settings(@Nullable Integer port) {
        return new Settings(
                service.build(),
                port == null ? 0 : port,
                texts.get(Labels.NETWORK.name()),
                Objects.requireNonNull(value(Labels.SCHEME)),
                Objects.requireNonNull(value(Labels.UPSTREAM_CA)),
                value(Labels.UPSTREAM_NAME));
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
        LabelText text = texts.get(label.name());
        return text == null ? null : read(label, text, () -> label.type().read(text.value()));
    }

    private <T> @Nullable T readFamily(Label<T> family) {
        T all = null;
        for (Map.Entry<String, LabelText> member : texts.entrySet()) {
            if (family.covers(member.getKey())) {
                T before = all;
                String named = member.getKey().substring(family.name().length() + 1) + "="
                        + member.getValue().value();
                T merged = read(family, member.getValue(), () -> {
                    T value = family.type().read(named);
                    return before == null ? value : family.merge(before, value);
                });
                all = merged == null ? before : merged;
            }
        }
        return all;
    }

    private <T> @Nullable T read(Label<T> label, LabelText text, Supplier<T> reading) {
        boolean isPlaceholder = text.value().startsWith(Words.PLACEHOLDER);
        try {
            if (isPlaceholder) {
                throw new IllegalArgumentException("expected the value itself in place of this word, which check --from"
                        + " prints for a value that may be secret");
            }
            return reading.get();
        } catch (IllegalArgumentException e) {
            unreadable = true;
            closed |= (label.protects() || isPlaceholder) && enabled;
            placed &= !PLACING.contains(label);
            if (label == Labels.CLIENT_CA) {
                // It is for all services of its hosts: until it can be read, none of them is open to clients without a
                // certificate.
                service.clientCa(ClosedService.nobodysCa());
            }
            problems.add(text.shown(label) + ": " + e.getMessage());
            return null;
        }
    }

    /** Combines two labels into one setting. */
    private void readCertificate() {
        LabelText chainText = texts.get(Labels.CERT.name());
        LabelText keyText = texts.get(Labels.KEY.name());
        if (chainText == null || keyText == null) {
            if (chainText != null) {
                reportMissing(Labels.KEY, chainText, Labels.CERT);
            } else if (keyText != null) {
                reportMissing(Labels.CERT, keyText, Labels.KEY);
            }
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
            problems.add(keyText.label() + ": " + e.getMessage());
        }
    }

    /** Whoever names the fields of a response expects that somebody is asked. */
    private void requireAuth() {
        LabelText headers = texts.get(Labels.AUTH_HEADERS.name());
        if (headers != null && !texts.containsKey(Labels.AUTH.name())) {
            closed |= enabled;
            reportMissing(Labels.AUTH, headers, Labels.AUTH_HEADERS);
        }
    }

    private void reportMissing(Label<?> missing, LabelText present, Label<?> its) {
        unreadable = true;
        problems.add(present.beside(its, missing) + " is missing: expected beside " + present.label());
    }

    private int onlyOf(Collection<Integer> exposedPorts) {
        TreeSet<Integer> ports = new TreeSet<>(exposedPorts);
        if (ports.size() == 1) {
            return ports.first();
        }
        unreadable = true;
        placed = false;
        problems.add(start + Labels.PORT + " is missing: expected the port the service listens on inside its container"
                + (ports.isEmpty()
                        ? ""
                        : "; it exposes " + ports.stream().map(String::valueOf).collect(Collectors.joining(", "))));
        return 0;
    }
}
