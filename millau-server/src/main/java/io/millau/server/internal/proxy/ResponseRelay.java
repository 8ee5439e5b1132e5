package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http.ResponseHead;
import io.millau.server.internal.upstream.UpstreamConnection;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;
import org.xnio.channels.StreamSinkChannel;

/**
 * Passes the response of the endpoint on to the client: its head and its body or, after a 101, the bytes that both sides send
 * from then on. For the request's I/O thread alone.
 */
final class ResponseRelay {

    private final ProxiedRequest request;
    private final Downstream downstream;
    private final HttpServerExchange exchange;
    private final ProxyThread thread;
    private final Delivery delivery;
    private final @Nullable StickyCookie cookie;
    private final @Nullable DebugHeaders debugHeaders;
    private final Filters filters;
    private @Nullable ResponseBody body;
    private @Nullable Tunnel tunnel;

    /** Whether the head and body go unchanged to the client's connection, not through Undertow. */
    private boolean direct;

    private boolean keepsConnection;

    ResponseRelay(
            ProxiedRequest request,
            Downstream downstream,
            ProxyThread thread,
            Delivery delivery,
            @Nullable StickyCookie cookie,
            @Nullable DebugHeaders debugHeaders,
            Filters filters) {
        this.request = request;
        this.downstream = downstream;
        this.exchange = downstream.exchange;
        this.thread = thread;
        this.delivery = delivery;
        this.cookie = cookie;
        this.debugHeaders = debugHeaders;
        this.filters = filters;
    }

    /** Whether all of the response was read from the endpoint. */
    boolean responseRead() {
        return body != null && body.read();
    }

    /** Whether the connection can serve another request after this response. */
    boolean keepsConnection() {
        return keepsConnection;
    }

    /**
     * Prepares to pass on the response whose head was read last. Nothing is sent to the client yet.
     *
     * @param first the bytes that were read after the head; freed by this object, also if this method throws
     * @throws IOException if these bytes show that the body is malformed
     */
    ResponseBody begin(UpstreamConnection connection, PooledByteBuffer first) throws IOException {
        ResponseHead head = thread.responseHead;
        keepsConnection = head.keepAlive();
        connection.keptFor(head.keepAliveSeconds());
        body = new ResponseBody(connection, thread, request, bodyLength(exchange, head), first);
        return body;
    }

    /** As {@link ResponseHead#length()}; 0 for a response without a body. */
    private static long bodyLength(HttpServerExchange exchange, ResponseHead head) {
        boolean hasBody =
                !exchange.getRequestMethod().equals(Methods.HEAD) && head.status() != 204 && head.status() != 304;
        return hasBody ? head.length() : 0;
    }

    /** Whether a response was read from its connection to the end, and the connection can serve another request. */
    static boolean isWhole(HttpServerExchange exchange, ResponseHead head, ByteBuffer afterHead) {
        return head.keepAlive() && bodyLength(exchange, head) == afterHead.remaining();
    }

    /**
     * Sends the head, and the part of the body that has arrived. To be called after {@link #begin}.
     *
     * @return false if a filter failed, so that nothing was sent
     */
    boolean pass(PooledByteBuffer first) throws IOException {
        ResponseHead head = thread.responseHead;
        ResponseBody passing = body;
        if (passing == null) {
            throw new IllegalStateException("call begin first");
        }
        exchange.setStatusCode(downstream.statusFor(head.status()));
        StreamSinkChannel connection = changesHead() || !canPassAsItIs(head) ? null : downstream.directChannel();
        if (connection != null) {
            direct = true;
            passing.startDirect(connection, head.putBefore(first.getBuffer()));
            return true;
        }
        head.copyTo(exchange.getResponseHeaders());
        addCookieAndDebugHeaders();
        Duration hsts = hsts();
        if (hsts != null) {
            exchange.getResponseHeaders().put(Headers.STRICT_TRANSPORT_SECURITY, "max-age=" + hsts.toSeconds());
        }
        boolean compressed = delivery.service().compress() && compress(head, passing);
        if (head.reason() != null) {
            exchange.setReasonPhrase(head.reason());
        }
        if (!filtersAccept()) {
            return false;
        }
        if (exchange.isHttp10() && exchange.isPersistent()) {
            exchange.getResponseHeaders().put(Headers.CONNECTION, "keep-alive");
        }
        frame(head, passing, compressed);
        downstream.endConnectionIfBodyIsUncertain();
        StreamSinkChannel channel = exchange.getResponseChannel();
        if (head.status() == StatusCodes.NO_CONTENT) {
            // Undertow has framed it if the request is HEAD; it must not be (RFC 9110, 8.6; RFC 9112, 6.1).
            exchange.getResponseHeaders().remove(Headers.CONTENT_LENGTH);
            exchange.getResponseHeaders().remove(Headers.TRANSFER_ENCODING);
        }
        passing.start(channel);
        return true;
    }

    /** Returns whether the response is compressed, or would be if it had a body. */
    private boolean compress(ResponseHead head, ResponseBody passing) {
        if (!Compression.prepare(exchange, head)) {
            return false;
        }
        if (!exchange.getRequestMethod().equals(Methods.HEAD)) {
            Gzip gzip = thread.gzip.take();
            if (gzip == null) {
                return false;
            }
            passing.compress(gzip);
        }
        Compression.apply(exchange.getResponseHeaders());
        return true;
    }

    private boolean filtersAccept() {
        return filters.changeResponse(downstream, delivery.service(), request.endpoint());
    }

    /** Frames a body whose length is not known, and passes trailers on if the client wants them. */
    private void frame(ResponseHead head, ResponseBody passing, boolean compressed) {
        HeaderMap headers = exchange.getResponseHeaders();
        boolean hasBody = head.status() != StatusCodes.NO_CONTENT && head.status() != StatusCodes.NOT_MODIFIED;
        if ((head.length() < 0 || compressed) && hasBody && exchange.isHttp11()) {
            // Also if the connection ends with the response: a cut response would look complete otherwise.
            headers.put(Headers.TRANSFER_ENCODING, "chunked");
        }
        HeaderMap trailers = passing.trailers();
        if (trailers != null && Http1.wantsTrailers(exchange.getRequestHeaders().get(Headers.TE))) {
            exchange.putAttachment(
                    HttpAttachments.RESPONSE_TRAILER_SUPPLIER,
                    () -> compressed ? Compression.applyToTrailers(trailers) : trailers);
        } else {
            headers.remove(Headers.TRAILER);
        }
    }

    private boolean changesHead() {
        return debugHeaders != null
                || hsts() != null
                || cookie != null && cookie.isNew(delivery)
                || delivery.service().compress()
                || downstream.changesResponse();
    }

    /**
     * Whether the head can be sent without Undertow. Undertow has to remove the length from a response that must not have a
     * body, and to frame a response that declares no length.
     */
    private static boolean canPassAsItIs(ResponseHead head) {
        return head.length() >= 0
                && head.isWhole()
                && head.status() != StatusCodes.NO_CONTENT
                && head.status() != StatusCodes.NOT_MODIFIED;
    }

    private void addCookieAndDebugHeaders() {
        if (cookie != null) {
            cookie.set(delivery);
        }
        if (debugHeaders != null) {
            debugHeaders.addTo(exchange.getResponseHeaders(), delivery.service(), downstream.id());
        }
    }

    /** The max-age of Strict-Transport-Security; null for no such header, as always over plain HTTP (RFC 6797, 7.2). */
    private @Nullable Duration hsts() {
        Duration hsts = delivery.service().hsts();
        return hsts != null && exchange.getRequestScheme().equals("https") ? hsts : null;
    }

    void upstreamReadable() {
        if (body != null) {
            body.readable();
        }
    }

    /** @param connectionIsClean whether nothing but the response was read from the connection */
    void responseRead(boolean connectionIsClean) {
        keepsConnection &= connectionIsClean;
    }

    /** Ends the exchange after all of the response was written to the client. */
    void endExchange() {
        if (direct) {
            Connectors.terminateResponse(exchange);
        } else {
            exchange.endExchange();
        }
    }

    /**
     * Prepares the head of a 101.
     *
     * @return false if a filter failed
     */
    boolean prepareUpgrade() {
        ResponseHead head = thread.responseHead;
        exchange.setStatusCode(StatusCodes.SWITCHING_PROTOCOLS);
        head.copyTo(exchange.getResponseHeaders());
        addCookieAndDebugHeaders();
        if (!filtersAccept()) {
            return false;
        }
        exchange.getResponseHeaders().put(Headers.UPGRADE, head.upgrade());
        return true;
    }

    /**
     * Passes a 101 on to the client, after {@link #prepareUpgrade}, and then the bytes of both sides.
     *
     * @param first the bytes that the endpoint sent after the 101
     */
    void switchProtocols(UpstreamConnection connection, PooledByteBuffer first) {
        downstream.unwatch();
        // Nothing is read from the endpoint until the client has the 101. If the client leaves before that, the request
        // ends.
        connection.source.suspendReads();
        exchange.getConnection().addCloseListener(closed -> request.end());
        exchange.upgradeChannel((channel, upgraded) -> tunnel(channel, connection, first));
        exchange.endExchange();
    }

    private void tunnel(StreamConnection channel, UpstreamConnection to, PooledByteBuffer first) {
        request.handOverConnection();
        tunnel = new Tunnel(channel, to, thread.loop, first, request);
        tunnel.start();
    }

    /** Closes the tunnel; returns whether there was one. */
    boolean closeTunnel() {
        if (tunnel == null) {
            return false;
        }
        tunnel.close();
        return true;
    }

    /** Ends the response, in any state; the request is not called any more. */
    void end() {
        if (body != null) {
            body.end();
        }
    }
}
