package io.millau.core.internal;

import java.util.Collection;
import java.util.Map;

/**
 * Reads the labels of one service with {@link Labels#ALL}. Pure functions. {@link LabelReader} also remembers earlier
 * valid settings.
 */
public final class ServiceLabels {

    /** The prefix of all labels. */
    public static final String PREFIX = Vocabulary.PREFIX;

    private ServiceLabels() {}

    /** Whether any of these labels has our prefix. */
    public static boolean concern(Map<String, String> labels) {
        return labels.keySet().stream().anyMatch(label -> label.startsWith(PREFIX));
    }

    /** See {@link Vocabulary#read}. */
    public static Vocabulary.Reading read(Map<String, String> labels, Collection<Integer> exposedPorts) {
        return Labels.ALL.read(labels, exposedPorts);
    }
}
