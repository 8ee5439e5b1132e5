package io.millau.server.internal.frontend;

import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http2.FrameReader;
import io.millau.server.internal.http2.FrameSender;
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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;

/**
 * A client's connection that speaks HTTP/2 (RFC 9113), from its preface to its end. {@link DownstreamStreams} has its requests.
 * For its I/O thread alone.
 *
 * <p>The window of the connection (RFC 9113, 6.9) is larger than that of a stream, and credited when bytes are read or
 * discarded, so that an upload that the endpoint does not read blocks neither the others nor takes more memory.
 */
final class DownstreamHttp2Connection extends Deadlines.Deadline {

    private static final Logger LOG = LoggerFactory.getLogger(DownstreamHttp2Connection.class);

    private static final byte[] PREFACE = Http1.ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    private static final byte[] NOTHING = {};

    /** The window in bytes: how much of all uploads may wait to be read; the windows of eight streams. */
    private static final int WINDOW = 512 * 1024;

    private static final int LAST_STREAM = Integer.MAX_VALUE;

    final EventLoop loop;
    final FrameSender sender;
    final StreamNotifier notifier;
    final ResponseHeaderEncoder responseEncoder = ResponseHeaderEncoder.ofThread();
    private final DownstreamHttp2Connections owner;
    private final StreamConnection socket;
    private final DownstreamStreams streams;
    private final FrameReader reader;
    private @Nullable String address;

    /** A part of the preface or of a frame, whose rest has not arrived. */
    private byte[] rest = NOTHING;

    private int prefaceRead;
    private int inProgress;

    /** Whether the deadline is that of a head or of the preface, not that of an idle connection. */
    private boolean awaitsRest;

    private boolean endAnnounced;
    private boolean closed;

    DownstreamHttp2Connection(StreamConnection socket, EventLoop loop, DownstreamHttp2Connections owner) {
        this.socket = socket;
        this.loop = loop;
        this.owner = owner;
        this.notifier = new StreamNotifier(loop);
        this.sender = new FrameSender(new FrameWriter(socket.getSinkChannel(), loop), notifier, WINDOW, this::lost);
        this.streams = new DownstreamStreams(this, owner);
        this.reader = new FrameReader(streams, loop.held, HeadReader.MAX_SKIPPED);
    }

    /**
     * Sends our settings, and reads what the client sends.
     *
     * @param first the bytes that were read already, to be freed; null for none
     */
    void begin(@Nullable PooledByteBuffer first) {
        awaitRest();
        socket.setCloseListener(gone -> lost(new ClosedChannelException()));
        socket.getSourceChannel().setReadListener(channel -> readable(null));
        socket.getSinkChannel().setWriteListener(channel -> sender.flush());
        try {
            sender.frames
                    .frame(12, Http2.SETTINGS, 0, 0)
                    .putShort((short) Http2.MAX_CONCURRENT_STREAMS)
                    .putInt(DownstreamStreams.MAX_REQUESTS)
                    .putShort((short) Http2.ENABLE_CONNECT_PROTOCOL)
                    .putInt(1);
            sender.widenReceiveWindow();
        } catch (IOException e) {
            lost(e);
        }
        if (first != null) {
            readable(first);
        } else {
            sender.flush();
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

    /** @param first the bytes that were read already, to be freed; null for none */
    private void readable(@Nullable PooledByteBuffer first) {
        PooledByteBuffer pooled = loop.buffers.allocate();
        ByteBuffer buffer = pooled.getBuffer();
        int count = 0;
        int frames = reader.frames();
        sender.hold(true);
        try {
            buffer.put(rest);
            forgetRest();
            if (first != null) {
                buffer.put(first.getBuffer());
                first.close();
            }
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
            sender.hold(false);
            pooled.close();
        }
        if (count < 0) {
            lost(new ClosedChannelException());
        }
        sender.flush();
        notifier.tell();
        if (count > 0 || first != null) {
            awaitsRest &= reader.frames() == frames; // what is incomplete now has just begun otherwise
            setDeadline();
        }
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

    private void keepRest(ByteBuffer buffer) throws ConnectionException {
        if (buffer.hasRemaining() && !closed) {
            if (!loop.held.take(buffer.remaining())) {
                throw new ConnectionException(Http2.ENHANCE_YOUR_CALM, "no memory for a part of a frame");
            }
            rest = new byte[buffer.remaining()];
            buffer.get(rest);
        }
    }

    private void forgetRest() {
        loop.held.free(rest.length);
        rest = NOTHING;
    }

    /** Called when a request has ended, too. */
    void setDeadline() {
        if (closed) {
            return;
        }
        boolean incomplete = !streams.settled() || rest.length > 0 || reader.inBlock();
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

    /** Called when a request has begun. */
    void becomeBusy() {
        if (!awaitsRest) {
            loop.longDeadlines.cancel(this);
        }
    }

    private void awaitRest() {
        awaitsRest = true;
        loop.longDeadlines.set(this, DownstreamConnection.MAX_HEAD.toNanos());
    }

    @Override
    protected boolean mayPassEarly() {
        return !awaitsRest;
    }

    @Override
    protected void listen() {
        readable(null);
    }

    /** Called when a head, the preface or the settings did not arrive in time, or the connection was idle for too long. */
    @Override
    public void passed() {
        if (awaitsRest) {
            String what = streams.settled() ? "rest of a frame or head" : "preface and settings";
            end(Http2.PROTOCOL_ERROR, what + " did not arrive in " + DownstreamConnection.MAX_HEAD.toSeconds() + " s");
        } else {
            LOG.debug("Closing the idle connection of client {}", address());
            end(Http2.NO_ERROR, null);
        }
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
        streams.openUpgraded(head);
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
            sender.goAway(LAST_STREAM, Http2.NO_ERROR);
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
        sender.goAway(streams.highest(), code);
        boolean sent = !closed && sender.frames.isEmpty();
        lost(new ClosedChannelException(), sent);
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
        streams.lost(reason);
        notifier.clear();
        sender.close();
        reader.forgetBlock();
        forgetRest();
        if (lingers) {
            LingeringClose.close(socket, loop);
        } else {
            IoUtils.safeClose(socket);
        }
    }
}
