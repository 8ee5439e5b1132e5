package io.millau.server.internal.http;

import io.millau.core.internal.HeaderFields;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The fields that are only for one connection and are not forwarded by a proxy (RFC 9110, 7.6.1). */
public final class HopByHop {

    /** Of a request that asks for an upgrade to HTTP/2 (RFC 7540, 3.2.1). */
    public static final HttpString HTTP2_SETTINGS = new HttpString("HTTP2-Settings");

    private static final Set<HttpString> FIELDS =
            HeaderFields.HOP_BY_HOP.stream().map(HttpString::new).collect(Collectors.toUnmodifiableSet());

    private HopByHop() {}

    public static boolean contains(HttpString name) {
        return FIELDS.contains(name);
    }

    /** Whether a Connection field names this one. */
    public static boolean isNamed(@Nullable HeaderValues connection, HttpString name) {
        if (connection == null) {
            return false;
        }
        for (int i = 0; i < connection.size(); i++) {
            if (isNamed(connection.get(i), name)) {
                return true;
            }
        }
        return false;
    }

    /** Whether one value of a Connection field names this one. */
    public static boolean isNamed(String options, HttpString name) {
        return hasToken(options, name.toString())
                && !HeaderFields.NEVER_NAMED.contains(name.toString().toLowerCase(Locale.ROOT));
    }

    /** Whether a list of tokens (RFC 9110, 5.6.1) has this one, in any case. */
    public static boolean hasToken(@Nullable String list, String token) {
        if (list == null) {
            return false;
        }
        int start = 0;
        while (start < list.length()) {
            int comma = list.indexOf(',', start);
            int end = comma < 0 ? list.length() : comma;
            int from = start;
            int to = end;
            while (from < to && isBlank(list.charAt(from))) {
                from++;
            }
            while (to > from && isBlank(list.charAt(to - 1))) {
                to--;
            }
            if (to - from == token.length() && list.regionMatches(true, from, token, 0, token.length())) {
                return true;
            }
            start = end + 1;
        }
        return false;
    }

    /** Whether one of a field's values has this token. */
    public static boolean hasToken(@Nullable HeaderValues lists, String token) {
        if (lists == null) {
            return false;
        }
        for (int i = 0; i < lists.size(); i++) {
            if (hasToken(lists.get(i), token)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t';
    }

    /** Removes these fields, and those that Connection names. */
    static void removeFrom(HeaderMap headers) {
        HeaderValues connection = headers.get(Headers.CONNECTION);
        if (connection != null) {
            for (String list : connection.toArray()) {
                for (String token : list.split(",")) {
                    HttpString name = HttpString.tryFromString(token.strip());
                    if (name != null && isNamed(connection, name)) {
                        headers.remove(name);
                    }
                }
            }
        }
        FIELDS.forEach(headers::remove);
    }
}
