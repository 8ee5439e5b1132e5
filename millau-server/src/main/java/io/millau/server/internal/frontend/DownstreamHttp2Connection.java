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
import io.undertow.protocols.http2.Http2StreamSourceChannel;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.ServerConnection;
import io.undertow.server.protocol.framed.FrameHeaderData;
import io.undertow.util.AttachmentKey;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;

/**
 * A client's connection that speaks HTTP/2, with corrections of Undertow. For its I/O thread alone.
 *
 * <p>Malformed requests (RFC 9113, 8.1.1): Undertow ends the connection, with all requests of the client. Here a request is its
 * stream's matter alone: as over HTTP/1.1, Undertow gets a plain head, and the exchange gets what was received. Also, Undertow
 * begins a request with the first frame of its head, although more may follow.
 *
 * <p>The connection's window (RFC 9113, 6.9): Undertow credits only the bytes that were read, so cancelled uploads use the
 * window up. It is also only as large as the window of a stream, so one upload that the endpoint does not read blocks all
 * others. Here the window is larger, and unread bytes are credited when no request is in progress.
 *
 * <p>The client's GOAWAY (RFC 9113, 6.8): Undertow resets all streams when it receives one. But a client that will send no more
 * requests still waits for its responses, and many clients send a GOAWAY after ours. Here it is ignored, and the client closes
 * the connection when it has its responses.
 */
final class DownstreamHttp2Connection extends Http2Channel {

    private static final Logger LOG = LoggerFactory.getLogger(DownstreamHttp2Connection.class);

    private static final AttachmentKey<DownstreamHttp2Connection> KEY =
            AttachmentKey.create(DownstreamHttp2Connection.class);

    /** The number of requests in progress on a connection. */
    static final AttachmentKey<int[]> IN_PROGRESS = AttachmentKey.create(int[].class);

    /** How many requests of one connection may be in progress; more are refused, which clients repeat. */
    static final int MAX_REQUESTS = 256;

    /** The connection's window in bytes: how much of all uploads may wait to be read; the windows of eight streams. */
    static final int WINDOW = 512 * 1024;

    /** Twice as many buffers as the window fills, since buffers may be only partly filled. */
    static final int MAX_BUFFERS = 2 * WINDOW / Buffers.CLIENT_BYTES;

    private final @Nullable ClientIdentity client;
    private final @Nullable String tlsVersion;
    private final @Nullable AnnouncedConnection announced;
    private final GoAwayConduit goAway;

    /** Told the client's address, and what was wrong. */
    private final BiConsumer<String, String> malformed;

    private final FrameHeader header = new FrameHeader();
    private boolean widened;
    private int highestStream;

    /** The stream that was reset last because it got DATA after its end. */
    private int lastReset;

    /** The head that Undertow was given a plain one for, until its exchange begins; null while there is none. */
    private @Nullable ReceivedHead received;

    /** Received bytes that were neither read nor credited. */
    private long unread;

    private int toGiveBack;

    private DownstreamHttp2Connection(
            StreamConnection connection,
            GoAwayConduit goAway,
            ByteBufferPool buffers,
            @Nullable PooledByteBuffer first,
            OptionMap options,
            BiConsumer<String, String> malformed) {
        super(connection, Tls.HTTP_2, buffers, first, false, false, options);
        this.client = connection instanceof TlsConnection tls ? tls.client() : null;
        this.tlsVersion = connection instanceof TlsConnection tls ? tls.version() : null;
        this.announced = AnnouncedConnection.of(connection);
        this.goAway = goAway;
        this.malformed = malformed;
        putAttachment(KEY, this);
    }

    static DownstreamHttp2Connection open(
            StreamConnection connection,
            ByteBufferPool buffers,
            @Nullable PooledByteBuffer first,
            OptionMap options,
            BiConsumer<String, String> malformed) {
        GoAwayConduit goAway = new GoAwayConduit(connection.getSinkChannel().getConduit());
        connection.getSinkChannel().setConduit(goAway);
        return new DownstreamHttp2Connection(connection, goAway, buffers, first, options, malformed);
    }

    /** The connection of a request; null if it was upgraded from HTTP/1.1. */
    static @Nullable DownstreamHttp2Connection of(ServerConnection connection) {
        return connection.getAttachment(KEY);
    }

    /** The identity of the client, if it had to present a certificate; otherwise null. */
    @Nullable
    ClientIdentity client() {
        return client;
    }

    /** The version of TLS; null without TLS. */
    @Nullable
    String tlsVersion() {
        return tlsVersion;
    }

    /** Null if the connection did not begin with a PROXY protocol header. */
    @Nullable
    AnnouncedConnection announced() {
        return announced;
    }

    /** Asks the client to send no more requests over this connection. */
    void announceEnd() {
        goAway.send();
    }

    /** Ends the connection with a GOAWAY that names the last request received. */
    void end() {
        sendGoAway(ERROR_NO_ERROR);
    }

    /** Called when no request is in progress any more: credits bytes that were not read. */
    void becameIdle() {
        giveBack(unread);
    }

    /** Called with the parts of frames; null until all of one is there, except for the payload of DATA. */
    @Override
    protected @Nullable FrameHeaderData parseFrame(ByteBuffer data) throws IOException {
        int from = data.position();
        FrameHeaderData frame = super.parseFrame(data);
        header.read(data, from, data.position());
        if (frame == null || header.isUnfinishedBlock()) {
            return null;
        }
        if (header.type() == Http2.DATA) {
            unread += header.length();
        } else if (header.type() != Http2.SETTINGS && !widened) {
            widened = true; // not before our SETTINGS (RFC 9113, 3.4), which follow those of the client
            sendUpdateWindowSize(0, WINDOW - Http2.INITIAL_WINDOW_BYTES);
        }
        header.next();
        return frame;
    }

    @Override
    protected @Nullable AbstractHttp2StreamSourceChannel createChannelImpl(FrameHeaderData frame, PooledByteBuffer data)
            throws IOException {
        if (header.type() == Http2.GO_AWAY) {
            data.close();
            return null;
        }
        if (header.type() == Http2.DATA && header.stream() <= highestStream) {
            data.close();
            resetEnded(header.stream());
            return null;
        }
        AbstractHttp2StreamSourceChannel channel;
        try {
            channel = super.createChannelImpl(frame, data);
        } catch (NumberFormatException e) {
            data.close();
            sendRstStream(header.stream(), Http2.PROTOCOL_ERROR); // Content-Length is no number
            channel = null;
        }
        if (header.type() == Http2.HEADERS || header.type() == Http2.CONTINUATION) {
            highestStream = Math.max(highestStream, header.stream());
        }
        if (channel instanceof Http2StreamSourceChannel request) {
            if (inProgress() >= MAX_REQUESTS) {
                report("more than " + MAX_REQUESTS + " requests at once over one connection (RFC 9113, 5.1.2)");
                sendRstStream(header.stream(), Http2.REFUSED_STREAM);
                IoUtils.safeClose(channel);
                return null;
            }
            received = ReceivedHead.ofHttp2(request.getHeaders());
            received.becomePlain(request.getHeaders());
        }
        return channel;
    }

    /** A stream whose request has ended may still get DATA (RFC 9113, 5.1 and 5.4.2); Undertow would end the connection. */
    private void resetEnded(int stream) {
        if (stream != lastReset) {
            lastReset = stream;
            sendRstStream(stream, Http2.STREAM_CLOSED);
        }
    }

    private int inProgress() {
        int[] open = getAttachment(IN_PROGRESS);
        return open == null ? 0 : open[0];
    }

    /** Called when the exchange of the request received last begins. */
    void began(HttpServerExchange exchange) {
        ReceivedHead head = received;
        if (head == null) {
            return;
        }
        received = null;
        head.applyTo(exchange);
        if (head.rejection() != null) {
            int stream = header.stream();
            exchange.addExchangeCompleteListener((ended, next) -> {
                super.sendRstStream(stream, Http2.PROTOCOL_ERROR);
                next.proceed();
            });
        }
    }

    /** Undertow resets streams whose head or length it found malformed. */
    @Override
    public void sendRstStream(int stream, int code) {
        if (code == Http2.PROTOCOL_ERROR) {
            report("malformed HTTP/2 request, stream reset (RFC 9113, 8.1.1)");
        }
        super.sendRstStream(stream, code);
    }

    /** Undertow ends the connection: its framing, or the compression of heads, is broken. */
    @Override
    protected void handleBrokenSourceChannel(Throwable failure) {
        if (!(failure instanceof ClosedChannelException)) {
            report("malformed HTTP/2 frame, connection ended: " + failure.getMessage());
        }
        super.handleBrokenSourceChannel(failure);
    }

    private void report(String problem) {
        malformed.accept(DownstreamConnection.textOf(getPeerAddress(InetSocketAddress.class)), problem);
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
