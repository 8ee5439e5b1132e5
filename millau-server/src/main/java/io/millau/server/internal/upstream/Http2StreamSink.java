package io.millau.server.internal.upstream;

import io.millau.server.internal.http2.HeaderBlock;
import io.millau.server.internal.http2.Http2;
import io.millau.server.internal.http2.StreamSink;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The request of a stream: takes it as HTTP/1.1, head, body and trailers, and sends it as frames of HTTP/2. For its I/O thread
 * alone.
 *
 * <p>An upgrade that the request asks for, to WebSocket for instance, is ignored (RFC 9110, 7.8): the endpoint gets the request
 * without it. As with a socket, a writer that could not write everything is notified when it can continue.
 */
final class Http2StreamSink extends StreamSink {

    private final Http2UpstreamStream stream;
    private final Http2UpstreamConnection connection;
    private long window;
    private boolean chunked;
    private boolean inChunk;
    private long unsent;
    private boolean requestEnded;

    /** Whether the rest of the request is discarded, since the endpoint does not need it. */
    private boolean discarding;

    Http2StreamSink(Http2UpstreamStream stream, Http2UpstreamConnection connection, int window) {
        super(stream, connection.notifier);
        this.stream = stream;
        this.connection = connection;
        this.window = window;
    }

    boolean requestEnded() {
        return requestEnded;
    }

    /** Discards the rest of the request: the response is complete. */
    void discard() {
        discarding = true;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        stream.checkOpen();
        int start = from.position();
        if (stream.id() == 0 && !discarding && !sendHead(from)) {
            return 0;
        }
        int before;
        do {
            before = from.position();
            sendBody(from);
            connection.sender.flush();
        } while (from.hasRemaining() && from.position() > before);
        int count = from.position() - start;
        if (count == 0) {
            stream.checkOpen();
        }
        return count;
    }

    private boolean sendHead(ByteBuffer from) throws IOException {
        int start = from.position();
        RequestHeaderEncoder encoder = connection.requestEncoder;
        encoder.readHead(from);
        stream.source().expectNoBody(encoder.isHead());
        chunked = encoder.chunked();
        unsent = chunked ? 0 : Math.max(0, encoder.contentLength());
        HeaderBlock block = encoder.block();
        if (!connection.takesHead(block.listBytes())) {
            rejectHead();
            return true;
        }
        if (!connection.sender.frames.takesHeaders(block.length())) {
            from.position(start);
            return false;
        }
        stream.enter();
        boolean ends = !chunked && unsent == 0;
        connection.sender.frames.headers(stream.id(), ends, block.bytes(), block.length());
        if (ends) {
            endRequest();
        }
        return true;
    }

    /** Responds to a head that is larger than the endpoint accepts; this is not a failure of the endpoint. */
    private void rejectHead() {
        discarding = true;
        stream.source().replyTooLarge();
    }

    private void sendBody(ByteBuffer from) throws IOException {
        while (from.hasRemaining() && !stream.failed()) {
            if (discarding || requestEnded) {
                from.position(from.limit());
            } else if (unsent > 0) {
                int count = (int) Math.min(Math.min(from.remaining(), unsent), sendable());
                if (count <= 0) {
                    return;
                }
                sendData(from, count);
            } else if (!sendFraming(from)) {
                return;
            }
        }
    }

    private void sendData(ByteBuffer from, int count) throws IOException {
        unsent -= count;
        window -= count;
        connection.sender.sent(count);
        boolean last = !chunked && unsent == 0;
        connection.sender.frames.data(stream.id(), last, from, count);
        if (last) {
            endRequest();
        }
    }

    /** Reads the framing between two chunks, or after the last one; the buffer always holds all of it. */
    private boolean sendFraming(ByteBuffer from) throws IOException {
        if (inChunk) {
            from.position(from.position() + 2);
            inChunk = false;
            return true;
        }
        int start = from.position();
        int size = 0;
        for (byte b = from.get(); b != '\r'; b = from.get()) {
            size = size * 16 + Character.digit(b, 16);
        }
        from.get();
        if (size > 0) {
            unsent = size;
            inChunk = true;
            return true;
        }
        boolean sent = sendEnd(from);
        if (!sent) {
            from.position(start);
        }
        return sent;
    }

    private boolean sendEnd(ByteBuffer from) throws IOException {
        if (from.remaining() == 2) {
            if (connection.sender.frames.room() < 0) {
                return false;
            }
            connection.sender.frames.data(stream.id(), true, from, 0);
        } else {
            connection.requestEncoder.readTrailers(from.duplicate());
            HeaderBlock block = connection.requestEncoder.block();
            if (!connection.sender.frames.takesHeaders(block.length())) {
                return false;
            }
            connection.sender.frames.headers(stream.id(), true, block.bytes(), block.length());
        }
        from.position(from.limit());
        endRequest();
        return true;
    }

    private void endRequest() {
        requestEnded = true;
        stream.leaveIfOver();
    }

    private long sendable() {
        return Math.min(window, connection.sender.sendable());
    }

    @Override
    public boolean canWrite() {
        if (stream.failed() || discarding || requestEnded) {
            return true;
        }
        return stream.id() == 0 || unsent == 0 ? connection.sender.frames.isEmpty() : sendable() > 0;
    }

    /** Changes the window, in bytes, after the endpoint changed the initial window size (RFC 9113, 6.9.2). */
    void widen(int bytes) {
        window += bytes;
    }

    void windowUpdate(int bytes) {
        window += bytes;
        if (bytes == 0 || window > Integer.MAX_VALUE) {
            stream.breakOff(Http2.FLOW_CONTROL_ERROR, "window update by " + bytes);
        }
    }

    @Override
    public boolean flush() {
        return true;
    }

    @Override
    public boolean isWriteShutdown() {
        return stream.closed();
    }

    @Override
    public void terminateWrites() {
        suspendWrites();
    }
}
