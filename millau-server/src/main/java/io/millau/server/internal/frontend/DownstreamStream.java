package io.millau.server.internal.frontend;

import io.millau.server.internal.http.MessageLength;
import io.millau.server.internal.http2.Http2;
import io.millau.server.internal.http2.Http2.ConnectionException;
import io.millau.server.internal.http2.Http2Stream;
import io.millau.server.internal.io.Deadlines;
import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.Base64;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * A stream of a client's HTTP/2 connection (RFC 9113, 5): one request and its response, or a WebSocket (RFC 8441). Undertow's
 * exchange uses it like the connection of an HTTP/1.1 client. For its I/O thread alone.
 */
final class DownstreamStream extends Http2Stream {

    private static final String WEB_SOCKET = "websocket";

    private final int id;
    private final DownstreamHttp2Connection connection;
    private final DownstreamStreams streams;
    private final int headBytes;
    private final RequestStreamSource source;
    private final ResponseStreamSink sink;
    private Downstream.@Nullable Watcher watcher;

    /** Whether the request is not served as it was sent, so that the stream is reset after the response. */
    private boolean rejected;

    private boolean webSocket;

    /** Why it ended before the response did; null if it did not. */
    private @Nullable IOException failure;

    private boolean left;

    /** Until when the client may go on to send a request that was responded to; null if it need not. */
    private Deadlines.@Nullable Deadline lingering;

    /**
     * @param window the number of body bytes that it may send before the client allows more
     * @param headBytes how much memory was taken for its head
     */
    DownstreamStream(
            int id, DownstreamHttp2Connection connection, DownstreamStreams streams, int window, int headBytes) {
        super(connection.socket(), connection.notifier);
        this.id = id;
        this.connection = connection;
        this.streams = streams;
        this.headBytes = headBytes;
        this.source = new RequestStreamSource(this, connection);
        this.sink = new ResponseStreamSink(this, connection, window);
        setSourceConduit(source);
        setSinkConduit(sink);
    }

    int id() {
        return id;
    }

    int headBytes() {
        return headBytes;
    }

    DownstreamHttp2Connection connection() {
        return connection;
    }

    @Override
    public RequestStreamSource source() {
        return source;
    }

    @Override
    public ResponseStreamSink sink() {
        return sink;
    }

    /**
     * Begins a request.
     *
     * @param protocol the protocol that it wants to use over the stream (RFC 8441, 4); null for none
     * @param ends whether it has no body
     */
    void begin(ReceivedHead head, @Nullable String protocol, boolean ends, DownstreamHttp2Connections context) {
        rejected = head.rejection() != null;
        webSocket = !rejected && WEB_SOCKET.equals(protocol);
        StreamServerConnection server = new StreamServerConnection(this, context);
        HttpServerExchange exchange = new HttpServerExchange(server, head.headers(), new HeaderMap(), -1);
        server.begin(exchange);
        exchange.setRequestMethod(webSocket ? Methods.GET : head.method());
        exchange.setProtocol(head.protocol());
        RequestTarget.set(exchange, head.target());
        exchange.setPersistent(true);
        if (head.rejection() != null) {
            head.rejection().reject(exchange);
        }
        if (webSocket) {
            askForWebSocket(head.headers());
        } else if (ends) {
            source.endWithHead();
        } else {
            String length = head.headers().getFirst(Headers.CONTENT_LENGTH);
            source.beginBody(exchange, length == null ? -1 : MessageLength.parse(length));
        }
        sink.begin(exchange);
        if (ends || webSocket) {
            Connectors.terminateRequest(exchange);
        }
        Connectors.executeRootHandler(context.handler(), exchange);
    }

    /** Makes the request that of an HTTP/1.1 client, which is what the service knows (RFC 6455, 4.1; RFC 8441, 5). */
    private static void askForWebSocket(HeaderMap headers) {
        byte[] nonce = new byte[16];
        ThreadLocalRandom.current().nextBytes(nonce);
        headers.put(Headers.UPGRADE, WEB_SOCKET);
        headers.put(Headers.CONNECTION, "Upgrade");
        headers.put(Headers.SEC_WEB_SOCKET_KEY, Base64.getEncoder().encodeToString(nonce));
    }

    /** Whether the client wants to use WebSocket over the stream. */
    boolean isWebSocket() {
        return webSocket;
    }

    /** Ends it because of what the client sent. */
    void breakOff(int code, String problem) throws IOException, ConnectionException {
        streams.streamError(id, code, problem);
    }

    /** Counts bytes of the response that are about to be sent. */
    void sends(int bytes) {
        streams.sent(bytes);
    }

    /** Called when a header block was received after the head. */
    void trailers(RequestHeaderDecoder decoder, boolean ends) throws IOException, ConnectionException {
        if (source.ended()) {
            breakOff(Http2.STREAM_CLOSED, "HEADERS after the end of the request");
            return;
        }
        String problem = ends ? decoder.trailersProblem() : "trailers without the end of the request";
        if (problem != null) {
            breakOff(Http2.PROTOCOL_ERROR, problem);
            return;
        }
        sink.exchange().putAttachment(HttpAttachments.REQUEST_TRAILERS, decoder.fields());
        source.end();
    }

    /** Calls this watcher when the client resets the stream or goes away; null for none. */
    void watch(Downstream.@Nullable Watcher told) {
        watcher = told;
        if (failure != null && told != null) {
            connection.notifier.tellLater(this);
        }
    }

    /** Called when the client has reset the stream, broke a rule, or is gone. */
    void lost(IOException why) {
        if (failure == null) {
            failure = why;
        }
        source.discard();
        leave(false);
        connection.notifier.tellLater(this);
    }

    @Override
    protected void tell() {
        Downstream.Watcher told = watcher;
        if (failure != null && told != null) {
            watcher = null;
            told.downstreamLost();
        }
        super.tell();
    }

    boolean failed() {
        return failure != null;
    }

    void checkOpen() throws IOException {
        if (failure != null) {
            throw failure;
        }
        if (closed()) {
            throw new ClosedChannelException();
        }
    }

    /** Called when the client has sent all of the request. */
    void requestEnded() {
        if (sink.ended()) {
            leave(false);
        }
    }

    /**
     * Called when all of the response was sent. A client that has not sent all of its request may do so for a while, and is then told
     * that the rest is not needed (RFC 9113, 8.1). Some clients lose the response if they are told at once.
     */
    void responseEnded() {
        if (left || !source.ended() && sink.isTunnel()) {
            return;
        }
        if (rejected) {
            connection.sender.reset(id, Http2.PROTOCOL_ERROR);
            source.discard();
            leave(true);
        } else if (source.ended()) {
            leave(false);
        } else {
            linger();
        }
    }

    private void linger() {
        Deadlines.Deadline end = new Deadlines.Deadline() {
            @Override
            public void passed() {
                endLingering();
            }
        };
        lingering = end;
        connection.loop.longDeadlines.set(end, LingeringClose.MAX_TIME.toNanos());
        source.discardLingering();
    }

    /** The client has sent enough of a request that was responded to. */
    void endLingering() {
        connection.sender.reset(id, Http2.NO_ERROR);
        leave(true);
    }

    boolean isLingering() {
        return lingering != null;
    }

    private void leave(boolean reset) {
        if (!left) {
            left = true;
            if (lingering != null) {
                connection.loop.longDeadlines.cancel(lingering);
            }
            streams.left(this, reset);
        }
    }

    /** Reads no more of the request; the response may go on. */
    void discardRequest() {
        source.discard();
    }

    /** Resets the stream if it has not ended, so that the client can't take it for complete. */
    @Override
    protected void closedByUser() {
        source.discard();
        if (!left) {
            connection.sender.reset(id, Http2.INTERNAL_ERROR);
            leave(true);
        }
    }
}
