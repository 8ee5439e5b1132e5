package io.millau.testing;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;

/** What a header field of an upstream's response may be. Pure functions. */
final class HeaderField {

    /** RFC 9110, 5.6.2. */
    private static final Pattern TOKEN = Pattern.compile("[a-zA-Z0-9!#$%&'*+.^_`|~-]+");

    /** RFC 9110, 5.5. */
    private static final Pattern TEXT = Pattern.compile("[\t\\x20-\\x7e\\x80-\\xff]*");

    private static final List<String> OF_FRAMES = List.of("content-length", "transfer-encoding");

    /** RFC 9113, 8.2.2. */
    private static final List<String> OF_CONNECTIONS =
            List.of("connection", "keep-alive", "proxy-connection", "upgrade");

    private HeaderField() {}

    /** @throws IllegalArgumentException if it would break a response */
    static void check(String name, String value, ScriptedUpstream.Protocol protocol) {
        String known = Objects.requireNonNull(name, "name").toLowerCase(Locale.ROOT);
        Objects.requireNonNull(value, "value");
        String expected = null;
        if (!TOKEN.matcher(name).matches()) {
            expected = "a name of letters, digits and !#$%&'*+-.^_`|~";
        } else if (!TEXT.matcher(value).matches()) {
            expected = "a value in ISO 8859-1 without control characters";
        } else if (OF_FRAMES.contains(known)) {
            expected = "another one, the upstream frames its responses itself";
        } else if (protocol == ScriptedUpstream.Protocol.H2C && OF_CONNECTIONS.contains(known)) {
            expected = "one that HTTP/2 has, it has no fields of connections";
        }
        if (expected != null) {
            throw new IllegalArgumentException("header field " + name + ": " + value + ": expected " + expected);
        }
    }
}
