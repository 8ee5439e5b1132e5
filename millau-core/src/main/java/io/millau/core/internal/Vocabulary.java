package io.millau.core.internal;

import io.millau.core.RequestFilter;
import io.millau.core.Service;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A set of labels, with everything derived from their definitions. Immutable.
 *
 * <p>{@link Labels#ALL} is the one in use; tests make others.
 */
public final class Vocabulary {

    /** The prefix of all labels. */
    public static final String PREFIX = "millau.";

    /** The prefix without its dot. */
    private static final String WORD = PREFIX.substring(0, PREFIX.length() - 1);

    private static final Pattern ROUTE_NAME = Pattern.compile(LabelSchema.ROUTE_NAME);

    private final List<Label<?>> labels;
    private final List<Label<?>> inDocker;
    private final List<Label<?>> filtering;
    private final MeantLabels meantInDocker;

    Vocabulary(List<Label<?>> labels) {
        this.labels = List.copyOf(labels);
        this.inDocker = labels.stream().filter(Label::isInDocker).toList();
        this.meantInDocker = new MeantLabels(inDocker, this::isRouteName);
        this.filtering = labels.stream().filter(Label::makesFilters).toList();
    }

    /** This vocabulary with an additional label. */
    Vocabulary with(Label<?> label) {
        return new Vocabulary(Stream.concat(labels.stream(), Stream.of(label)).toList());
    }

    /** The labels of Docker, in order. */
    List<Label<?>> inDocker() {
        return inDocker;
    }

    /** The keys of the services file, in order. */
    public List<Label<?>> inFile() {
        return labels.stream().filter(Label::isInFile).toList();
    }

    /**
     * The result of reading the labels of a service.
     *
     * @param routes the settings of its routes, by name, empty for the one without a name; none if a value is invalid. Those of a
     *     closed service respond with 503
     * @param closed whether the service must not be served at all, not even with earlier settings
     * @param problems one message each, without the service's name; there may be problems although the settings are
     *     valid
     * @param hosts those of all routes, as they were written, also if a value is invalid
     */
    public record Reading(Map<String, Settings> routes, boolean closed, List<String> problems, List<String> hosts) {

        /** This reading of a service of which some more could not be read. */
        public Reading unreadable(List<String> mistakes) {
            return new Reading(
                    Map.of(),
                    closed,
                    Stream.concat(mistakes.stream(), problems.stream()).toList(),
                    hosts);
        }
    }

    /**
     * Reads labels that start with {@link #PREFIX}; others are ignored.
     *
     * @param exposedPorts if there is exactly one, it replaces a missing {@code millau.port}
     */
    public Reading read(Map<String, String> texts, Collection<Integer> exposedPorts) {
        return new LabelRoutes(PREFIX, inDocker, this::isRouteName, this::isNearlyOurs)
                .read(texts, false, exposedPorts);
    }

    /**
     * Reads the settings of a service in the services file: names of labels after the service's name. Services are
     * enabled by default.
     */
    public Reading readFile(String service, Map<String, String> texts) {
        return new LabelRoutes(service + ".", inFile(), this::isRouteName, key -> false).read(texts, true, List.of(80));
    }

    /** Whether a route may have this name. One that is nearly that of a family is probably misspelt. */
    private boolean isRouteName(String text) {
        return ROUTE_NAME.matcher(text).matches()
                && labels.stream().noneMatch(label -> label.name().equals(text))
                && Words.nearest(
                                text,
                                labels.stream()
                                        .filter(Label::isFamily)
                                        .map(Label::name)
                                        .toList())
                        == null;
    }

    /**
     * Whether a label begins with {@link #PREFIX} but for one typing mistake, and goes on with the name of a label of ours: any
     * container may have labels of others.
     */
    boolean isNearlyOurs(String label) {
        int end = LabelRoutes.endOfPrefix(label);
        boolean mayBe = Math.abs(end - WORD.length()) <= 1
                && (label.regionMatches(true, 0, WORD, 0, 2)
                        || label.regionMatches(true, end - 2, WORD, WORD.length() - 2, 2));
        if (!mayBe || label.regionMatches(true, 0, PREFIX, 0, PREFIX.length())) {
            return false; // as nearly all are, of which an engine may have many
        }
        int mistakes = Words.distance(label.substring(0, end).toLowerCase(Locale.ROOT), WORD);
        return mistakes + (label.charAt(end) == '.' ? 0 : 1) == 1 && find(label.substring(end + 1)) != null;
    }

    /** A label in Docker, perhaps with a mistake in its prefix, as messages show it. */
    String shown(LabelText text) {
        return text.shown(find(text.label().substring(LabelRoutes.endOfPrefix(text.label()) + 1)));
    }

    /** The label in Docker that has this name, perhaps in a route. */
    private @Nullable Label<?> find(String name) {
        MeantLabels.Meant exact = meantInDocker.exact(name);
        return exact == null ? null : exact.label();
    }

    /** Where the name of a family begins in a key of the services file, with its dot; -1 if there is none. */
    int familyIn(String key) {
        return inFile().stream()
                .filter(Label::isFamily)
                .mapToInt(family -> key.indexOf("." + family.name() + "."))
                .filter(dot -> dot > 0)
                .min()
                .orElse(-1);
    }

    /** The filters that labels make of a service's settings, in order. */
    public List<RequestFilter> filters(Service service) {
        return filtering.stream()
                .map(label -> label.filter(service))
                .filter(Objects::nonNull)
                .toList();
    }

    /**
     * A service with the filters of its predecessor where their labels did not change: they know what clients did before.
     *
     * @param before the same service with other labels
     */
    Service keepFilters(Service service, Service before) {
        Service.Builder kept = service.toBuilder();
        filtering.forEach(label -> keep(label, kept, service, before));
        return kept.build();
    }

    private static <T> void keep(Label<T> label, Service.Builder kept, Service service, Service before) {
        T known = before.get(label);
        if (known != null && known.equals(service.get(label))) {
            kept.set(label, known);
        }
    }

    /** What labels make of a service's requests, in words. */
    public List<String> effects(Service service) {
        return Stream.concat(
                        service.filters().stream()
                                .filter(ClosedService.class::isInstance)
                                .map(Object::toString),
                        labels.stream().map(label -> label.effect(service)))
                .filter(Objects::nonNull)
                .toList();
    }

    /** The labels as {@code --help} lists them. */
    public String help() {
        return new LabelReference(inDocker()).help();
    }

    /** The table of a group in Markdown. */
    String table(Label.Group group) {
        return new LabelReference(inDocker()).table(group);
    }

    /** The JSON Schema of a Compose or stack file with these labels. */
    String schema() {
        return new LabelSchema(inDocker()).text();
    }
}
