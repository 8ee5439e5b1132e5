package io.millau.server.internal.http;

import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpServerConnection;
import io.undertow.util.HeaderValues;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Helpers for HTTP/1.1 messages (RFC 9112). */
public final class Http1 {

    private Http1() {}

    /** The bytes of a text that is ASCII. */
    public static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** The path of a request target, not decoded, without the query; of a target in absolute form, too. */
    public static String pathOf(HttpServerExchange exchange) {
        String uri = exchange.getRequestURI();
        if (!exchange.isHostIncludedInRequestURI()) {
            return uri;
        }
        int path = uri.indexOf('/', uri.indexOf("://") + 3);
        return path < 0 ? "/" : uri.substring(path);
    }

    /** Whether the client speaks HTTP/1.1 to this proxy directly, so that what HTTP/1.1 alone has can be passed on. */
    public static boolean isHttp11(HttpServerExchange exchange) {
        return exchange.getConnection() instanceof HttpServerConnection && exchange.isHttp11();
    }

    /** Whether a TE field (RFC 9110, 10.1.4) says that trailers are accepted. */
    public static boolean wantsTrailers(@Nullable HeaderValues te) {
        if (te == null) {
            return false;
        }
        for (int i = 0; i < te.size(); i++) {
            if (HopByHop.hasToken(te.get(i), "trailers")) {
                return true;
            }
        }
        return false;
    }
}
