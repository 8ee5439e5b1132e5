package io.millau.server.internal.frontend;

import io.millau.server.internal.http.HopByHop;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.Protocols;
import java.nio.ByteBuffer;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * Upgrades connections without TLS from HTTP/1.1 to HTTP/2 where the client asks for it (RFC 7540, 3.2), as Java's HttpClient does.
 * RFC 9113 leaves that out, so a request that does not ask in the right way is served over HTTP/1.1. Safe for use by several
 * threads.
 */
final class Http2Upgrade implements HttpHandler {

    private final HttpHandler next;
    private final DownstreamHttp2Connections http2;

    Http2Upgrade(HttpHandler next, DownstreamHttp2Connections http2) {
        this.next = next;
        this.http2 = http2;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        HeaderMap headers = exchange.getRequestHeaders();
        ByteBuffer settings = headers.contains(Headers.UPGRADE) ? settings(exchange, headers) : null;
        if (settings == null) {
            next.handleRequest(exchange);
            return;
        }
        String target = RequestTarget.of(exchange);
        ReceivedHead head = new ReceivedHead(exchange.getRequestMethod(), target, Protocols.HTTP_2_0, headers, null);
        exchange.upgradeChannel("h2c", (connection, upgraded) -> {
            headers.remove(Headers.UPGRADE);
            headers.remove(Headers.CONNECTION);
            headers.remove(HopByHop.HTTP2_SETTINGS);
            http2.openUpgraded(connection, head, settings);
        });
        exchange.endExchange();
    }

    /** The client's settings; null if it does not ask for an upgrade to HTTP/2. */
    private static @Nullable ByteBuffer settings(HttpServerExchange exchange, HeaderMap headers) {
        HeaderValues connection = headers.get(Headers.CONNECTION);
        HeaderValues settings = headers.get(HopByHop.HTTP2_SETTINGS);
        boolean asked = exchange.isHttp11()
                && exchange.isRequestComplete()
                && Rejection.of(exchange) == null
                && HopByHop.hasToken(headers.get(Headers.UPGRADE), "h2c")
                && HopByHop.hasToken(connection, "upgrade")
                && HopByHop.hasToken(connection, HopByHop.HTTP2_SETTINGS.toString())
                && settings != null
                && settings.size() == 1;
        if (!asked) {
            return null;
        }
        try {
            return ByteBuffer.wrap(Base64.getUrlDecoder().decode(settings.getFirst()));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
