package io.millau.server.internal.upstream;

import io.millau.core.Outcome;
import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http.ResponseHead;
import io.millau.server.internal.http2.FrameReader;
import io.millau.server.internal.http2.FrameReceiver;
import io.millau.server.internal.http2.FrameSender;
import io.millau.server.internal.http2.FrameWriter;
import io.millau.server.internal.http2.Http2;
import io.millau.server.internal.http2.StreamNotifier;
import io.millau.server.internal.io.Buffers;
import io.millau.server.internal.io.Deadlines;
import io.millau.server.internal.io.EventLoop;
import io.undertow.connector.PooledByteBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

/**
 * An HTTP/2 connection to an endpoint without TLS, with prior knowledge (RFC 9113, 3.3), and its streams. For its I/O thread
 * alone.
 *
 * <p>It is ready when the endpoint has sent its settings. No request is sent before that, so an endpoint that does not speak
 * HTTP/2 does not see any. It is closed when it was idle for a minute. After a GOAWAY, or when the endpoint is removed, it
 * accepts no more requests and is closed after the last one. If a response did not arrive, a PING checks whether the endpoint
 * is still alive.
 *
 * <p>Streams are notified only after everything received was read, since they may change the state of this connection then.
 */
final class Http2UpstreamConnection extends Deadlines.Deadline implements FrameReceiver {

    private static final Logger LOG = LoggerFactory.getLogger(Http2UpstreamConnection.class);

    private static final byte[] PREFACE = Http1.ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    /** The largest number of streams, whatever the endpoint allows: the room for frames that can't wait is limited. */
    private static final int MOST_STREAMS = 256;

    /**
     * The window of the connection (RFC 9113, 6.9), for all streams together; each stream is also limited by its own window.
     */
    private static final int WINDOW_BYTES = 16 * 1024 * 1024;

    /** How often is read, after a failure to send, what the endpoint sent before: as much as the window allows. */
    private static final int MOST_LAST_READS = WINDOW_BYTES / Buffers.STREAM_BYTES;

    private static final int LAST_STREAM = Integer.MAX_VALUE - 2 * (MOST_STREAMS + 1);
    private static final long READY_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long MAX_IDLE_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** If nothing was received for this time while a response was expected, the connection may be dead. */
    private static final long SILENT_NANOS = TimeUnit.SECONDS.toNanos(1);

    final EventLoop loop;
    final FrameSender sender;
    final StreamNotifier notifier;
    final RequestHeaderEncoder requestEncoder = new RequestHeaderEncoder();
    private final ResponseHeaderDecoder decoder = new ResponseHeaderDecoder();
    private final FrameReader reader;
    private final StreamConnection socket;
    private final Http2UpstreamPool owner;

    /** All open streams, also those whose head was not sent yet. */
    private final Set<Http2UpstreamStream> streams = new LinkedHashSet<>();

    private final Map<Integer, Http2UpstreamStream> byId = new HashMap<>();
    private int lastId = -1;

    private @Nullable PooledByteBuffer received;
    private int maxStreams = MOST_STREAMS;
    private long maxListBytes = Long.MAX_VALUE;
    private int initialWindow = Http2.INITIAL_WINDOW_BYTES;
    private long receivedAt;
    private boolean settled;
    private boolean ready;
    private boolean served;
    private boolean retired;
    private boolean awaitsPing;
    private boolean sendingFailed;
    private boolean closed;

    Http2UpstreamConnection(StreamConnection socket, EventLoop loop, Http2UpstreamPool owner) {
        this.socket = socket;
        this.loop = loop;
        this.reader = new FrameReader(this, loop.held, ResponseHead.MAX_BYTES);
        this.owner = owner;
        this.notifier = new StreamNotifier(loop);
        this.sender = new FrameSender(
                new FrameWriter(socket.getSinkChannel(), loop), notifier, WINDOW_BYTES, this::sendFailed);
    }

    /** Sends our settings, and waits for those of the endpoint. */
    void begin() {
        owner.count(1);
        loop.longDeadlines.set(this, READY_NANOS);
        socket.getSourceChannel().setReadListener(channel -> readable());
        socket.getSinkChannel().setWriteListener(channel -> sender.flush());
        try {
            sender.frames.bytes(PREFACE);
            sender.frames
                    .frame(12, Http2.SETTINGS, 0, 0)
                    .putShort((short) Http2.ENABLE_PUSH)
                    .putInt(0)
                    .putShort((short) Http2.MAX_HEADER_LIST_SIZE)
                    .putInt(ResponseHead.MAX_BYTES);
            sender.widenReceiveWindow();
        } catch (IOException e) {
            fail(e, Outcome.UNREACHABLE);
            return;
        }
        sender.flush();
        if (!closed) {
            socket.getSourceChannel().resumeReads();
        }
    }

    // Its streams

    XnioIoThread thread() {
        return socket.getIoThread();
    }

    /** How many requests it accepts at once. */
    int maxStreams() {
        return maxStreams;
    }

    boolean takesRequest() {
        return ready && !retired && !awaitsPing && streams.size() < maxStreams;
    }

    /** Opens a stream for a request. */
    Http2UpstreamStream newStream() {
        Http2UpstreamStream stream = new Http2UpstreamStream(socket, this, initialWindow);
        streams.add(stream);
        loop.longDeadlines.cancel(this);
        return stream;
    }

    /** Gives a stream its number (RFC 9113, 5.1.1) when its head is sent. */
    int enter(Http2UpstreamStream stream) {
        lastId += 2;
        byId.put(lastId, stream);
        if (lastId >= LAST_STREAM) {
            retire();
        }
        return lastId;
    }

    /** Called when a stream has ended. */
    void left(Http2UpstreamStream stream, int id) {
        byId.remove(id, stream);
        notifier.unblock(stream);
        if (!streams.remove(stream) || closed) {
            return;
        }
        served |= stream.source().responded();
        if (!stream.source().responded()
                && loop.deadlines.now() - Math.max(receivedAt, stream.since()) >= SILENT_NANOS) {
            ping();
        }
        if (streams.isEmpty()) {
            fallIdle();
        }
    }

    private void fallIdle() {
        if (retired || owner.removed()) {
            end(Http2.NO_ERROR);
        } else if (!awaitsPing) {
            loop.longDeadlines.set(this, MAX_IDLE_NANOS);
        }
    }

    /** Sends a PING, and accepts no requests until it is acknowledged. */
    private void ping() {
        if (awaitsPing || closed) {
            return;
        }
        awaitsPing = true;
        loop.longDeadlines.set(this, READY_NANOS);
        try {
            sender.frames.frame(8, Http2.PING, 0, 0).putLong(0);
        } catch (IOException e) {
            fail(e, broken());
        }
        sender.flush();
    }

    private void confirmAlive() {
        awaitsPing = false;
        loop.longDeadlines.cancel(this);
        if (streams.isEmpty()) {
            fallIdle();
        }
    }

    /** Accepts no more requests, and closes after the last one. */
    void retire() {
        retired = true;
        owner.ends(this);
        if (ready && streams.isEmpty()) {
            end(Http2.NO_ERROR);
        }
    }

    @Override
    public void passed() {
        if (!ready) {
            fail(new IOException("no HTTP/2 within 5 s"), Outcome.UNREACHABLE);
        } else if (awaitsPing) {
            fail(new IOException("PING not acknowledged within 5 s"), broken());
        } else if (streams.isEmpty()) {
            end(Http2.NO_ERROR);
        }
    }

    /** Whether the endpoint accepts a head of this size, in bytes of a header list (RFC 9113, 6.5.2). */
    boolean takesHead(long listBytes) {
        return listBytes <= maxListBytes;
    }

    // From the endpoint

    /** Returns whether something was received, and more may come. */
    private boolean readable() {
        boolean more = false;
        PooledByteBuffer holder = received == null ? loop.buffers.allocate() : received;
        received = null;
        try {
            more = read(holder.getBuffer());
        } catch (Http2.ConnectionException e) {
            sender.goAway(0, e.code);
            fail(new IOException(e.getMessage()), ready ? Outcome.BROKEN : Outcome.UNREACHABLE);
        } catch (IOException e) {
            fail(e, broken());
        } catch (RuntimeException e) {
            LOG.error("Internal error on a connection to {}", owner, e);
            fail(new IOException(e), Outcome.BROKEN);
        }
        if (!closed && holder.getBuffer().position() > 0) {
            received = holder;
        } else {
            holder.close();
        }
        sender.flush();
        if (settled && !ready && !closed && !sendingFailed) {
            becomeReady();
        }
        notifier.tell();
        return more && !closed;
    }

    private boolean read(ByteBuffer buffer) throws IOException, Http2.ConnectionException {
        int count = socket.getSourceChannel().read(buffer);
        receivedAt = loop.deadlines.now();
        buffer.flip();
        while (!closed && reader.read(buffer)) {}
        buffer.compact();
        if (count < 0) {
            throw new IOException(settled ? "connection closed" : "connection closed before it spoke HTTP/2");
        }
        return count > 0;
    }

    private void becomeReady() {
        if (retired || maxStreams == 0) {
            fail(
                    new IOException(
                            retired
                                    ? "the endpoint closes the connection at once"
                                    : "the endpoint accepts no requests"),
                    Outcome.UNREACHABLE);
            return;
        }
        ready = true;
        loop.longDeadlines.set(this, MAX_IDLE_NANOS);
        owner.ready(this);
    }

    /** The stream with this number; null if it has ended. */
    @Nullable
    Http2UpstreamStream stream(int id) throws Http2.ConnectionException {
        if ((id & 1) == 0 || id > lastId) {
            throw new Http2.ConnectionException(
                    Http2.PROTOCOL_ERROR, "frame for stream " + id + ", which was not opened");
        }
        return byId.get(id);
    }

    @Override
    public void frame(int type, int length) {}

    @Override
    public void data(int id, ByteBuffer bytes, int counted, boolean ends)
            throws IOException, Http2.ConnectionException {
        Http2UpstreamStream stream = stream(id);
        sender.credit(counted); // at once: a stream that is not read must not block the others
        if (stream != null) {
            stream.source().data(bytes, counted, ends);
        }
    }

    @Override
    public void headers(int id, ByteBuffer block, boolean ends, @Nullable String problem)
            throws Http2.ConnectionException {
        Http2UpstreamStream stream = stream(id);
        decoder.read(block);
        if (stream != null) {
            stream.source().block(decoder, ends);
        }
    }

    @Override
    public void reset(int id, int code) throws Http2.ConnectionException {
        Http2UpstreamStream stream = stream(id);
        if (stream != null) {
            stream.reset(code);
        }
    }

    @Override
    public void streamError(int id, int code, String problem) {} // of priorities, which are ignored

    @Override
    public void ping(ByteBuffer payload) throws IOException {
        sender.frames.frame(8, Http2.PING, Http2.ACK, 0).put(payload);
    }

    @Override
    public void settingsReceived() throws IOException {
        settled = true;
        sender.frames.frame(0, Http2.SETTINGS, Http2.ACK, 0);
        notifier.writable();
    }

    @Override
    public void setting(int name, long value) {
        switch (name) {
            case Http2.MAX_CONCURRENT_STREAMS -> maxStreams = (int) Math.min(value, MOST_STREAMS);
            case Http2.MAX_HEADER_LIST_SIZE -> maxListBytes = value;
            case Http2.INITIAL_WINDOW_SIZE -> {
                int change = (int) value - initialWindow;
                initialWindow = (int) value;
                streams.forEach(stream -> stream.sink().widen(change));
            }
            default -> {} // larger frames and tables are never used
        }
    }

    @Override
    public void pingAcknowledged() {
        if (awaitsPing) {
            confirmAlive();
        }
    }

    /** Called for a GOAWAY: the endpoint accepts no more requests, and did not process those after the last stream. */
    @Override
    public void goneAway(int last, int code) {
        LOG.debug("Connection to {} takes no more requests: GOAWAY after stream {}, code {}", owner, last, code);
        failAfter(last, "GOAWAY with code " + code + " before the request was begun");
        retire();
    }

    /** Fails the streams whose requests the endpoint did not process: those after a stream, and those whose head was not sent. */
    private void failAfter(int last, String reason) {
        StreamException notProcessed = new StreamException(Outcome.NOT_PROCESSED, reason);
        for (Http2UpstreamStream stream : List.copyOf(streams)) {
            if (stream.isAfter(last)) {
                stream.fail(notProcessed);
            }
        }
    }

    @Override
    public void windowUpdate(int id, int more) throws Http2.ConnectionException {
        if (id != 0) {
            Http2UpstreamStream stream = stream(id);
            if (stream != null) {
                stream.sink().windowUpdate(more);
                notifier.writable();
            }
            return;
        }
        if (more == 0 || !sender.widen(more)) {
            throw new Http2.ConnectionException(Http2.FLOW_CONTROL_ERROR, "window update by " + more);
        }
        notifier.writable();
    }

    // Its end

    /**
     * The outcome of attempts whose connection broke. A connection that served requests may close at any time (RFC 9112, 9.5).
     */
    private Outcome broken() {
        return served ? Outcome.STALE_CONNECTION : Outcome.BROKEN;
    }

    /** Nothing can be sent any more. The endpoint may have responded before it closed; then the response counts. */
    private void sendFailed(IOException failure) {
        if (sendingFailed || closed) {
            return;
        }
        sendingFailed = true;
        sender.close();
        retire();
        failAfter(Integer.MAX_VALUE, String.valueOf(failure.getMessage()));
        thread().execute(() -> {
            int reads = 0;
            while (!closed && readable() && ++reads < MOST_LAST_READS) {}
            fail(failure, broken());
        });
    }

    private void fail(IOException failure, Outcome outcome) {
        if (closed) {
            return;
        }
        LOG.debug("Connection to {} ended: {}", owner, failure.toString());
        String reason = String.valueOf(failure.getMessage());
        StreamException broken = new StreamException(outcome, reason);
        StreamException notProcessed = new StreamException(Outcome.NOT_PROCESSED, reason);
        List<Http2UpstreamStream> left = List.copyOf(streams);
        close();
        left.forEach(stream -> stream.fail(stream.isAfter(Integer.MAX_VALUE) ? notProcessed : broken));
        if (!ready) {
            owner.notReady(failure);
        }
    }

    private void end(int code) {
        if (!closed) {
            sender.goAway(0, code);
            close();
        }
    }

    private void close() {
        closed = true;
        reader.forgetBlock();
        retired = true;
        owner.ends(this);
        owner.count(-1);
        loop.longDeadlines.cancel(this);
        streams.clear();
        byId.clear();
        notifier.clear();
        sender.close();
        if (received != null) {
            received.close();
            received = null;
        }
        IoUtils.safeClose(socket);
    }
}
