package io.millau.server.internal.http;

import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import java.util.Set;

/** Which header fields filters may change, and to what. Pure functions. */
public final class FieldRules {

    /** Those that say how a message is read, and Host, which has rules of its own. */
    private static final Set<HttpString> OF_MESSAGE =
            Set.of(Headers.CONTENT_LENGTH, Headers.HOST, Headers.EXPECT, Headers.TRAILER);

    private FieldRules() {}

    /** @throws IllegalArgumentException if filters can't change this field of a request */
    public static HttpString ofRequest(String name) {
        HttpString checked = ofResponse(name);
        if (OwnFields.isSent(checked)) {
            throw new IllegalArgumentException("header " + name + ": the proxy sets it itself");
        }
        return checked;
    }

    /** @throws IllegalArgumentException if filters can't change this field of a response */
    public static HttpString ofResponse(String name) {
        if (!HeaderNames.isToken(name)) {
            throw new IllegalArgumentException("header name “" + name + "”: expected letters, digits and hyphens");
        }
        HttpString checked = new HttpString(name);
        if (OF_MESSAGE.contains(checked) || HopByHop.contains(checked)) {
            throw new IllegalArgumentException(
                    "header " + name + ": it frames the message, or belongs to the connection or the routing");
        }
        return checked;
    }

    /** @throws IllegalArgumentException if a value can't be sent */
    public static String value(String name, String value) {
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
