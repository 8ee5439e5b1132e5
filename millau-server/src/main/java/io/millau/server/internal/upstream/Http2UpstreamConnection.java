package io.millau.server.internal.upstream;

import io.millau.core.Outcome;
import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http.Http2;
import io.millau.server.internal.http.ResponseHead;
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
 * <p>It is ready when the endpoint has sent its settings: until then no request is sent, so one to an endpoint that speaks
 * something else was not seen by it. It ends when it was idle for a minute, and takes no more requests, but finishes those it
 * has, when the endpoint says so (GOAWAY) or is removed. If a response does not come, a PING finds out whether the endpoint is alive.
 *
 * <p>Streams are told what came for them when all that came was read, never in between: what they do then may change
 * everything here.
 */
final class Http2UpstreamConnection extends Deadlines.Deadline {

    private static final Logger LOG = LoggerFactory.getLogger(Http2UpstreamConnection.class);

    private static final byte[] PREFACE = Http1.ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    /** More are not used even if the endpoint allows them: the room for frames that can't wait is bounded. */
    private static final int MOST_STREAMS = 256;

    /** The connection's receive window; each stream has a smaller one of its own. */
    private static final int WINDOW_BYTES = 16 * 1024 * 1024;

    private static final int LAST_STREAM = Integer.MAX_VALUE - 2;
    private static final long READY_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long MAX_IDLE_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** After this time without data, while a response is awaited, the connection may be dead. */
    private static final long SILENT_NANOS = TimeUnit.SECONDS.toNanos(1);

    final EventLoop loop;
    final FrameWriter frames;
    final StreamNotifier notifier;
    final RequestHeaderEncoder requestBlock = new RequestHeaderEncoder();
    private final Http2FrameReader reader = new Http2FrameReader(this);
    private final StreamConnection socket;
    private final Http2UpstreamPool owner;

    /** Open streams, whether or not their head was sent yet. */
    private final Set<Http2UpstreamStream> streams = new LinkedHashSet<>();

    private final Map<Integer, Http2UpstreamStream> byId = new HashMap<>();
    private int lastId = -1;

    private @Nullable PooledByteBuffer received;
    private int maxStreams = MOST_STREAMS;
    private long maxListBytes = Long.MAX_VALUE;
    private int initialWindow = Http2.INITIAL_WINDOW_BYTES;
    private long window = Http2.INITIAL_WINDOW_BYTES;
    private int uncredited;
    private long receivedAt;
    private boolean settled;
    private boolean ready;
    private boolean served;
    private boolean retired;
    private boolean doubted;
    private boolean closed;

    Http2UpstreamConnection(StreamConnection socket, EventLoop loop, Http2UpstreamPool owner) {
        this.socket = socket;
        this.loop = loop;
        this.owner = owner;
        this.notifier = new StreamNotifier(loop);
        this.frames = new FrameWriter(socket.getSinkChannel(), loop.buffers);
    }

    /** Sends the preface and our settings, and waits for the endpoint's. */
    void begin() {
        owner.count(1);
        loop.longDeadlines.set(this, READY_NANOS);
        socket.getSourceChannel().setReadListener(channel -> readable());
        socket.getSinkChannel().setWriteListener(channel -> flush());
        try {
            frames.bytes(PREFACE);
            frames.frame(12, Http2.SETTINGS, 0, 0)
                    .putShort((short) Http2.ENABLE_PUSH)
                    .putInt(0)
                    .putShort((short) Http2.MAX_HEADER_LIST_SIZE)
                    .putInt(ResponseHead.MAX_BYTES);
            frames.number(Http2.WINDOW_UPDATE, 0, WINDOW_BYTES - Http2.INITIAL_WINDOW_BYTES);
        } catch (IOException e) {
            fail(e, Outcome.UNREACHABLE);
            return;
        }
        flush();
        if (!closed) {
            socket.getSourceChannel().resumeReads();
        }
    }

    // Its streams

    XnioIoThread thread() {
        return socket.getIoThread();
    }

    /** How many requests may be in progress at once. */
    int maxStreams() {
        return maxStreams;
    }

    boolean takesRequest() {
        return ready && !retired && !doubted && streams.size() < maxStreams;
    }

    /** A stream for a request that is about to be sent. */
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

    /** The stream is over. */
    void left(Http2UpstreamStream stream, int id) {
        byId.remove(id, stream);
        notifier.unblock(stream);
        if (!streams.remove(stream) || closed) {
            return;
        }
        served |= stream.source().responded();
        if (!stream.source().responded()
                && loop.deadlines.now() - Math.max(receivedAt, stream.since()) >= SILENT_NANOS) {
            doubt();
        }
        if (streams.isEmpty()) {
            fallIdle();
        }
    }

    private void fallIdle() {
        if (retired || owner.removed()) {
            end(Http2.NO_ERROR);
        } else if (!doubted) {
            loop.longDeadlines.set(this, MAX_IDLE_NANOS);
        }
    }

    /** Sends a PING, and takes no requests until it is acknowledged. */
    private void doubt() {
        if (doubted || closed) {
            return;
        }
        doubted = true;
        loop.longDeadlines.set(this, READY_NANOS);
        try {
            frames.frame(8, Http2.PING, 0, 0).putLong(0);
        } catch (IOException e) {
            fail(e, broken());
        }
        flush();
    }

    private void doubtNoMore() {
        doubted = false;
        loop.longDeadlines.cancel(this);
        if (streams.isEmpty()) {
            fallIdle();
        }
    }

    /** Takes no more requests, and closes after the last response. */
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
        } else if (doubted) {
            fail(new IOException("no response to PING within 5 s"), broken());
        } else if (streams.isEmpty()) {
            end(Http2.NO_ERROR);
        }
    }

    /** Whether the endpoint accepts a head of this size (RFC 9113, 6.5.2). */
    boolean takesHead(long listBytes) {
        return listBytes <= maxListBytes;
    }

    /** How many body bytes the connection's window and buffer allow now. */
    int sendable() {
        return (int) Math.min(window, Math.min(frames.room(), Http2.MAX_PAYLOAD_BYTES));
    }

    void sent(int bytes) {
        window -= bytes;
    }

    // To the endpoint

    /** Ends a stream (RFC 9113, 7). */
    void reset(int stream, int code) {
        if (closed) {
            return;
        }
        try {
            frames.number(Http2.RST_STREAM, stream, code);
        } catch (IOException e) {
            fail(e, broken());
        }
        flush();
    }

    /** Lets the endpoint send more bytes on a stream; false if the frame can't be written now. */
    boolean credit(int stream, int bytes) {
        if (closed || frames.room() < 0) {
            return false;
        }
        try {
            frames.number(Http2.WINDOW_UPDATE, stream, bytes);
        } catch (IOException e) {
            fail(e, broken());
        }
        flush();
        return true;
    }

    /** Sends what was written; the rest follows when the socket takes it. */
    void flush() {
        try {
            if (!closed && frames.flush()) {
                notifier.writable();
            }
        } catch (IOException e) {
            fail(e, broken());
        }
    }

    // From the endpoint

    private void readable() {
        PooledByteBuffer holder = received == null ? loop.buffers.allocate() : received;
        received = null;
        try {
            read(holder.getBuffer());
        } catch (Http2.ConnectionException e) {
            goAway(e.code);
            fail(new IOException(e.getMessage()), ready ? Outcome.BROKEN : Outcome.UNREACHABLE);
        } catch (IOException e) {
            fail(e, broken());
        } catch (RuntimeException e) {
            LOG.error("Internal error in the connection to {}", owner, e);
            fail(new IOException(e), Outcome.BROKEN);
        }
        if (!closed && holder.getBuffer().position() > 0) {
            received = holder;
        } else {
            holder.close();
        }
        flush();
        if (settled && !ready && !closed) {
            becomeReady();
        }
        notifier.tell();
    }

    private void read(ByteBuffer buffer) throws IOException, Http2.ConnectionException {
        int count = socket.getSourceChannel().read(buffer);
        receivedAt = loop.deadlines.now();
        buffer.flip();
        while (!closed && reader.readFrame(buffer)) {}
        buffer.compact();
        if (count < 0) {
            throw new IOException(settled ? "connection closed" : "connection closed before it spoke HTTP/2");
        }
    }

    private void becomeReady() {
        if (retired || maxStreams == 0) {
            fail(new IOException(retired ? "it sent GOAWAY at once" : "it allows no requests"), Outcome.UNREACHABLE);
            return;
        }
        ready = true;
        loop.longDeadlines.set(this, MAX_IDLE_NANOS);
        owner.ready(this);
    }

    /** The open stream of a number; null if it is closed. */
    @Nullable
    Http2UpstreamStream stream(int id) throws Http2.ConnectionException {
        if ((id & 1) == 0 || id > lastId) {
            throw Http2FrameReader.error("frame for stream " + id + ", which was not opened");
        }
        return byId.get(id);
    }

    /** A part of a body came: it is credited to all streams together, and taken by its own. */
    @Nullable
    Http2UpstreamStream dataCame(int id, int bytes) throws IOException, Http2.ConnectionException {
        Http2UpstreamStream stream = stream(id);
        credit(bytes);
        return stream;
    }

    /** Credit is given back as soon as data arrives: a stream that is not read must not block the others. */
    private void credit(int bytes) throws IOException {
        uncredited += bytes;
        if (uncredited >= WINDOW_BYTES / 2) {
            frames.number(Http2.WINDOW_UPDATE, 0, uncredited);
            uncredited = 0;
        }
    }

    boolean settled() {
        return settled;
    }

    /** The endpoint said what it takes. */
    void settingsCame() throws IOException {
        settled = true;
        frames.frame(0, Http2.SETTINGS, Http2.ACK, 0);
        notifier.writable();
    }

    void setting(int name, long value) throws Http2.ConnectionException {
        switch (name) {
            case Http2.MAX_CONCURRENT_STREAMS -> maxStreams = (int) Math.min(value, MOST_STREAMS);
            case Http2.MAX_HEADER_LIST_SIZE -> maxListBytes = value;
            case Http2.INITIAL_WINDOW_SIZE -> {
                if (value > Integer.MAX_VALUE) {
                    throw new Http2.ConnectionException(Http2.FLOW_CONTROL_ERROR, "initial window of " + value);
                }
                int change = (int) value - initialWindow;
                initialWindow = (int) value;
                streams.forEach(stream -> stream.sink().widen(change));
            }
            default -> {} // a larger frame, or table, is never used
        }
    }

    void pingAnswered() {
        if (doubted) {
            doubtNoMore();
        }
    }

    /** The endpoint takes no more requests, and did not process those after the last stream that it names (RFC 9113, 6.8). */
    void goneAway(int last, int code) {
        LOG.debug("Connection to {} takes no more requests: GOAWAY after stream {}, code {}", owner, last, code);
        StreamException refused = new StreamException(
                Outcome.NOT_PROCESSED, "GOAWAY with code " + code + " before the request was begun");
        for (Http2UpstreamStream stream : List.copyOf(streams)) {
            if (stream.isAfter(last)) {
                stream.fail(refused);
            }
        }
        retire();
    }

    void windowUpdate(int id, int more) throws Http2.ConnectionException {
        if (id != 0) {
            Http2UpstreamStream stream = stream(id);
            if (stream != null) {
                stream.sink().windowUpdate(more);
                notifier.writable();
            }
            return;
        }
        window += more;
        if (more == 0 || window > Integer.MAX_VALUE) {
            throw new Http2.ConnectionException(Http2.FLOW_CONTROL_ERROR, "window update by " + more);
        }
        notifier.writable();
    }

    // Its end

    /** The outcome of an attempt when its connection breaks: a connection that served others may be closed at any time. */
    private Outcome broken() {
        return served ? Outcome.STALE_CONNECTION : Outcome.BROKEN;
    }

    private void fail(IOException failure, Outcome outcome) {
        if (closed) {
            return;
        }
        LOG.debug("Connection to {} ended: {}", owner, failure.toString());
        StreamException broken = new StreamException(outcome, String.valueOf(failure.getMessage()));
        List<Http2UpstreamStream> left = List.copyOf(streams);
        close();
        left.forEach(stream -> stream.fail(broken));
        if (!ready) {
            owner.notReady(failure);
        }
    }

    private void end(int code) {
        if (!closed) {
            goAway(code);
            close();
        }
    }

    /** Sends GOAWAY, if the socket takes it. */
    private void goAway(int code) {
        try {
            frames.frame(8, Http2.GO_AWAY, 0, 0).putInt(0).putInt(code);
            frames.flush();
        } catch (IOException e) {
            LOG.debug("Connection to {} took no GOAWAY: {}", owner, e.toString());
        }
    }

    private void close() {
        closed = true;
        retired = true;
        owner.ends(this);
        owner.count(-1);
        loop.longDeadlines.cancel(this);
        streams.clear();
        byId.clear();
        notifier.clear();
        frames.free();
        if (received != null) {
            received.close();
            received = null;
        }
        IoUtils.safeClose(socket);
    }
}
