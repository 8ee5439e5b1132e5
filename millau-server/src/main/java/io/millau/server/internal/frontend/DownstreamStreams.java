package io.millau.server.internal.frontend;

import io.millau.server.internal.http2.FrameReceiver;
import io.millau.server.internal.http2.Http2;
import io.millau.server.internal.http2.Http2.ConnectionException;
import io.millau.server.internal.io.HeldMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The streams of a client's HTTP/2 connection (RFC 9113, 5): opens them, and passes on to them what frames say. For the
 * connection's I/O thread alone.
 *
 * <p>What is wrong with a request ends its stream; only broken framing, header blocks that can't be read, and floods end the
 * connection. Frames for streams that have ended are harmless: they may have been sent before the client knew. A GOAWAY is
 * ignored, since the client still waits for its responses, and closes the connection when it has them.
 */
final class DownstreamStreams implements FrameReceiver {

    /** How many requests of one connection may be in progress; more are refused, which clients repeat. */
    static final int MAX_REQUESTS = 256;

    private final DownstreamHttp2Connection connection;
    private final DownstreamHttp2Connections context;
    private final RequestHeaderDecoder decoder = new RequestHeaderDecoder();
    private final FloodCheck flood;
    private final EndedStreams ended = new EndedStreams();
    private final Map<Integer, DownstreamStream> streams = new HashMap<>();
    private int highest;
    private int initialWindow = Http2.INITIAL_WINDOW_BYTES;
    private boolean settled;

    DownstreamStreams(DownstreamHttp2Connection connection, DownstreamHttp2Connections context) {
        this.connection = connection;
        this.context = context;
        this.flood = new FloodCheck(connection.loop.longDeadlines);
    }

    /** Whether the client has sent its settings. */
    boolean settled() {
        return settled;
    }

    boolean isEmpty() {
        return streams.isEmpty();
    }

    /** The number of the last stream that was opened; 0 for none. */
    int highest() {
        return highest;
    }

    /** Called when the connection is lost. */
    void lost(IOException reason) {
        List.copyOf(streams.values()).forEach(stream -> stream.lost(reason));
    }

    @Override
    public void frame(int type, int length) throws ConnectionException {
        flood.frame(type, length);
    }

    @Override
    public void headers(int id, ByteBuffer block, boolean ends, @Nullable String problem)
            throws IOException, ConnectionException {
        decoder.read(block);
        if (id > highest && (id & 1) == 1) {
            highest = id;
            open(id, ends, problem);
            return;
        }
        DownstreamStream stream = streams.get(id);
        if (stream != null) {
            stream.trailers(decoder, ends);
        } else if (!ended.isReset(id)) {
            throw ended.contains(id)
                    ? new ConnectionException(Http2.STREAM_CLOSED, "HEADERS for stream " + id + ", which has ended")
                    : notOpened(id);
        }
    }

    private void open(int id, boolean ends, @Nullable String problem) throws IOException, ConnectionException {
        if (streams.size() >= MAX_REQUESTS) {
            flood.requestRefused();
            connection.report("more than " + MAX_REQUESTS + " requests at once over one connection (RFC 9113, 5.1.2)");
            ended.addReset(id);
            connection.sender.reset(id, Http2.REFUSED_STREAM);
            return;
        }
        flood.requestBegan();
        if (problem != null) {
            streamError(id, Http2.PROTOCOL_ERROR, problem);
        } else {
            begin(id, decoder.head(), decoder.protocol(), ends);
        }
    }

    private void begin(int id, ReceivedHead head, @Nullable String protocol, boolean ends) {
        int counted = Math.max(0, decoder.size() - HeldMemory.FREE_BYTES);
        boolean fits = connection.loop.held.take(counted);
        DownstreamStream stream = new DownstreamStream(id, connection, this, initialWindow, fits ? counted : 0);
        streams.put(id, stream);
        connection.becomeBusy();
        stream.begin(fits ? head : head.rejected(Rejection.OVERLOADED), protocol, ends, context);
    }

    /** Opens stream 1 for a request without a body that the client has sent over HTTP/1.1. */
    void openUpgraded(ReceivedHead head) {
        highest = 1;
        begin(1, head, null, true);
    }

    private static ConnectionException notOpened(int id) {
        return new ConnectionException(Http2.PROTOCOL_ERROR, "frame for stream " + id + ", which was not opened");
    }

    /** The stream with this number; null if it has ended. */
    private @Nullable DownstreamStream stream(int id) throws ConnectionException {
        if (id > highest || (id & 1) == 0) {
            throw notOpened(id);
        }
        return streams.get(id);
    }

    @Override
    public void data(int id, ByteBuffer bytes, int counted, boolean ends) throws IOException, ConnectionException {
        DownstreamStream stream = stream(id);
        if (stream != null) {
            stream.source().data(bytes, counted, ends);
            return;
        }
        connection.sender.credit(counted);
        if (!ended.isReset(id)) {
            ended.addReset(id);
            connection.sender.reset(id, Http2.STREAM_CLOSED);
        }
    }

    @Override
    public void reset(int id, int code) throws ConnectionException {
        DownstreamStream stream = stream(id);
        if (stream == null || !stream.isLingering()) {
            flood.reset();
        }
        if (stream != null) {
            stream.lost(new IOException("stream reset by the client, code " + code));
        }
    }

    @Override
    public void streamError(int id, int code, String problem) throws IOException, ConnectionException {
        flood.reset();
        connection.report("malformed HTTP/2 request, stream reset: " + problem);
        DownstreamStream stream = streams.get(id);
        if (stream != null) {
            stream.lost(new IOException(problem));
        }
        ended.addReset(id);
        connection.sender.reset(id, code);
    }

    @Override
    public void setting(int name, long value) throws ConnectionException {
        if (name != Http2.INITIAL_WINDOW_SIZE) {
            return; // larger frames and tables are never used
        }
        int change = (int) value - initialWindow;
        initialWindow = (int) value;
        for (DownstreamStream stream : streams.values()) {
            if (!stream.sink().widen(change)) {
                throw new ConnectionException(Http2.FLOW_CONTROL_ERROR, "initial window of " + value);
            }
        }
    }

    @Override
    public void settingsReceived() throws IOException {
        settled = true;
        connection.sender.frames.frame(0, Http2.SETTINGS, Http2.ACK, 0);
        connection.notifier.writable();
    }

    @Override
    public void ping(ByteBuffer payload) throws IOException {
        connection.sender.frames.frame(8, Http2.PING, Http2.ACK, 0).put(payload);
    }

    @Override
    public void pingAcknowledged() {}

    @Override
    public void goneAway(int last, int code) {}

    @Override
    public void windowUpdate(int id, int more) throws IOException, ConnectionException {
        if (id == 0) {
            if (more == 0 || !connection.sender.widen(more)) {
                int code = more == 0 ? Http2.PROTOCOL_ERROR : Http2.FLOW_CONTROL_ERROR;
                throw new ConnectionException(code, "window update by " + more);
            }
        } else {
            DownstreamStream stream = stream(id);
            if (stream == null) {
                return;
            }
            if (more == 0) {
                streamError(id, Http2.PROTOCOL_ERROR, "window update by 0");
            } else if (!stream.sink().widen(more)) {
                streamError(id, Http2.FLOW_CONTROL_ERROR, "window update by " + more);
            }
        }
        connection.notifier.writable();
    }

    /** Counts bytes of a response that are about to be sent. */
    void sent(int bytes) {
        connection.sender.sent(bytes);
        flood.dataSent();
    }

    /** Called when a stream has ended; {@code reset} if the client may not know yet. */
    void left(DownstreamStream stream, boolean reset) {
        if (!streams.remove(stream.id(), stream)) {
            return;
        }
        connection.loop.held.free(stream.headBytes());
        connection.notifier.unblock(stream);
        if (reset) {
            ended.addReset(stream.id());
        } else {
            ended.add(stream.id());
        }
        if (streams.isEmpty()) {
            connection.setDeadline();
        }
    }
}
