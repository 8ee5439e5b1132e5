package io.millau.core.internal;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Which header fields filters and labels may change, and to what. Pure functions. */
public final class HeaderFields {

    /** The characters of names (RFC 9110, 5.6.2) beside letters and digits. */
    public static final String TOKEN_MARKS = "!#$%&'*+-.^_`|~";

    /** A name, as a regular expression for both Java and ECMA 262. */
    static final String NAME_PATTERN = "[0-9A-Za-z!#$%&'*+.^_`|~-]+";

    /** Those that are only for one connection and are not forwarded by a proxy (RFC 9110, 7.6.1). */
    public static final List<String> HOP_BY_HOP = List.of(
            "Connection",
            "Keep-Alive",
            "Proxy-Connection",
            "Proxy-Authenticate",
            "Proxy-Authorization",
            "TE",
            "Transfer-Encoding",
            "Upgrade",
            "HTTP2-Settings");

    /** Those that are forwarded even if Connection names them: without them the message would have another meaning. In lower case. */
    public static final Set<String> NEVER_NAMED =
            Set.of("host", "content-length", "date", "via", "cookie", "authorization");

    /** Those of requests that the proxy sets, whatever the client sends. */
    public static final List<String> SET_BY_PROXY =
            List.of("X-Request-Id", "X-Real-IP", "Forwarded", "Client-Cert", "Client-Cert-Chain");

    private static final List<String> ADDED_BY_PROXY =
            List.of("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "Via");

    /** Those that say how a message is read, and Host, which has rules of its own. */
    private static final List<String> OF_MESSAGE = List.of("Content-Length", "Host", "Expect", "Trailer");

    private static final Set<String> NEVER_CHANGED = setOf(HOP_BY_HOP, OF_MESSAGE);
    private static final Set<String> SENT_BY_PROXY = setOf(SET_BY_PROXY, ADDED_BY_PROXY);

    private HeaderFields() {}

    /** CGI and WSGI can't tell cases, nor underscores from hyphens, in names: so they don't differ here. */
    private static Set<String> setOf(List<String> some, List<String> others) {
        Set<String> names = new TreeSet<>(new Comparator<>() {
            @Override
            public int compare(String one, String other) {
                int difference = one.length() - other.length();
                for (int i = 0; difference == 0 && i < one.length(); i++) {
                    difference = alike(one.charAt(i)) - alike(other.charAt(i));
                }
                return difference;
            }
        });
        names.addAll(some);
        names.addAll(others);
        return names;
    }

    private static int alike(char c) {
        return c >= 'A' && c <= 'Z' ? c | 0x20 : c == '_' ? '-' : c;
    }

    static boolean canBeSetInRequests(String name) {
        return canBeSetInResponses(name) && !SENT_BY_PROXY.contains(name);
    }

    /** Whether filters and applications may set a field of a response: it neither frames the message nor belongs to the connection. */
    public static boolean canBeSetInResponses(String name) {
        return !NEVER_CHANGED.contains(name);
    }

    /** @throws IllegalArgumentException if this field of a request can't be changed */
    public static String checkRequestName(String name) {
        checkResponseName(name);
        if (SENT_BY_PROXY.contains(name)) {
            throw new IllegalArgumentException("header " + name + ": expected another, since the proxy sets it itself");
        }
        return name;
    }

    /** @throws IllegalArgumentException if this field of a response can't be changed */
    public static String checkResponseName(String name) {
        int end = tokenEnd(name);
        if (end < name.length() || name.isEmpty()) {
            throw new IllegalArgumentException(
                    "header name “" + Words.shown(name.substring(0, Math.min(end + 1, name.length())))
                            + (end + 1 < name.length() ? "…" : "") + "”: expected letters, digits and hyphens");
        }
        if (!canBeSetInResponses(name)) {
            throw new IllegalArgumentException("header " + name
                    + ": expected another, since it frames the message, or belongs to the connection or the routing");
        }
        return name;
    }

    /** @throws IllegalArgumentException if a value can't be sent */
    public static String checkValue(String name, String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < ' ' && c != '\t' || c == 127 || c > 255) {
                throw new IllegalArgumentException(String.format(
                        "header %s: character U+%04X at position %d, expected visible Latin-1 characters and blanks",
                        name, (int) c, i));
            }
        }
        return value;
    }

    /** What becomes of some fields, for explanations; without their values. */
    static String changes(String of, Map<String, String> values) {
        return values.entrySet().stream()
                .map(field -> field.getKey() + (field.getValue().isEmpty() ? " is removed" : " is set"))
                .collect(Collectors.joining(", ", "in " + of + ", ", ""));
    }

    /** Where the first character is that no token has; after the last one if there is none. */
    private static int tokenEnd(String text) {
        int end = 0;
        while (end < text.length() && isOfToken(text.charAt(end))) {
            end++;
        }
        return end;
    }

    private static boolean isOfToken(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || TOKEN_MARKS.indexOf(c) >= 0;
    }
}
