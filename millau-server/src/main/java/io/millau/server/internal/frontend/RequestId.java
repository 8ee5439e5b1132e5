package io.millau.server.internal.frontend;

import io.millau.server.internal.http.Http1;
import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Identifies a request in the logs of this proxy and of the services. Immutable; the text is made only when it is needed. */
public final class RequestId {

    public static final HttpString HEADER = new HttpString("X-Request-Id");

    private static final int LONGEST = 200;

    /** The characters, in addition to letters and digits, that need no quotes in any log. */
    private static final String OTHERS = "-._~:/+@=";

    private static final byte[] DIGITS = Http1.ascii("0123456789abcdef");

    private final @Nullable String given;
    private final long high;
    private final long low;

    private RequestId(@Nullable String given, long high, long low) {
        this.given = given;
        this.high = high;
        this.low = low;
    }

    /** Returns the id that the client sent, if it sent exactly one that logs can hold without quotes, otherwise a new one. */
    static RequestId of(HeaderMap headers) {
        String given = headers.getFirst(HEADER);
        if (given != null && headers.count(HEADER) == 1 && isFit(given)) {
            return new RequestId(given, 0, 0);
        }
        ThreadLocalRandom random = ThreadLocalRandom.current();
        return new RequestId(null, random.nextLong(), random.nextLong());
    }

    private static boolean isFit(String text) {
        if (text.isEmpty() || text.length() > LONGEST) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean isFit =
                    c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || OTHERS.indexOf(c) >= 0;
            if (!isFit) {
                return false;
            }
        }
        return true;
    }

    public int length() {
        return given == null ? 32 : given.length();
    }

    @SuppressWarnings("deprecation") // as in RequestHead
    public void copyTo(byte[] bytes, int at) {
        if (given != null) {
            given.getBytes(0, given.length(), bytes, at);
            return;
        }
        for (int i = 0; i < 16; i++) {
            int shift = 60 - 4 * i;
            bytes[at + i] = DIGITS[(int) (high >>> shift) & 15];
            bytes[at + 16 + i] = DIGITS[(int) (low >>> shift) & 15];
        }
    }

    @Override
    public String toString() {
        return given != null
                ? given
                : HexFormat.of().toHexDigits(high) + HexFormat.of().toHexDigits(low);
    }
}
