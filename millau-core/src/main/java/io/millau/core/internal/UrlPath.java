package io.millau.core.internal;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** Paths of URLs. Pure functions. */
public final class UrlPath {

    private static final Pattern NOT_ASCII = Pattern.compile("[^\\x00-\\x7f]+");

    private UrlPath() {}

    /** A path as browsers send it: characters that are not ASCII become the escapes of their UTF-8 bytes (RFC 3986, 2.5). */
    public static String asSent(String path) {
        return NOT_ASCII.matcher(path).replaceAll(text -> URLEncoder.encode(text.group(), StandardCharsets.UTF_8));
    }
}
