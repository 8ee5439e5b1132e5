package io.millau.server.internal.http;

import java.nio.charset.StandardCharsets;

/** The value of a Content-Length field (RFC 9110, 8.6). */
public final class MessageLength {

    private MessageLength() {}

    /** Parses these bytes; -1 if they are not a number, or one with more than 18 digits. */
    public static long parse(byte[] bytes, int from, int to) {
        if (from == to || to - from > 18) {
            return -1;
        }
        long length = 0;
        for (int i = from; i < to; i++) {
            int digit = bytes[i] - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            length = length * 10 + digit;
        }
        return length;
    }

    /** Parses a value; -1 if it is not a number, or one with more than 18 digits. */
    public static long parse(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.ISO_8859_1);
        return parse(bytes, 0, bytes.length);
    }
}
