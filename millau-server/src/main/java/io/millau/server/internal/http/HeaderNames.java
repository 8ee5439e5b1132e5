package io.millau.server.internal.http;

import io.millau.core.internal.HeaderFields;
import io.undertow.util.HttpString;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A cache of header names by their bytes, so that the same names are not created again for each request. It is bounded: when it
 * is full, it remembers no further names, and never long ones. For one thread.
 */
public final class HeaderNames {

    /** The characters of a name (RFC 9110, 5.6.2). */
    public static final boolean[] TOKEN = characters(HeaderFields.TOKEN_MARKS);

    private static final int SLOTS = 1024;
    private static final int MAX_NAMES = SLOTS / 2;

    /** Longer names are not remembered. */
    private static final int MAX_NAME_BYTES = 64;

    private final @Nullable HttpString[] names = new HttpString[SLOTS];
    private final byte[][] bytes = new byte[SLOTS][];
    private int size;

    /** A table of letters, digits and these, by character. */
    public static boolean[] characters(String more) {
        boolean[] these = new boolean[256];
        for (char c = '0'; c <= 'z'; c++) {
            these[c] = Character.isLetterOrDigit(c);
        }
        for (char c : more.toCharArray()) {
            these[c] = true;
        }
        return these;
    }

    /** Whether this is a token (RFC 9110, 5.6.2); not always so in HTTP/2, where it may have a colon. */
    public static boolean isToken(HttpString name) {
        for (int i = 0; i < name.length(); i++) {
            if (!TOKEN[name.byteAt(i) & 0xff]) {
                return false;
            }
        }
        return name.length() > 0;
    }

    /** Whether this is a token (RFC 9110, 5.6.2). */
    public static boolean isToken(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) > 255 || !TOKEN[text.charAt(i)]) {
                return false;
            }
        }
        return !text.isEmpty();
    }

    /** Whether this is a token without capital letters, as names have to be in HTTP/2 (RFC 9113, 8.2.1). */
    public static boolean isLowerCase(HttpString name) {
        for (int i = 0; i < name.length(); i++) {
            byte b = name.byteAt(i);
            if (b >= 'A' && b <= 'Z') {
                return false;
            }
        }
        return isToken(name);
    }

    /** What is the same character to CGI and WSGI, which can't tell cases, nor underscores from hyphens, in names. */
    static int alike(byte character) {
        return character >= 'A' && character <= 'Z' ? character | 0x20 : character == '_' ? '-' : character;
    }

    public HttpString get(byte[] from, int offset, int length) {
        int hash = 0;
        for (int i = 0; i < length; i++) {
            hash = hash * 31 + from[offset + i];
        }
        int slot = (hash ^ hash >>> 16) & SLOTS - 1;
        while (true) {
            HttpString known = names[slot];
            if (known == null) {
                break;
            }
            if (Arrays.equals(bytes[slot], 0, bytes[slot].length, from, offset, offset + length)) {
                return known;
            }
            slot = slot + 1 & SLOTS - 1;
        }
        byte[] copy = Arrays.copyOfRange(from, offset, offset + length);
        HttpString name = new HttpString(copy);
        if (size < MAX_NAMES && length <= MAX_NAME_BYTES) {
            size++;
            names[slot] = name;
            bytes[slot] = copy;
        }
        return name;
    }
}
