package io.millau.server.internal.frontend;

import io.millau.server.internal.http2.Http2;
import io.millau.server.internal.http2.Http2.ConnectionException;
import io.millau.server.internal.http2.StreamSource;
import io.millau.server.internal.http2.WaitingBytes;
import io.millau.server.internal.io.OutOfBuffersException;
import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The body of a request over HTTP/2, or what a client sends over a WebSocket. For its I/O thread alone.
 */
final class RequestStreamSource extends StreamSource {

    /** The number of bytes read before the client is allowed to send more. */
    private static final int CREDIT_BYTES = Http2.INITIAL_WINDOW_BYTES / 2;

    /** What becomes of the bytes that come. */
    private enum Use {
        /** They wait to be read. */
        KEPT,
        DISCARDED,
        /** They are discarded, and the client may go on to send, so that it comes to the end. */
        LINGERED
    }

    private final DownstreamStream stream;
    private final DownstreamHttp2Connection connection;

    /** The exchange whose request it is until that was read; then null. */
    private @Nullable HttpServerExchange exchange;

    private long declared = -1;
    private long received;
    private long windowLeft = Http2.INITIAL_WINDOW_BYTES;
    private int uncredited;
    private boolean ended;
    private Use use = Use.KEPT;
    private int discarded;

    private final WaitingBytes body;

    RequestStreamSource(DownstreamStream stream, DownstreamHttp2Connection connection) {
        super(stream, connection.notifier);
        this.stream = stream;
        this.connection = connection;
        this.body = new WaitingBytes(connection.loop);
    }

    /** @param declared the length of the body in bytes; -1 if it is not known */
    void beginBody(HttpServerExchange exchange, long declared) {
        this.exchange = exchange;
        this.declared = declared;
    }

    /** Marks the request as one without a body. */
    void endWithHead() {
        ended = true;
    }

    /** Whether the client has sent all of it. */
    boolean ended() {
        return ended;
    }

    /**
     * Called when a part was received.
     *
     * @param counted the number of bytes that count against the windows, with padding
     */
    void data(ByteBuffer bytes, int counted, boolean ends) throws IOException, ConnectionException {
        windowLeft -= counted;
        received += bytes.remaining();
        boolean afterEnd = ended;
        boolean tooLong = declared >= 0 && received > declared;
        if (use != Use.KEPT || afterEnd || windowLeft < 0 || tooLong) {
            connection.sender.credit(counted);
            uncredited += counted;
            discarded += counted;
            ended |= ends;
        }
        if (afterEnd) {
            stream.breakOff(Http2.STREAM_CLOSED, "DATA after the end of the request");
        } else if (windowLeft < 0) {
            stream.breakOff(
                    Http2.FLOW_CONTROL_ERROR, "more than the window of " + Http2.INITIAL_WINDOW_BYTES + " bytes");
        } else if (tooLong) {
            stream.breakOff(Http2.PROTOCOL_ERROR, "body longer than its Content-Length of " + declared);
        } else if (use == Use.LINGERED) {
            linger();
        } else if (use == Use.KEPT) {
            connection.sender.credit(counted - bytes.remaining());
            uncredited += counted - bytes.remaining();
            keepOrReset(bytes);
            if (ends) {
                end();
            } else if (isAwaited()) {
                connection.notifier.tellLater(stream);
            }
        }
    }

    /** Lets the client send more, so that it comes to the end of its request. */
    private void linger() {
        if (ended) {
            stream.requestEnded();
        } else if (discarded > LingeringClose.MAX_BYTES) {
            stream.endLingering();
        } else {
            allowMore();
        }
    }

    private void allowMore() {
        if (uncredited >= CREDIT_BYTES && !ended && connection.sender.credit(stream.id(), uncredited)) {
            windowLeft += uncredited;
            uncredited = 0;
        }
    }

    private void keepOrReset(ByteBuffer bytes) throws IOException, ConnectionException {
        int count = bytes.remaining();
        try {
            body.add(bytes);
        } catch (OutOfBuffersException e) {
            connection.sender.credit(count);
            stream.breakOff(Http2.ENHANCE_YOUR_CALM, String.valueOf(e.getMessage()));
        }
    }

    /** Called at the end of the request. */
    void end() throws IOException, ConnectionException {
        if (declared >= 0 && received < declared) {
            stream.breakOff(Http2.PROTOCOL_ERROR, "body shorter than its Content-Length of " + declared);
            return;
        }
        ended = true;
        stream.requestEnded();
        if (isAwaited()) {
            connection.notifier.tellLater(stream);
        }
    }

    /** Discards what was not read, and what still comes. */
    void discard() {
        if (use != Use.KEPT) {
            return;
        }
        use = Use.DISCARDED;
        if (!body.isEmpty()) {
            connection.sender.credit(body.count());
            uncredited += body.count();
            body.discard();
        }
    }

    /** As {@link #discard}, while the client may go on to send. */
    void discardLingering() {
        discard();
        use = Use.LINGERED;
        allowMore();
    }

    @Override
    public boolean readable() {
        return !body.isEmpty() || ended || use != Use.KEPT || stream.failed();
    }

    @Override
    public int read(ByteBuffer to) throws IOException {
        stream.checkOpen();
        if (!body.isEmpty()) {
            return take(to);
        }
        if (!ended && use == Use.KEPT) {
            return 0;
        }
        if (exchange != null) {
            HttpServerExchange whole = exchange;
            exchange = null;
            Connectors.terminateRequest(whole);
        }
        return -1;
    }

    private int take(ByteBuffer to) {
        int count = body.take(to, Integer.MAX_VALUE);
        connection.sender.credit(count);
        uncredited += count;
        allowMore();
        return count;
    }

    @Override
    public boolean isReadShutdown() {
        return stream.closed();
    }
}
