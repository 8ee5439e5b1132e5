package io.millau.server.internal.frontend;

import io.millau.server.internal.http2.HeaderBlock;
import io.millau.server.internal.http2.StreamSink;
import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends a response over HTTP/2: the head that is set on the exchange, the body and trailers; or what a service sends over a
 * WebSocket. For its I/O thread alone.
 *
 * <p>The head is sent with the first bytes of the body or with the end. Nothing else is buffered here. As with a socket, a writer
 * that could not write everything is notified when it can continue.
 */
final class ResponseStreamSink extends StreamSink {

    private final DownstreamStream stream;
    private final DownstreamHttp2Connection connection;
    private @Nullable HttpServerExchange exchange;
    private long window;
    private boolean headSent;

    /** Whether the response is a tunnel: a WebSocket that was accepted. */
    private boolean tunnel;

    /** Whether the response, or the exchange of a tunnel, ends as soon as there is room for it. */
    private boolean ending;

    private boolean ended;

    ResponseStreamSink(DownstreamStream stream, DownstreamHttp2Connection connection, int window) {
        super(stream, connection.notifier);
        this.stream = stream;
        this.connection = connection;
        this.window = window;
    }

    void begin(HttpServerExchange exchange) {
        this.exchange = exchange;
    }

    HttpServerExchange exchange() {
        return Objects.requireNonNull(exchange);
    }

    /** Sends an interim response (RFC 9110, 15.2); drops it if there is no room for it. */
    void interim(int status, HeaderMap headers) throws IOException {
        if (stream.failed() || headSent) {
            return;
        }
        HeaderBlock block = connection.responseEncoder.head(status, headers);
        if (connection.sender.frames.takesHeaders(block.length())) {
            connection.sender.frames.headers(stream.id(), false, block.bytes(), block.length());
            connection.sender.flush();
        }
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        return write(from, false);
    }

    @Override
    public int writeFinal(ByteBuffer from) throws IOException {
        int count = write(from, true);
        if (!from.hasRemaining()) {
            terminateWrites();
        }
        return count;
    }

    private int write(ByteBuffer from, boolean last) throws IOException {
        stream.checkOpen();
        int start = from.position();
        if (!hasBody()) {
            from.position(from.limit());
            return from.position() - start;
        }
        if (!headSent && !sendHead(false)) {
            return 0;
        }
        boolean withEnd = last && !hasTrailers();
        while (from.hasRemaining() && !stream.failed()) {
            int count = (int) Math.min(Math.min(from.remaining(), window), connection.sender.sendable());
            if (count <= 0) {
                if (window <= 0 || !makeRoom()) {
                    break;
                }
                continue;
            }
            window -= count;
            stream.sends(count);
            boolean ends = withEnd && count == from.remaining();
            connection.sender.frames.data(stream.id(), ends, from, count);
            if (ends) {
                end();
            }
        }
        if (tunnel || from.hasRemaining()) {
            connection.sender.flush(); // as a socket would do, since the writer may wait now
        }
        return from.position() - start;
    }

    /** Sends what waits; returns whether the connection's window and the socket allow to send more then. */
    private boolean makeRoom() {
        connection.sender.flushNow();
        return connection.sender.sendable() > 0;
    }

    private boolean hasBody() {
        if (tunnel) {
            return true;
        }
        HttpServerExchange open = exchange();
        return !open.getRequestMethod().equals(Methods.HEAD) && Connectors.isEntityBodyAllowed(open);
    }

    private boolean hasTrailers() {
        return !tunnel && exchange().getAttachment(HttpAttachments.RESPONSE_TRAILER_SUPPLIER) != null;
    }

    /** Sends the head; false if there is no room for it now. */
    private boolean sendHead(boolean end) throws IOException {
        HttpServerExchange open = exchange();
        int status = open.getStatusCode();
        if (open.isUpgrade()) {
            status = StatusCodes.OK; // so is success called over HTTP/2 (RFC 8441, 5)
            open.getResponseHeaders().remove(Headers.SEC_WEB_SOCKET_ACCEPT);
        }
        HeaderBlock block = connection.responseEncoder.head(status, open.getResponseHeaders());
        if (!connection.sender.frames.takesHeaders(block.length())) {
            connection.sender.flushNow();
            if (stream.failed() || !connection.sender.frames.takesHeaders(block.length())) {
                return false;
            }
        }
        connection.sender.frames.headers(stream.id(), end, block.bytes(), block.length());
        headSent = true;
        return true;
    }

    /** Ends the response, or the exchange of a tunnel, which goes on. {@link #flush} continues if there is no room now. */
    @Override
    public void terminateWrites() throws IOException {
        if (!ended && !ending && !stream.closed()) {
            ending = true;
            tryEnd();
        }
    }

    private void tryEnd() throws IOException {
        if (stream.failed()) {
            end();
        } else if (!tunnel && exchange().isUpgrade()) {
            beginTunnel();
        } else if (headSent || !hasTrailers()) {
            if (headSent ? sendTrailersOrEmptyData() : sendHead(true)) {
                end();
            }
        } else if (sendHead(false) && sendTrailersOrEmptyData()) {
            end();
        }
    }

    private void beginTunnel() throws IOException {
        if (sendHead(false)) {
            ending = false;
            tunnel = true;
            connection.sender.flush();
            Connectors.terminateResponse(exchange());
        }
    }

    private boolean sendTrailersOrEmptyData() throws IOException {
        Supplier<HeaderMap> trailers =
                hasTrailers() ? exchange().getAttachment(HttpAttachments.RESPONSE_TRAILER_SUPPLIER) : null;
        HeaderMap fields = trailers == null ? null : trailers.get();
        if (fields == null || fields.size() == 0) {
            if (connection.sender.frames.room() < 0) {
                return false;
            }
            connection.sender.frames.data(stream.id(), true, ByteBuffer.allocate(0), 0);
            return true;
        }
        HeaderBlock block = connection.responseEncoder.trailers(fields);
        boolean fits = connection.sender.frames.takesHeaders(block.length());
        if (fits) {
            connection.sender.frames.headers(stream.id(), true, block.bytes(), block.length());
        }
        return fits;
    }

    private void end() {
        ended = true;
        connection.sender.flush();
        stream.responseEnded();
        Connectors.terminateResponse(exchange());
    }

    boolean ended() {
        return ended;
    }

    /** Whether it is a WebSocket that was accepted. */
    boolean isTunnel() {
        return tunnel;
    }

    @Override
    public boolean canWrite() {
        if (stream.failed()) {
            return true;
        }
        return headSent && !ending
                ? window > 0 && connection.sender.sendable() > 0
                : connection.sender.frames.isEmpty();
    }

    /** Changes the window by what the client says (RFC 9113, 6.9), in bytes; false if it is too large then. */
    boolean widen(int bytes) {
        window += bytes;
        return window <= Integer.MAX_VALUE;
    }

    @Override
    public boolean flush() throws IOException {
        boolean begun = headSent || ending || stream.failed() || sendHead(false);
        if (ending && !ended) {
            tryEnd();
        }
        connection.sender.flush();
        return begun && (!ending || ended);
    }

    @Override
    public boolean isWriteShutdown() {
        return ended || stream.closed() || stream.failed();
    }
}
