package io.millau.core.internal;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The labels that are known, and all that follows from their descriptions. Immutable.
 *
 * <p>{@link Labels#ALL} is the one that is served; tests make others.
 */
public final class Vocabulary {

    /** What every label of ours starts with. */
    public static final String PREFIX = "millau.";

    private final List<Label<?>> labels;

    Vocabulary(List<Label<?>> labels) {
        this.labels = List.copyOf(labels);
    }

    /** This vocabulary with one label more. */
    Vocabulary with(Label<?> label) {
        return new Vocabulary(Stream.concat(labels.stream(), Stream.of(label)).toList());
    }

    /** The labels of Docker, in order. */
    List<Label<?>> inDocker() {
        return labels.stream().filter(Label::isInDocker).toList();
    }

    /** The keys of the services file, in order. */
    List<Label<?>> inFile() {
        return labels.stream().filter(Label::isInFile).toList();
    }

    /**
     * What the labels of a service came to.
     *
     * @param settings null where a value can't be read or the service is closed
     * @param closed whether it must not be served at all, not with older settings either
     * @param problems one message each, without the service's name; may stand beside good settings
     */
    public record Reading(@Nullable Settings settings, boolean closed, List<String> problems) {}

    /**
     * Reads labels that start with {@link #PREFIX}; others are passed over.
     *
     * @param exposedPorts ports that stand for a missing {@code millau.port} where there is exactly one
     */
    public Reading read(Map<String, String> texts, Collection<Integer> exposedPorts) {
        return new LabelParser(PREFIX, texts, inDocker()).parse(false, exposedPorts);
    }

    /** Reads the settings of the services file: the same words behind the service's name; enabled unless it says not. */
    public Reading readFile(String service, Map<String, String> texts) {
        return new LabelParser(service + ".", texts, inFile()).parse(true, List.of(80));
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
