package io.millau.core.internal;

import java.util.Collection;
import java.util.Map;

/**
 * From the labels of one service to its {@link Settings}, or to what is wrong with them, by the vocabulary that is served. Pure
 * functions, for any thread; {@link LabelReader} adds the memory of what was good before.
 */
public final class ServiceLabels {

    /** What every label of ours starts with. */
    public static final String PREFIX = Vocabulary.PREFIX;

    private ServiceLabels() {}

    /** Whether any of these labels is meant for us. */
    public static boolean concern(Map<String, String> labels) {
        return labels.keySet().stream().anyMatch(label -> label.startsWith(PREFIX));
    }

    /** See {@link Vocabulary#read}. */
    public static Vocabulary.Reading read(Map<String, String> labels, Collection<Integer> exposedPorts) {
        return Labels.ALL.read(labels, exposedPorts);
    }
}
