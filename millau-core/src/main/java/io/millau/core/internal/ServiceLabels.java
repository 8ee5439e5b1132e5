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

    /** Whether a label is not ours because of a typing mistake in its prefix, such as {@code milau.enabled}. */
    public static boolean isNearlyOurs(String label) {
        return Labels.ALL.isNearlyOurs(label);
    }

    /** Whether any of these labels is ours, or nearly. */
    public static boolean mayConcern(Map<String, String> labels) {
        return concern(labels) || labels.keySet().stream().anyMatch(ServiceLabels::isNearlyOurs);
    }

    /** Whether these labels may put the service, or one of its routes, behind the proxy. */
    public static boolean mayEnable(Map<String, String> labels) {
        return labels.entrySet().stream()
                .anyMatch(label -> label.getKey().startsWith(PREFIX)
                        && label.getKey().endsWith("." + Labels.ENABLED)
                        && Boolean.parseBoolean(label.getValue()));
    }

    /** A label with its value in a message; without that if it may be secret. */
    public static String shown(String label, String value) {
        return Labels.ALL.shown(new LabelText(label, value));
    }

    /** See {@link Vocabulary#read}. */
    public static Vocabulary.Reading read(Map<String, String> labels, Collection<Integer> exposedPorts) {
        return Labels.ALL.read(labels, exposedPorts);
    }
}
