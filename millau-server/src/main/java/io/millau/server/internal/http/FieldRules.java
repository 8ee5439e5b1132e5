package io.millau.server.internal.http;

import io.millau.core.internal.HeaderFields;
import io.undertow.util.HttpString;
import java.util.Objects;

/** Which header fields filters may change, and to what. Pure functions. */
public final class FieldRules {

    private static final RememberedNames OF_REQUESTS =
            new RememberedNames(name -> new HttpString(checkRequestName(name)));
    private static final RememberedNames OF_RESPONSES =
            new RememberedNames(name -> new HttpString(HeaderFields.checkResponseName(name)));

    private FieldRules() {}

    private static String checkRequestName(String name) {
        if (name.equalsIgnoreCase("Host")) {
            throw new IllegalArgumentException("header Host: expected another; rewriteHost sets this one");
        }
        return HeaderFields.checkRequestName(name);
    }

    /** @throws IllegalArgumentException if filters can't change this field of a request */
    public static HttpString ofRequest(String name) {
        return Objects.requireNonNull(OF_REQUESTS.of(name));
    }

    /** @throws IllegalArgumentException if filters can't change this field of a response */
    public static HttpString ofResponse(String name) {
        return Objects.requireNonNull(OF_RESPONSES.of(name));
    }

    /** @throws IllegalArgumentException if a value can't be sent */
    public static String value(String name, String value) {
        return HeaderFields.checkValue(name, value);
    }

    /** Whether two names are the same to CGI and WSGI, which can't tell underscores from hyphens. */
    public static boolean areAlike(HttpString one, HttpString other) {
        if (one.length() != other.length()) {
            return false;
        }
        for (int i = 0; i < one.length(); i++) {
            if (HeaderNames.alike(one.byteAt(i)) != HeaderNames.alike(other.byteAt(i))) {
                return false;
            }
        }
        return true;
    }
}
