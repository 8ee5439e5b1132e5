package io.millau.server.internal.frontend;

import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http2.FrameReader;
import io.millau.server.internal.http2.FrameReceiver;
import io.millau.server.internal.http2.FrameWriter;
import io.millau.server.internal.http2.Http2;
import io.millau.server.internal.http2.Http2.ConnectionException;
import io.millau.server.internal.http2.StreamNotifier;
import io.millau.server.internal.io.Deadlines;
import io.millau.server.internal.io.EventLoop;
import io.undertow.connector.PooledByteBuffer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;

/**
 * A client's connection that speaks HTTP/2 (RFC 9113), and its streams. For its I/O thread alone.
 *
 * <p>What is wrong with a request ends its stream; only broken framing, header blocks that can't be read, and floods end the
 * connection. Frames for streams that have ended are harmless: they may have been sent before the client knew.
 *
 * <p>The window of the connection (RFC 9113, 6.9) is larger than that of a stream, and credited when bytes are read or
 * discarded, so that an upload that the endpoint does not read blocks neither the others nor takes more memory.
 *
 * <p>A GOAWAY of the client is ignored: it still waits for its responses, and closes the connection when it has them.
 */
final class DownstreamHttp2Connection extends Deadlines.Deadline implements FrameReceiver {

    private static final Logger LOG = LoggerFactory.getLogger(DownstreamHttp2Connection.class);

    private static final byte[] PREFACE = Http1.ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    private static final byte[] NOTHING = {};

    /** How many requests of one connection may be in progress; more are refused, which clients repeat. */
    private static final int MAX_REQUESTS = 256;

    /** The window in bytes: how much of all uploads may wait to be read; the windows of eight streams. */
    private static final int WINDOW = 512 * 1024;

    private static final int LAST_STREAM = Integer.MAX_VALUE;

    final EventLoop loop;
    final FrameWriter frames;
    final StreamNotifier notifier;
    private final DownstreamHttp2Connections owner;
    private final StreamConnection socket;
    private final FrameReader reader = new FrameReader(this, HeadReader.MAX_SKIPPED);
    private final RequestHeaderDecoder decoder = new RequestHeaderDecoder();
    private final FloodCheck flood;
    private final EndedStreams ended = new EndedStreams();
    private final Map<Integer, DownstreamStream> streams = new HashMap<>();
    private @Nullable String address;

    /** A part of the preface or of a frame, whose rest has not arrived. */
    private byte[] rest = NOTHING;

    private int prefaceRead;
    private boolean settled;
    private int highestStream;
    private int initialWindow = Http2.INITIAL_WINDOW_BYTES;
    private long window = Http2.INITIAL_WINDOW_BYTES;
    private int uncredited;
    private int inProgress;

    /** Whether the deadline is that of a head or of the preface, not that of an idle connection. */
    private boolean awaitsRest;

    private boolean reading;
    private boolean endAnnounced;
    private boolean closed;

    DownstreamHttp2Connection(StreamConnection socket, EventLoop loop, DownstreamHttp2Connections owner) {
        this.socket = socket;
        this.loop = loop;
        this.owner = owner;
        this.notifier = new StreamNotifier(loop);
        this.frames = new FrameWriter(socket.getSinkChannel(), loop.buffers);
        this.flood = new FloodCheck(loop.longDeadlines);
    }

    /**
     * Sends our settings, and reads what the client sends.
     *
     * @param first the bytes that were read already, to be freed; null for none
     */
    void begin(@Nullable PooledByteBuffer first) {
        awaitRest();
        socket.setCloseListener(gone -> lost(new ClosedChannelException()));
        socket.getSourceChannel().setReadListener(channel -> readable());
        socket.getSinkChannel().setWriteListener(channel -> flush());
        try {
            frames.frame(12, Http2.SETTINGS, 0, 0)
                    .putShort((short) Http2.MAX_CONCURRENT_STREAMS)
                    .putInt(MAX_REQUESTS)
                    .putShort((short) Http2.ENABLE_CONNECT_PROTOCOL)
                    .putInt(1);
            frames.number(Http2.WINDOW_UPDATE, 0, WINDOW - Http2.INITIAL_WINDOW_BYTES);
        } catch (IOException e) {
            lost(e);
        }
        if (first != null) {
            ByteBuffer bytes = first.getBuffer();
            rest = new byte[bytes.remaining()];
            bytes.get(rest);
            first.close();
            readable();
        } else {
            flush();
        }
        if (!closed) {
            socket.getSourceChannel().resumeReads();
        }
    }

    // What others ask about it

    StreamConnection socket() {
        return socket;
    }

    /** The client's address, without port and zone; the text is made once. */
    String address() {
        if (address == null) {
            address = DownstreamConnection.textOf(socket.getPeerAddress(InetSocketAddress.class));
        }
        return address;
    }

    /** Counts a request that began; returns whether it is the only one. */
    boolean enter() {
        return inProgress++ == 0;
    }

    /** Counts a request that ended; returns whether it was the last one. */
    boolean leave() {
        return --inProgress == 0;
    }

    // Reading

    private void readable() {
        PooledByteBuffer pooled = loop.buffers.allocate();
        ByteBuffer buffer = pooled.getBuffer();
        int count = 0;
        reading = true;
        try {
            buffer.put(rest);
            rest = NOTHING;
            count = socket.getSourceChannel().read(buffer);
            buffer.flip();
            if (readPreface(buffer)) {
                while (!closed && reader.read(buffer)) {}
            }
            keepRest(buffer);
        } catch (ConnectionException e) {
            end(e.code, "malformed HTTP/2 frame, connection ended: " + e.getMessage());
        } catch (IOException e) {
            lost(e);
        } catch (RuntimeException e) {
            LOG.error("Internal error on the connection of client {}", address(), e);
            end(Http2.INTERNAL_ERROR, null);
        } finally {
            reading = false;
            pooled.close();
        }
        if (count < 0) {
            lost(new ClosedChannelException());
        }
        flush();
        notifier.tell();
        setDeadline();
    }

    /** Reads the client's preface (RFC 9113, 3.4); false if it is not whole yet. */
    private boolean readPreface(ByteBuffer buffer) throws ConnectionException {
        while (prefaceRead < PREFACE.length && buffer.hasRemaining()) {
            if (buffer.get() != PREFACE[prefaceRead++]) {
                throw new ConnectionException(Http2.PROTOCOL_ERROR, "no preface of HTTP/2");
            }
        }
        return prefaceRead == PREFACE.length;
    }

    private void keepRest(ByteBuffer buffer) {
        if (buffer.hasRemaining() && !closed) {
            rest = new byte[buffer.remaining()];
            buffer.get(rest);
        }
    }

    private void setDeadline() {
        if (closed) {
            return;
        }
        boolean incomplete = !settled || rest.length > 0 || reader.inBlock();
        if (incomplete && !awaitsRest) {
            awaitRest();
        } else if (!incomplete) {
            awaitsRest = false;
            if (streams.isEmpty()) {
                loop.longDeadlines.set(this, DownstreamConnection.MAX_IDLE.toNanos());
            } else {
                loop.longDeadlines.cancel(this);
            }
        }
    }

    private void awaitRest() {
        awaitsRest = true;
        loop.longDeadlines.set(this, DownstreamConnection.MAX_HEAD.toNanos());
    }

    /** Called when a head, the preface or the settings did not arrive in time, or the connection was idle for too long. */
    @Override
    public void passed() {
        if (awaitsRest) {
            String what = settled ? "rest of a frame or head" : "preface and settings";
            end(Http2.PROTOCOL_ERROR, what + " did not arrive in " + DownstreamConnection.MAX_HEAD.toSeconds() + " s");
        } else {
            LOG.debug("Closing the idle connection of client {}", address());
            end(Http2.NO_ERROR, null);
        }
    }

    @Override
    public void frame(int type, int length) throws ConnectionException {
        flood.frame(type, length);
    }

    @Override
    public void headers(int id, ByteBuffer block, boolean ends, @Nullable String problem)
            throws IOException, ConnectionException {
        decoder.read(block);
        if (id > highestStream && (id & 1) == 1) {
            highestStream = id;
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
        flood.requestBegan();
        if (problem != null) {
            streamError(id, Http2.PROTOCOL_ERROR, problem);
        } else if (streams.size() >= MAX_REQUESTS) {
            report("more than " + MAX_REQUESTS + " requests at once over one connection (RFC 9113, 5.1.2)");
            ended.addReset(id);
            frames.number(Http2.RST_STREAM, id, Http2.REFUSED_STREAM);
        } else {
            begin(id, decoder.head(), decoder.protocol(), ends);
        }
    }

    private void begin(int id, ReceivedHead head, @Nullable String protocol, boolean ends) {
        DownstreamStream stream = new DownstreamStream(id, this, initialWindow);
        streams.put(id, stream);
        if (!awaitsRest) {
            loop.longDeadlines.cancel(this);
        }
        stream.begin(head, protocol, ends, owner);
    }

    /**
     * Begins with a request that the client has sent over HTTP/1.1, as stream 1; its preface is to follow.
     *
     * @param settings the payload of a SETTINGS frame
     */
    void beginUpgraded(ReceivedHead head, ByteBuffer settings) {
        begin(null);
        try {
            reader.readSettings(settings);
        } catch (ConnectionException e) {
            end(e.code, "malformed HTTP2-Settings, connection ended: " + e.getMessage());
            return;
        }
        highestStream = 1;
        begin(1, head, null, true);
    }

    private static ConnectionException notOpened(int id) {
        return new ConnectionException(Http2.PROTOCOL_ERROR, "frame for stream " + id + ", which was not opened");
    }

    /** The stream with this number; null if it has ended. */
    private @Nullable DownstreamStream stream(int id) throws ConnectionException {
        if (id > highestStream || (id & 1) == 0) {
            throw notOpened(id);
        }
        return streams.get(id);
    }

    @Override
    public void data(int id, ByteBuffer bytes, int counted, boolean ends) throws IOException, ConnectionException {
        DownstreamStream stream = stream(id);
        if (stream != null) {
            stream.data(bytes, counted, ends);
            return;
        }
        credit(counted);
        if (!ended.isReset(id)) {
            ended.addReset(id);
            frames.number(Http2.RST_STREAM, id, Http2.STREAM_CLOSED);
        }
    }

    @Override
    public void reset(int id, int code) throws ConnectionException {
        DownstreamStream stream = stream(id);
        flood.reset();
        if (stream != null) {
            stream.lost(new IOException("stream reset by the client, code " + code));
        }
    }

    @Override
    public void streamError(int id, int code, String problem) throws IOException, ConnectionException {
        flood.reset();
        report("malformed HTTP/2 request, stream reset: " + problem);
        DownstreamStream stream = streams.get(id);
        if (stream != null) {
            stream.lost(new IOException(problem));
        }
        ended.addReset(id);
        frames.number(Http2.RST_STREAM, id, code);
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
        frames.frame(0, Http2.SETTINGS, Http2.ACK, 0);
        notifier.writable();
    }

    @Override
    public void ping(ByteBuffer payload) throws IOException {
        frames.frame(8, Http2.PING, Http2.ACK, 0).put(payload);
    }

    @Override
    public void pingAcknowledged() {}

    @Override
    public void goneAway(int last, int code) {}

    @Override
    public void windowUpdate(int id, int more) throws IOException, ConnectionException {
        if (id == 0) {
            window += more;
            if (more == 0 || window > Integer.MAX_VALUE) {
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
        notifier.writable();
    }

    // Writing

    /** The number of body bytes that the connection allows to send now; a stream's own window may allow less. */
    int sendable() {
        return closed ? 0 : (int) Math.min(window, Math.min(frames.room(), Http2.MAX_PAYLOAD_BYTES));
    }

    void sent(int bytes) {
        window -= bytes;
        flood.dataSent();
    }

    /** Credits bytes of bodies that were read or discarded to the connection's window. */
    void credit(int bytes) {
        uncredited += bytes;
        if (uncredited >= WINDOW / 2 && !closed) {
            try {
                frames.number(Http2.WINDOW_UPDATE, 0, uncredited);
                uncredited = 0;
                flush();
            } catch (IOException e) {
                lost(e);
            }
        }
    }

    /** Allows the client to send more bytes on a stream; false if there is no room for the frame now. */
    boolean credit(int stream, int bytes) {
        if (closed || frames.room() < 0) {
            return false;
        }
        try {
            frames.number(Http2.WINDOW_UPDATE, stream, bytes);
            flush();
            return true;
        } catch (IOException e) {
            lost(e);
            return false;
        }
    }

    void sendReset(int stream, int code) {
        if (closed) {
            return;
        }
        try {
            frames.number(Http2.RST_STREAM, stream, code);
            flush();
        } catch (IOException e) {
            lost(e);
        }
    }

    /** Sends the written frames; the rest is sent when the socket accepts it. While frames are read, it waits for the last one. */
    void flush() {
        if (!reading) {
            flushNow();
        }
    }

    void flushNow() {
        try {
            if (!closed && frames.flush()) {
                notifier.writable();
            }
        } catch (IOException e) {
            lost(e);
        }
    }

    /** Called when a stream has ended; {@code reset} if the client may not know yet. */
    void left(DownstreamStream stream, boolean reset) {
        if (!streams.remove(stream.id(), stream)) {
            return;
        }
        notifier.unblock(stream);
        if (reset) {
            ended.addReset(stream.id());
        } else {
            ended.add(stream.id());
        }
        if (streams.isEmpty() && !reading) {
            setDeadline();
        }
    }

    // Its end

    /** Tells whoever is interested of what was wrong. */
    void report(String problem) {
        owner.malformed(address(), problem);
    }

    /** Asks the client to send no more requests over this connection; those that still arrive are served (RFC 9113, 6.8). */
    void announceEnd() {
        if (!endAnnounced && !closed) {
            endAnnounced = true;
            goAway(LAST_STREAM, Http2.NO_ERROR);
        }
    }

    /** Ends the connection with a GOAWAY that names the last request received. */
    void end() {
        end(Http2.NO_ERROR, null);
    }

    private void end(int code, @Nullable String problem) {
        if (closed) {
            return;
        }
        if (problem != null) {
            report(problem);
        }
        goAway(highestStream, code);
        boolean sent = !closed && frames.isEmpty();
        lost(new ClosedChannelException(), sent);
    }

    /** Tries to send GOAWAY; a failure does not matter, since the connection ends. */
    private void goAway(int last, int code) {
        try {
            frames.frame(8, Http2.GO_AWAY, 0, 0).putInt(last).putInt(code);
            frames.flush();
        } catch (IOException e) {
            LOG.debug("Client {} took no GOAWAY: {}", address(), e.toString());
        }
    }

    /** Closes the connection, which has ended, and ends its requests. */
    private void lost(IOException reason) {
        lost(reason, false);
    }

    /** @param lingers whether the client may still have to read what was sent */
    private void lost(IOException reason, boolean lingers) {
        if (closed) {
            return;
        }
        closed = true;
        if (!(reason instanceof ClosedChannelException)) {
            LOG.debug("Client {} is gone: {}", address(), reason.toString());
        }
        loop.longDeadlines.cancel(this);
        owner.ended(this);
        List.copyOf(streams.values()).forEach(stream -> stream.lost(reason));
        streams.clear();
        notifier.clear();
        frames.free();
        rest = NOTHING;
        if (lingers) {
            LingeringClose.close(socket, loop);
        } else {
            IoUtils.safeClose(socket);
        }
    }
}
