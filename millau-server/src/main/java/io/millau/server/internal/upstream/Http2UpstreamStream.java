package io.millau.server.internal.upstream;

import io.millau.core.Outcome;
import io.millau.server.internal.http2.Http2;
import io.millau.server.internal.http2.Http2Stream;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;

/**
 * A stream of an HTTP/2 connection (RFC 9113, 5). A request uses it like an HTTP/1.1 connection: the request is written to the
 * {@link Http2StreamSink} and the response is read from the {@link Http2StreamSource}. For its I/O thread alone.
 */
final class Http2UpstreamStream extends Http2Stream {

    private final Http2UpstreamConnection connection;
    private final Http2StreamSink sink;
    private final Http2StreamSource source;
    private final long since;
    private int id;
    private @Nullable StreamException failure;

    /** Whether the connection has removed it. */
    private boolean left;

    /** @param window the number of body bytes it may send before the endpoint allows more */
    Http2UpstreamStream(StreamConnection socket, Http2UpstreamConnection connection, int window) {
        super(socket, connection.notifier);
        this.connection = connection;
        this.sink = new Http2StreamSink(this, connection, window);
        this.source = new Http2StreamSource(this, connection);
        this.since = connection.loop.deadlines.now();
        setSourceConduit(source);
        setSinkConduit(sink);
    }

    @Override
    public Http2StreamSink sink() {
        return sink;
    }

    @Override
    public Http2StreamSource source() {
        return source;
    }

    /** The time when it was opened, on the clock of the event loop, in nanoseconds. */
    long since() {
        return since;
    }

    /** Its number; 0 until its head is sent. */
    int id() {
        return id;
    }

    /** Assigns its number, before its head is sent. */
    void enter() {
        id = connection.enter(this);
    }

    /** Whether it comes after the last stream that the endpoint processed. */
    boolean isAfter(int lastStream) {
        return id == 0 || id > lastStream;
    }

    boolean failed() {
        return failure != null;
    }

    boolean left() {
        return left;
    }

    void checkFailure() throws IOException {
        if (failure != null) {
            throw failure;
        }
    }

    void checkOpen() throws IOException {
        checkFailure();
        if (closed()) {
            throw new ClosedChannelException();
        }
    }

    /**
     * Called when the endpoint reset it. After a complete response, this only means that the rest of the request is not needed.
     */
    void reset(int code) {
        fail(new StreamException(
                code == Http2.REFUSED_STREAM ? Outcome.NOT_PROCESSED : Outcome.BROKEN,
                "stream reset with code " + code));
    }

    /** Ends it with a failure; a response that is complete already stays readable. */
    void fail(StreamException why) {
        if (source.responseEnded()) {
            sink.discard();
        } else if (failure == null) {
            failure = why;
        }
        leave();
        connection.notifier.tellLater(this);
    }

    /** Ends it because the endpoint violated the protocol, and resets it. */
    void breakOff(int code, String why) {
        boolean open = !left && id != 0;
        source.discardEnd();
        fail(new StreamException(Outcome.BROKEN, why));
        if (open) {
            connection.sender.reset(id, code);
        }
    }

    void leaveIfOver() {
        if (sink.requestEnded() && source.responseEnded()) {
            leave();
        }
    }

    void leave() {
        if (!left) {
            left = true;
            connection.left(this, id);
        }
    }

    /** Resets the stream if it has not ended. */
    @Override
    protected void closedByUser() {
        source.freeBody();
        boolean open = !left && id != 0;
        if (open) {
            connection.sender.reset(id, Http2.CANCEL);
        }
        leave();
    }
}
