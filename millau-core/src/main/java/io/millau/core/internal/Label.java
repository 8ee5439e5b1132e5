package io.millau.core.internal;

import io.millau.core.Setting;
import org.jspecify.annotations.Nullable;

/**
 * All that is known of one label: from it come its reading, the suggestion of its name, what its mistakes do, the log's {@code
 * settings=}, the help, the README's tables and the JSON Schema. Immutable; told apart by identity.
 *
 * @param <T> what its value is read to
 */
public final class Label<T> implements Setting<T> {

    /** What labels are about; a table in the README each. */
    public enum Group {
        /** Which requests get to which instance. */
        ROUTING,
        /** What happens when something fails. */
        RESILIENCE,
        /** To clients and to instances. */
        TLS
    }

    /** Where a label may stand. */
    private enum Place {
        DOCKER_AND_FILE,
        DOCKER,
        FILE
    }

    private final String name;
    private final LabelType<T> type;
    private final Group group;
    private final String meaning;
    private final @Nullable T defaultValue;
    private final String defaultText;
    private final Place place;
    private final boolean protects;
    private final boolean ofService;

    private Label(Builder<T> builder) {
        this.name = builder.name;
        this.type = builder.type;
        this.group = builder.group;
        this.meaning = builder.meaning;
        this.defaultValue = builder.defaultValue;
        this.defaultText = builder.defaultText;
        this.place = builder.place;
        this.protects = builder.protects;
        this.ofService = builder.ofService;
    }

    /**
     * Describes a label.
     *
     * @param name as it stands behind {@code millau.}
     */
    static <T> Builder<T> named(String name, LabelType<T> type) {
        return new Builder<>(name, type);
    }

    /** As it stands behind {@code millau.}, or behind a service's name in the services file. */
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
        return type.checker().apply(value);
    }

    /** How its value is read. */
    public LabelType<T> type() {
        return type;
    }

    /** What it is about. */
    public Group group() {
        return group;
    }

    /** What it means, in one sentence of Markdown without a full stop. */
    public String meaning() {
        return meaning;
    }

    /** What holds without it, in Markdown. */
    public String defaultText() {
        return defaultText;
    }

    /** Whether it restricts access: a mistake in it, or in its name, closes the service rather than opening it. */
    public boolean protects() {
        return protects;
    }

    /** Whether it is one of Docker's labels. */
    public boolean isInDocker() {
        return place != Place.FILE;
    }

    /** Whether it is known in the services file. */
    public boolean isInFile() {
        return place != Place.DOCKER;
    }

    /** Whether the service carries its value; if not, it goes into the service's endpoints or another setting. */
    public boolean isOfService() {
        return ofService;
    }

    @Override
    public String toString() {
        return name;
    }

    /** Describes a label; for one thread. */
    static final class Builder<T> {
        private final String name;
        private final LabelType<T> type;
        private Group group = Group.ROUTING;
        private String meaning = "";
        private @Nullable T defaultValue;
        private String defaultText = "none";
        private Place place = Place.DOCKER_AND_FILE;
        private boolean protects;
        private boolean ofService = true;

        private Builder(String name, LabelType<T> type) {
            this.name = name;
            this.type = type;
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

        /** The value that holds without it, as the label would have it. */
        Builder<T> byDefault(String text) {
            return byDefault(type.read(text), "`" + text + "`");
        }

        /** What holds without it, where no value says so. */
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

        /** The URLs of endpoints take its place in the services file. */
        Builder<T> onlyInDocker() {
            this.place = Place.DOCKER;
            return this;
        }

        /** Docker knows by itself. */
        Builder<T> onlyInFile() {
            this.place = Place.FILE;
            return this;
        }

        /** See {@link Label#isOfService()}. */
        Builder<T> notOfService() {
            this.ofService = false;
            return this;
        }

        Label<T> build() {
            return new Label<>(this);
        }
    }
}
