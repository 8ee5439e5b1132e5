package io.millau.server.internal.status;

import io.millau.core.internal.HostNames;
import io.millau.core.internal.UrlPath;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The URL of a request to explain, parsed like the target of a real request. Immutable.
 *
 * @param secure whether it is HTTPS
 * @param host the value of the Host field
 * @param path as browsers send it, without the query
 * @param text the URL as written, with its scheme
 */
public record RequestUrl(boolean secure, String host, String path, String text) {

    static final String EXPECTED = "expected a URL like https://shop.example/api/x";

    private static final int LONGEST = 4000;
    private static final Pattern FORM =
            Pattern.compile("(?:([A-Za-z][A-Za-z0-9+.-]*)://)?([^/?#]+)(/[^?#]*)?(?:[?#].*)?");
    private static final Pattern HOST = Pattern.compile("([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+])(:[0-9]{1,5})?");
    private static final Pattern PORT = Pattern.compile("^.*?((?::[0-9]{1,5})?)$");
    private static final Pattern NOT_ASCII = Pattern.compile("[^\\x00-\\x7f]+");
    private static final Pattern CONTROL_OR_BLANK = Pattern.compile("[\\p{Cntrl}\\p{Space}]");

    /**
     * Parses a URL. The default scheme is http.
     *
     * @throws IllegalArgumentException if it is malformed; the message tells what was expected, and contains nothing of
     *     the URL
     */
    public static RequestUrl parse(String text) {
        if (text.length() > LONGEST) {
            throw new IllegalArgumentException(EXPECTED + ", of at most " + LONGEST + " characters");
        }
        Matcher form = FORM.matcher(text);
        if (CONTROL_OR_BLANK.matcher(text).find() || !form.matches()) {
            throw new IllegalArgumentException(EXPECTED);
        }
        String scheme = form.group(1) == null ? "http" : form.group(1).toLowerCase(Locale.ROOT);
        boolean secure = scheme.equals("https") || scheme.equals("wss");
        if (!secure && !scheme.equals("http") && !scheme.equals("ws")) {
            throw new IllegalArgumentException(EXPECTED + ", with http or https");
        }
        String path = form.group(3) == null ? "/" : form.group(3);
        return new RequestUrl(
                secure,
                host(form.group(2)),
                UrlPath.asSent(path),
                form.group(1) == null ? scheme + "://" + text : text);
    }

    private static String host(String written) {
        String host = written;
        if (NOT_ASCII.matcher(host).find()) {
            try {
                String port = PORT.matcher(host).replaceFirst("$1");
                host = HostNames.ascii(host.substring(0, host.length() - port.length())) + port;
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(EXPECTED + ", with a host name that has a Punycode form", e);
            }
        }
        if (!HOST.matcher(host).matches()) {
            throw new IllegalArgumentException(EXPECTED + ", with a host name and perhaps a port");
        }
        return host;
    }
}
