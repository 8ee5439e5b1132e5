package io.millau.server.internal.proxy;

import io.millau.server.internal.frontend.RequestTarget;
import io.millau.server.internal.http.Authority;
import io.millau.server.internal.http.MessageLength;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.undertow.util.Protocols;
import org.jspecify.annotations.Nullable;

/**
 * Finds requests that two parsers could understand in different ways (RFC 9112, 6.3 and 11.2). They must not reach a service.
 * Safe for use by several threads.
 */
final class RequestCheck {

    private RequestCheck() {}

    /** Describes what makes a request ambiguous, and what was expected; null if it is not ambiguous. */
    static @Nullable String problemOf(HttpServerExchange exchange) {
        HeaderMap headers = exchange.getRequestHeaders();
        HeaderValues lengths = headers.get(Headers.CONTENT_LENGTH);
        HeaderValues codings = headers.get(Headers.TRANSFER_ENCODING);
        HeaderValues hosts = headers.get(Headers.HOST);
        if (lengths != null && (lengths.size() != 1 || MessageLength.parse(lengths.getFirst()) < 0)) {
            return "Content-Length " + lengths + ", expected one number";
        }
        if (lengths != null && exchange.isRequestComplete() && MessageLength.parse(lengths.getFirst()) > 0) {
            // Possible in HTTP/2. Over HTTP/1.1 the endpoint would read the next request as the body.
            return "Content-Length " + lengths + " without a body";
        }
        if (codings != null) {
            boolean chunked = codings.size() == 1 && "chunked".equalsIgnoreCase(codings.getFirst());
            if (!chunked || lengths != null || !exchange.isHttp11()) {
                return "Transfer-Encoding " + codings
                        + ", expected chunked alone, without Content-Length, over HTTP/1.1";
            }
        }
        if (hosts != null && hosts.size() > 1) {
            return "several Host fields";
        }
        if (!exchange.isHttp10()
                && (hosts == null || isHttp2(exchange) && hosts.getFirst().isEmpty())) {
            return "no Host field, or no :authority";
        }
        if (hosts != null && !Authority.isValid(hosts.getFirst())) {
            return "Host " + hosts.getFirst() + ", expected a name or an address, with or without a port";
        }
        return exchange.getRequestMethod().equals(Methods.CONNECT)
                ? null
                : RequestTarget.formProblemOf(exchange.getRequestURI());
    }

    private static boolean isHttp2(HttpServerExchange exchange) {
        return exchange.getProtocol() == Protocols.HTTP_2_0;
    }
}
