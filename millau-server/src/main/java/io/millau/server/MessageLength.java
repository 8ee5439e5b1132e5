package io.millau.server;

/** The value of a Content-Length field (RFC 9110, 8.6). */
final class MessageLength {

    private MessageLength() {}

    /** Its number, or -1 if it is none, or one that no body has. */
    static long parse(String value) {
        if (value.isEmpty() || value.length() > 18) {
            return -1;
        }
        long length = 0;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            length = length * 10 + (c - '0');
        }
        return length;
    }
}
