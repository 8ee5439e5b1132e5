package io.millau.server.internal.frontend;

import io.millau.server.internal.http.Http2;
import io.millau.server.internal.io.Buffers;
import io.millau.server.internal.tls.ClientIdentity;
import io.millau.server.internal.tls.Tls;
import io.millau.server.internal.tls.TlsConnection;
import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.protocols.http2.AbstractHttp2StreamSourceChannel;
import io.undertow.protocols.http2.Http2Channel;
import io.undertow.server.ServerConnection;
import io.undertow.server.protocol.framed.FrameHeaderData;
import io.undertow.util.AttachmentKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;

/**
 * A client's connection that speaks HTTP/2, with two things of Undertow's put right. For its I/O thread alone.
 *
 * <p>Its window (RFC 9113, 6.9): Undertow gives back what was read alone, so that uploads which were cancelled took the
 * connection's window with them, in the end all of it; and it is as small as a stream's, so that one upload whose endpoint
 * takes nothing kept all others waiting. Here it is larger, and comes back when no request is in progress.
 *
 * <p>The client's GOAWAY (6.8): a client that asks for nothing more still waits for what it asked for, and many send one in
 * response to ours. Undertow resets all streams then; here it is ignored, and the client closes the connection when it has
 * its responses.
 */
final class DownstreamHttp2Connection extends Http2Channel {

    private static final Logger LOG = LoggerFactory.getLogger(DownstreamHttp2Connection.class);

    private static final AttachmentKey<DownstreamHttp2Connection> KEY =
            AttachmentKey.create(DownstreamHttp2Connection.class);

    /** How much of all its uploads may wait to be read: eight streams' windows. */
    static final int WINDOW = 512 * 1024;

    /** Twice as many as the window fills, since a buffer may hold little of several streams. */
    static final int MAX_BUFFERS = 2 * WINDOW / Buffers.CLIENT_BYTES;

    private final @Nullable ClientIdentity client;
    private final @Nullable String tlsVersion;
    private final GoAwayConduit goAway;
    private final FrameHeader header = new FrameHeader();
    private int type;
    private boolean widened;

    /** Bytes that arrived and were neither read nor given back. */
    private long unread;

    private int toGiveBack;

    private DownstreamHttp2Connection(
            StreamConnection connection,
            GoAwayConduit goAway,
            ByteBufferPool buffers,
            @Nullable PooledByteBuffer first,
            OptionMap options) {
        super(connection, Tls.HTTP_2, buffers, first, false, false, options);
        this.client = connection instanceof TlsConnection tls ? tls.client() : null;
        this.tlsVersion = connection instanceof TlsConnection tls ? tls.version() : null;
        this.goAway = goAway;
        putAttachment(KEY, this);
    }

    static DownstreamHttp2Connection open(
            StreamConnection connection, ByteBufferPool buffers, @Nullable PooledByteBuffer first, OptionMap options) {
        GoAwayConduit goAway = new GoAwayConduit(connection.getSinkChannel().getConduit());
        connection.getSinkChannel().setConduit(goAway);
        return new DownstreamHttp2Connection(connection, goAway, buffers, first, options);
    }

    /** The connection that a request came over; null if it was upgraded from HTTP/1.1. */
    static @Nullable DownstreamHttp2Connection of(ServerConnection connection) {
        return connection.getAttachment(KEY);
    }

    /** The verified identity of its client, if the handshake required one. */
    @Nullable
    ClientIdentity client() {
        return client;
    }

    /** The version of TLS that its client speaks; null without TLS. */
    @Nullable
    String tlsVersion() {
        return tlsVersion;
    }

    /** Asks its client to send its next requests elsewhere. */
    void announceEnd() {
        goAway.send();
    }

    /** Ends it, and tells its client which requests had come by then. */
    void end() {
        sendGoAway(ERROR_NO_ERROR);
    }

    /** No request is in progress: bytes that were not read never will be. */
    void becameIdle() {
        giveBack(unread);
    }

    /** Called with every part of a frame's head, and of what isn't DATA; null while there is more to come. */
    @Override
    protected @Nullable FrameHeaderData parseFrame(ByteBuffer data) throws IOException {
        header.read(data);
        FrameHeaderData frame = super.parseFrame(data);
        if (frame != null) {
            if (header.type() == Http2.DATA) {
                unread += header.length();
            } else if (header.type() != Http2.SETTINGS && !widened) {
                widened = true; // not before our SETTINGS (3.4), which answer the client's
                sendUpdateWindowSize(0, WINDOW - Http2.INITIAL_WINDOW_BYTES);
            }
            type = header.type();
            header.next();
        }
        return frame;
    }

    @Override
    protected @Nullable AbstractHttp2StreamSourceChannel createChannelImpl(FrameHeaderData frame, PooledByteBuffer data)
            throws IOException {
        if (type == Http2.GO_AWAY) {
            data.close();
            return null;
        }
        return super.createChannelImpl(frame, data);
    }

    @Override
    public void updateReceiveFlowControlWindow(int read) {
        giveBack(Math.min(read, unread));
    }

    private void giveBack(long bytes) {
        unread -= bytes;
        toGiveBack += (int) bytes;
        if (toGiveBack >= WINDOW / 2) {
            int update = toGiveBack;
            toGiveBack = 0;
            try {
                sendUpdateWindowSize(0, update);
            } catch (IOException e) {
                LOG.debug("Client {} is gone: {}", getPeerAddress(), e.toString());
            }
        }
    }
}
