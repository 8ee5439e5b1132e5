package io.millau.core.internal;

import java.util.Collection;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What messages say of words that somebody wrote. Pure functions, for any thread. */
public final class Words {

    private static final int LONGEST_SHOWN = 80;

    private Words() {}

    /** A value as a message may show it: short, in one line. */
    public static String shown(String value) {
        String line = value.replaceAll("\\p{Cntrl}", "?");
        return line.length() <= LONGEST_SHOWN ? line : line.substring(0, LONGEST_SHOWN) + "…";
    }

    /** The nearest of some words, if it is near enough to be what somebody meant; the first of several. */
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

    /** The insertions, deletions, replacements and swaps of neighbours from one word to the other. */
    private static int distance(String a, String b) {
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
