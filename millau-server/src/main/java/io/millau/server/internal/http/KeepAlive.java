package io.millau.server.internal.http;

/** The value of a Keep-Alive field, as {@code timeout=5, max=100} (RFC 2068, 19.7.1). */
final class KeepAlive {

    private static final String TIMEOUT = "timeout=";

    private KeepAlive() {}

    /** How long an idle connection is kept, in seconds; {@link ResponseHead#UNKNOWN} if that is not said. */
    static long timeout(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            boolean isWord = i == from || bytes[i - 1] == ',' || bytes[i - 1] == ' ';
            if (isWord && to - i >= TIMEOUT.length() && Http1.beginsIgnoringCase(bytes, i, TIMEOUT)) {
                int number = i + TIMEOUT.length();
                int end = number;
                while (end < to && bytes[end] >= '0' && bytes[end] <= '9') {
                    end++;
                }
                return MessageLength.parse(bytes, number, end);
            }
        }
        return ResponseHead.UNKNOWN;
    }
}
