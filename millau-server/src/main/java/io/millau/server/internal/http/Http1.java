package io.millau.server.internal.http;

import io.undertow.util.HeaderValues;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Helpers for HTTP/1.1 messages (RFC 9112). */
public final class Http1 {

    private Http1() {}

    /** The bytes of a text that is ASCII. */
    public static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Whether a TE field (RFC 9110, 10.1.4) says that trailers are accepted. */
    public static boolean wantsTrailers(@Nullable HeaderValues te) {
        return HopByHop.hasToken(te, "trailers");
    }

    /** Whether these letters, in any case, stand at an index; there must be as many bytes. */
    static boolean beginsIgnoringCase(byte[] bytes, int at, String lowerCase) {
        for (int i = 0; i < lowerCase.length(); i++) {
            int b = bytes[at + i];
            if ((b >= 'A' && b <= 'Z' ? b | 0x20 : b) != lowerCase.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
