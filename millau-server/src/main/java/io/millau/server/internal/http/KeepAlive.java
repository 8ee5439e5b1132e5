package io.millau.server.internal.http;

/** The value of a Keep-Alive field, as {@code timeout=5, max=100} (RFC 2068, 19.7.1). */
final class KeepAlive {

    private static final String TIMEOUT = "timeout=";

    private KeepAlive() {}

    /** How long an idle connection is kept, in seconds; {@link ResponseHead#UNKNOWN} if that is not said. */
    static long timeout(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            boolean begins = i == from || bytes[i - 1] == ',' || bytes[i - 1] == ' ';
            if (begins && isTimeout(bytes, i, to)) {
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

    private static boolean isTimeout(byte[] bytes, int from, int to) {
        if (to - from < TIMEOUT.length()) {
            return false;
        }
        for (int i = 0; i < TIMEOUT.length(); i++) {
            int b = bytes[from + i];
            if ((b >= 'A' && b <= 'Z' ? b | 0x20 : b) != TIMEOUT.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
