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

    /** Whether any of these labels is {@linkplain #isOurs ours}. */
    public static boolean concern(Map<String, String> labels) {
        return labels.keySet().stream().anyMatch(ServiceLabels::isOurs);
    }

    /** Whether a label has our prefix, in upper or lower case, since {@code Millau.Enabled} is a mistake to be named. */
    public static boolean isOurs(String label) {
        return label.regionMatches(true, 0, PREFIX, 0, PREFIX.length());
    }

    /** Whether these labels may put the service, or one of its routes, behind the proxy. */
    public static boolean mayEnable(Map<String, String> labels) {
        return labels.entrySet().stream()
                .anyMatch(label -> label.getKey().startsWith(PREFIX)
                        && label.getKey().endsWith("." + Labels.ENABLED)
                        && Boolean.parseBoolean(label.getValue()));
    }

    /** See {@link Vocabulary#read}. */
    public static Vocabulary.Reading read(Map<String, String> labels, Collection<Integer> exposedPorts) {
        return Labels.ALL.read(labels, exposedPorts);
    }
}
