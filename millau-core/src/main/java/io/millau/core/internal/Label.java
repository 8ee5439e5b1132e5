package io.millau.core.internal;

import io.millau.core.RequestFilter;
import io.millau.core.Service;
import io.millau.core.Setting;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The definition of one label. It determines how the label is read, suggestions for misspelled names, the effect of
 * mistakes, the log's {@code settings=}, the help, the tables of {@code docs/reference/labels.md} and the JSON Schema. Immutable. Compared by
 * identity.
 *
 * @param <T> the type of its values
 */
public final class Label<T> implements Setting<T> {

    /** Groups of labels; each has a table in {@code docs/reference/labels.md}. */
    public enum Group {
        /** Which requests go to which instance. */
        ROUTING,
        /** Who may come in, and how often. */
        ACCESS,
        /** What is changed of requests and responses. */
        CHANGES,
        /** What happens when something fails. */
        RESILIENCE,
        /** TLS with clients and with instances. */
        TLS
    }

    /** Where a label may be used. */
    private enum Place {
        DOCKER_AND_FILE,
        DOCKER,
        FILE
    }

    private final String name;
    private final List<String> otherNames;
    private final LabelType<T> type;
    private final Group group;
    private final String meaning;
    private final @Nullable T defaultValue;
    private final String defaultText;
    private final Place place;
    private final boolean protects;
    private final boolean ofService;
    private final @Nullable BiFunction<Service, T, @Nullable RequestFilter> filter;
    private final @Nullable Function<T, @Nullable String> explanation;
    private final @Nullable BinaryOperator<T> merging;

    private Label(Builder<T> builder) {
        this.name = builder.name;
        this.otherNames = builder.otherNames;
        this.type = builder.type;
        this.group = builder.group;
        this.meaning = builder.meaning;
        this.defaultValue = builder.defaultValue;
        this.defaultText = builder.defaultText;
        this.place = builder.place;
        this.protects = builder.protects;
        this.ofService = builder.ofService;
        this.filter = builder.filter;
        this.explanation = builder.explanation;
        this.merging = builder.merging;
    }

    /**
     * Defines a label.
     *
     * @param name without {@code millau.}
     */
    static <T> Builder<T> named(String name, LabelType<T> type) {
        return new Builder<>(name, type);
    }

    /** Its name, or the beginning of the names of a family, without {@code millau.}, or without the service's name in the services file. */
    @Override
    public String name() {
        return name;
    }

    @Override
    public @Nullable T defaultValue() {
        return defaultValue;
    }

    @Override
    public T check(T value) {
        try {
            return type.checker().apply(value);
        } catch (IllegalArgumentException e) {
            String shown = type.confidential() ? name : name + "=" + value;
            throw new IllegalArgumentException(shown + ": " + e.getMessage(), e);
        }
    }

    /** How its values are read and checked. */
    public LabelType<T> type() {
        return type;
    }

    /** The group it is in. */
    public Group group() {
        return group;
    }

    /** Its meaning, as one sentence of Markdown without a full stop. */
    public String meaning() {
        return meaning;
    }

    /** Its default, in Markdown. */
    public String defaultText() {
        return defaultText;
    }

    /** Whether it restricts access. If it or its name has a mistake, the service is closed, not opened. */
    public boolean protects() {
        return protects;
    }

    /** Whether it can be used in Docker. */
    public boolean isInDocker() {
        return place != Place.FILE;
    }

    /** Whether it can be used in the services file. */
    public boolean isInFile() {
        return place != Place.DOCKER;
    }

    /**
     * Whether it stands for many labels: {@code request-header} for {@code request-header.X-Tenant} and others, with a header's name
     * after the dot. The type then reads {@code X-Tenant=VALUE}.
     */
    boolean isFamily() {
        return merging != null;
    }

    /** Whether it is the label of this name, or the family of it. */
    boolean covers(String written) {
        return isFamily() ? written.startsWith(name + ".") : written.equals(name);
    }

    /** Whether somebody who knows other proxies may call it so. What has another name is not read, but named. */
    boolean isAlsoCalled(String written) {
        String plain = plain(written);
        return plain.equals(plain(name)) || otherNames.contains(plain);
    }

    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[-_]", "");
    }

    /**
     * The value of two labels of a family.
     *
     * @throws IllegalArgumentException if both can't be
     */
    T merge(T one, T other) {
        return Objects.requireNonNull(merging, name).apply(one, other);
    }

    /** A pattern of its names, like {@link LabelType#pattern}. */
    String namePattern() {
        return isFamily() ? name + "\\." + HeaderFields.NAME_PATTERN : name;
    }

    /** Whether its value is a setting of the service. If not, it affects the service's endpoints or another setting. */
    public boolean isOfService() {
        return ofService;
    }

    /** Whether it takes effect by filters. */
    boolean makesFilters() {
        return filter != null;
    }

    /** The filter by which it takes effect in a service; null if there is none. */
    @Nullable
    RequestFilter filter(Service service) {
        T value = service.get(this);
        return value == null || filter == null ? null : filter.apply(service, value);
    }

    /** What it makes of a service's requests, in words; null for nothing. */
    @Nullable
    String effect(Service service) {
        RequestFilter made = filter(service);
        if (made != null) {
            return made.toString();
        }
        T value = service.get(this);
        return value == null || explanation == null ? null : explanation.apply(value);
    }

    /** Its name in documents and messages. */
    @Override
    public String toString() {
        return isFamily() ? name + ".NAME" : name;
    }

    /** Builds a label. For one thread. */
    static final class Builder<T> {
        private final String name;
        private List<String> otherNames = List.of();
        private final LabelType<T> type;
        private Group group = Group.ROUTING;
        private String meaning = "";
        private @Nullable T defaultValue;
        private String defaultText = "none";
        private Place place = Place.DOCKER_AND_FILE;
        private boolean protects;
        private boolean ofService = true;
        private @Nullable BiFunction<Service, T, @Nullable RequestFilter> filter;
        private @Nullable Function<T, @Nullable String> explanation;
        private @Nullable BinaryOperator<T> merging;

        private Builder(String name, LabelType<T> type) {
            this.name = name;
            this.type = type;
        }

        /** See {@link Label#isAlsoCalled}; in lower case, without hyphens. */
        Builder<T> alsoCalled(String... names) {
            this.otherNames = List.of(names);
            return this;
        }

        /** See {@link Label#group()}. */
        Builder<T> group(Group its) {
            this.group = its;
            return this;
        }

        /** See {@link Label#meaning()}. */
        Builder<T> meaning(String sentence) {
            this.meaning = sentence;
            return this;
        }

        /** Sets the default, as the label's text. */
        Builder<T> byDefault(String text) {
            return byDefault(type.read(text), "`" + text + "`");
        }

        /** Sets the default value, and its description. */
        Builder<T> byDefault(@Nullable T value, String text) {
            this.defaultValue = value;
            this.defaultText = text;
            return this;
        }

        /** See {@link Label#protects()}. */
        Builder<T> protecting() {
            this.protects = true;
            return this;
        }

        /** In the services file, the URLs of endpoints replace it. */
        Builder<T> onlyInDocker() {
            this.place = Place.DOCKER;
            return this;
        }

        /** In Docker, discovery replaces it. */
        Builder<T> onlyInFile() {
            this.place = Place.FILE;
            return this;
        }

        /** See {@link Label#isOfService()}. */
        Builder<T> notOfService() {
            this.ofService = false;
            return this;
        }

        /** See {@link Label#filter}. */
        Builder<T> filter(BiFunction<Service, T, @Nullable RequestFilter> made) {
            this.filter = made;
            return this;
        }

        /** See {@link Label#effect}; a filter explains itself. */
        Builder<T> explained(Function<T, @Nullable String> text) {
            this.explanation = text;
            return this;
        }

        /**
         * See {@link Label#isFamily()}.
         *
         * @param merged makes one value of those of two labels
         */
        Builder<T> family(BinaryOperator<T> merged) {
            this.merging = merged;
            return this;
        }

        Label<T> build() {
            return new Label<>(this);
        }
    }
}
