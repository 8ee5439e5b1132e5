package io.millau.server.internal.http;

import io.millau.core.internal.HeaderFields;
import io.undertow.util.HttpString;
import java.util.List;
import java.util.Locale;

/**
 * The request fields that this proxy sets itself, so that what a client sends under these names is not forwarded. CGI and WSGI read
 * {@code X_Forwarded_For} as {@code X-Forwarded-For}, so a name with underscores counts as the one with hyphens.
 */
public final class OwnFields {

    private static final byte[] X_FORWARDED = Http1.ascii("x-forwarded-");
    private static final List<byte[]> NAMES = HeaderFields.SET_BY_PROXY.stream()
            .map(name -> Http1.ascii(name.toLowerCase(Locale.ROOT)))
            .toList();

    private OwnFields() {}

    public static boolean contains(HttpString name) {
        if (name.length() == 0) {
            return false;
        }
        int first = name.byteAt(0) | 0x20;
        if (first != 'x' && first != 'f' && first != 'c') {
            return false;
        }
        if (beginsLike(name, X_FORWARDED)) {
            return true;
        }
        for (int i = 0; i < NAMES.size(); i++) {
            byte[] own = NAMES.get(i);
            if (own.length == name.length() && beginsLike(name, own)) {
                return true;
            }
        }
        return false;
    }

    private static boolean beginsLike(HttpString name, byte[] own) {
        if (name.length() < own.length) {
            return false;
        }
        for (int i = 0; i < own.length; i++) {
            if (HeaderNames.alike(name.byteAt(i)) != own[i]) {
                return false;
            }
        }
        return true;
    }
}
