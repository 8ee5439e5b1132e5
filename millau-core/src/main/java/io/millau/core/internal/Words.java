package io.millau.core.internal;

import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Collection;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Helpers for messages about user input. Pure functions. */
public final class Words {

    private static final int LONGEST_SHOWN = 80;

    /** The ids of services of Docker. */
    private static final Pattern LABELLED = Pattern.compile("(?:swarm|compose|container):.*");

    /** Begins what {@code check --from} prints for a value that may be secret. */
    public static final String PLACEHOLDER = "VALUE_OF_";

    private Words() {}

    /** What to ask about an endpoint that requests fail at for a reason; empty if there is nothing to ask. */
    public static String hint(@Nullable String reason, int port) {
        return "Connection refused".equals(reason) ? "does it listen on port " + port + "?" : "";
    }

    /**
     * The reason, with what to ask about the endpoint.
     *
     * @param service the id of its service, which may have labels to look at
     */
    public static String reasonWithHint(String reason, int port, String service) {
        String hint = hint(reason, port);
        if (hint.isEmpty()) {
            return reason;
        }
        return reason + " (" + hint
                + (LABELLED.matcher(LabelReader.Route.serviceOf(service)).matches() ? " See millau.port)" : ")");
    }

    /**
     * Reads a setting, so that the message of what it throws names it.
     *
     * @param shown the setting, with its value if that is not secret
     * @throws IllegalArgumentException if reading does
     */
    public static <T> T naming(String shown, Supplier<T> reading) {
        try {
            return reading.get();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(shown + ": " + e.getMessage(), e);
        }
    }

    /** Why something can't be read, in words rather than as the name of an exception. */
    public static String reason(IOException failure) {
        if (failure instanceof NoSuchFileException) {
            return "there is none";
        }
        if (failure instanceof ConnectException) {
            return "nothing listens there";
        }
        if (failure instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (failure instanceof NotDirectoryException) {
            return "it is no folder";
        }
        String message = failure.getMessage();
        String kind = failure.getClass().getSimpleName();
        if (message == null) {
            return kind;
        }
        return message.contains(" ") ? message : kind + ": " + message; // such as the name of an unknown host
    }

    /** Shortens a value and removes line breaks, for a message. */
    public static String shown(String value) {
        String line = value.replaceAll("\\p{Cntrl}", "?");
        return line.length() <= LONGEST_SHOWN ? line : line.substring(0, LONGEST_SHOWN) + "…";
    }

    /** The name of a label alone: a misplaced colon in YAML can make a value, which may be secret, part of it. */
    public static String withoutValue(String label) {
        return label.split("[:=\\s]", 2)[0];
    }

    /** The most similar of some words, if similar enough to be meant; the first if several are; null if none is. */
    public static @Nullable String nearest(String word, Collection<String> words) {
        if (word.length() > LONGEST_SHOWN) {
            return null; // not a typing mistake, and expensive to compare
        }
        String nearest = null;
        int best = Math.max(1, word.length() / 3) + 1;
        for (String candidate : words) {
            int distance = distance(word.toLowerCase(Locale.ROOT), candidate);
            if (distance < best) {
                best = distance;
                nearest = candidate;
            }
        }
        return nearest;
    }

    /** The number of insertions, deletions, replacements and swaps of neighbours between two words. */
    static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int replaced = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(replaced, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
                boolean swapped =
                        i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
                if (swapped) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}
