package io.millau.server.internal.http;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The value of Host: a name or an address, with or without a port (RFC 9110, 7.2; RFC 3986, 3.2). Pure functions. */
public final class Authority {

    private static final boolean[] HOST = HeaderNames.characters("-._~!$&'()*+,;=%");
    private static final boolean[] ADDRESS = HeaderNames.characters(":.");
    private static final boolean[] DIGITS = new boolean[256];

    static {
        Arrays.fill(DIGITS, '0', '9' + 1, true);
    }

    private Authority() {}

    /** Whether this is empty, or a host and a port; the port may be empty, and user information is not allowed. */
    public static boolean isValid(String text) {
        int end = text.startsWith("[") ? text.indexOf(']') + 1 : endOf(HOST, text, 0);
        if (text.startsWith("[") && (end < 4 || endOf(ADDRESS, text, 1) != end - 1)) {
            return false;
        }
        if (end == text.length()) {
            return true;
        }
        boolean named = end > 0;
        boolean digitsOnly = endOf(DIGITS, text, end + 1) == text.length();
        return named && text.charAt(end) == ':' && digitsOnly && text.length() - end <= 6;
    }

    /** The port; null if there is none. */
    public static @Nullable String port(String valid) {
        int colon = valid.lastIndexOf(':');
        boolean given = colon >= 0 && colon < valid.length() - 1 && valid.indexOf(']', colon) < 0;
        return given ? valid.substring(colon + 1) : null;
    }

    /** The index of the first character that is none of these. */
    private static int endOf(boolean[] these, String text, int from) {
        int i = from;
        while (i < text.length() && text.charAt(i) < these.length && these[text.charAt(i)]) {
            i++;
        }
        return i;
    }
}
