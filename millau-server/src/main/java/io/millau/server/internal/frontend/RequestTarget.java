package io.millau.server.internal.frontend;

import io.undertow.server.HttpServerExchange;
import org.jspecify.annotations.Nullable;

/**
 * The target of a request (RFC 9112, 3.2). Its path and query stay as the client sent them, also where RFC 3986 wants an escape:
 * browsers send {@code |}, <code>{</code> and others as they are, and a percent sign need not be an escape.
 */
public final class RequestTarget {

    private RequestTarget() {}

    /**
     * Describes what is wrong with a target; null if it can be forwarded. Control characters and blanks would change the meaning
     * of the request line, and some servers cut a target at a number sign.
     */
    static @Nullable String problemOf(String target) {
        for (int i = 0; i < target.length(); i++) {
            char c = target.charAt(i);
            if (c <= ' ' || c == 127 || c > 255 || c == '#') {
                return String.format(
                        "character 0x%02X at position %d of the request target, expected neither control characters"
                                + " nor blank nor #",
                        (int) c, i);
            }
        }
        return null;
    }

    /**
     * Describes what is wrong with the form of a target; null if it can be forwarded. HTTP/1.1 has no absolute form left here;
     * {@code :path} of HTTP/2 must not have one (RFC 9113, 8.3.1), since it could name another host than the one that the request
     * is routed by.
     */
    public static @Nullable String formProblemOf(String target) {
        if (target.startsWith("/") || target.equals("*")) {
            return null;
        }
        int query = target.indexOf('?');
        return "request target " + (query < 0 ? target : target.substring(0, query))
                + ", expected one that starts with /";
    }

    /** Sets the target of a request. */
    static void set(HttpServerExchange exchange, String target) {
        int mark = target.indexOf('?');
        if (mark < 0) {
            set(exchange, target, target, "");
        } else if (mark == target.length() - 1) {
            set(exchange, target, target.substring(0, mark), ""); // an empty query differs from none (RFC 3986, 6.2.3)
        } else {
            String path = target.substring(0, mark);
            set(exchange, path, path, target.substring(mark + 1));
        }
    }

    /** @param uri the path, with a question mark after it if the query is empty but not absent */
    private static void set(HttpServerExchange exchange, String uri, String path, String query) {
        exchange.setRequestURI(uri);
        exchange.setRequestPath(path);
        exchange.setRelativePath(path);
        exchange.setQueryString(query.startsWith("?") ? "?" + query : query); // Undertow drops one question mark
    }

    /** Sets the target of a request; the query is not empty, or absent. */
    static void set(HttpServerExchange exchange, String path, String query) {
        set(exchange, path, path, query);
    }

    /** The target as it was sent, with its query. */
    public static String of(HttpServerExchange exchange) {
        String query = exchange.getQueryString();
        return exchange.getRequestURI() + (query.isEmpty() ? "" : "?" + query);
    }
}
