package io.millau.server.internal.frontend;

import io.millau.server.internal.io.Deadlines;
import io.millau.server.internal.io.EventLoop;
import io.undertow.conduits.FixedLengthStreamSourceConduit;
import io.undertow.conduits.ReadDataStreamSourceConduit;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.ExchangeCompletionListener;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpOpenListener;
import io.undertow.server.protocol.http.HttpServerConnection;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.ChannelListener;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.ConduitStreamSourceChannel;
import org.xnio.conduits.StreamSourceConduit;

/**
 * A client's connection that speaks HTTP/1.1, from its opening to its end. Closes the connection when it is idle for too long,
 * and reads plain requests after the first one faster than Undertow. For its I/O thread alone, on which every response has to
 * end, too.
 *
 * <p>Undertow reads the first request, and every request that {@link PlainRequests} does not accept. This class is a conduit,
 * since Undertow stores that with its connection, where {@link #of} finds it without a search.
 */
public final class DownstreamConnection extends AbstractStreamSourceConduit<StreamSourceConduit>
        implements ChannelListener<ConduitStreamSourceChannel>, ExchangeCompletionListener {

    private static final Logger LOG = LoggerFactory.getLogger(DownstreamConnection.class);

    /** How long a connection may be idle. */
    static final Duration MAX_IDLE = Duration.ofSeconds(180);

    private static final byte[] HTTP_2_PREFACE = "PRI".getBytes(StandardCharsets.US_ASCII);

    private final StreamConnection channel;
    private final EventLoop loop;
    private final PlainRequests plainRequests = PlainRequests.ofThread();
    private final Deadlines.Deadline idle = new Deadlines.Deadline() {
        @Override
        public void passed() {
            if (!busy) {
                LOG.debug("Closing the idle connection of client {}", channel.getPeerAddress());
                IoUtils.safeClose(channel);
            }
        }
    };

    /** Whether a request is in progress, from its first byte to the last byte of its response. */
    private boolean busy;

    private @Nullable HttpServerConnection connection;
    private @Nullable ChannelListener<? super ConduitStreamSourceChannel> undertow;
    private @Nullable String address;

    private DownstreamConnection(StreamConnection channel, EventLoop loop) {
        super(channel.getSourceChannel().getConduit());
        this.channel = channel;
        this.loop = loop;
    }

    /**
     * Handles an accepted connection.
     *
     * @param http2 handles the connection if it begins with the preface of HTTP/2 (RFC 9113, 3.3); null to handle only HTTP/1.1
     */
    static void open(
            StreamConnection channel,
            EventLoop loop,
            HttpOpenListener http1,
            @Nullable DownstreamHttp2Connections http2) {
        DownstreamConnection opened = new DownstreamConnection(channel, loop);
        ConduitStreamSourceChannel source = channel.getSourceChannel();
        source.setConduit(opened);
        loop.longDeadlines.set(opened.idle, MAX_IDLE.toNanos());
        source.setReadListener(readable -> opened.begin(http1, http2));
        source.resumeReads();
    }

    private void begin(HttpOpenListener http1, @Nullable DownstreamHttp2Connections http2) {
        PooledByteBuffer first = http1.getBufferPool().allocate();
        int count = receive(first.getBuffer());
        if (count <= 0) {
            first.close();
            if (count < 0) {
                IoUtils.safeClose(channel);
            }
        } else if (http2 != null && isHttp2(first.getBuffer())) {
            http2.open(channel, first);
        } else {
            http1.handleEvent(channel, first);
        }
    }

    private static boolean isHttp2(ByteBuffer first) {
        for (int i = 0; i < HTTP_2_PREFACE.length; i++) {
            if (i >= first.remaining() || first.get(first.position() + i) != HTTP_2_PREFACE[i]) {
                return false;
            }
        }
        return true;
    }

    /** Reads into an empty buffer and flips it; -1 at the end of the connection, also if reading fails. */
    private int receive(ByteBuffer buffer) {
        int count;
        try {
            count = read(buffer);
        } catch (IOException e) {
            LOG.debug("Client {} is gone: {}", channel.getPeerAddress(), e.toString());
            count = -1;
        }
        buffer.flip();
        return count;
    }

    static DownstreamConnection of(HttpServerConnection connection) {
        return (DownstreamConnection) connection.getOriginalSourceConduit();
    }

    /** Called when the head of a request was read. */
    void began(HttpServerExchange exchange) {
        busy = true;
        if (connection == null) {
            connection = (HttpServerConnection) exchange.getConnection();
            connection.addCloseListener(closed -> {
                if (closed.getIoThread() == Thread.currentThread()) {
                    loop.longDeadlines.cancel(idle);
                }
            });
        }
        exchange.addExchangeCompleteListener(this);
    }

    /** The client's address, without port and zone; the text is made once. */
    String address() {
        if (address == null) {
            address = textOf(channel.getPeerAddress(InetSocketAddress.class));
        }
        return address;
    }

    public static String textOf(@Nullable InetSocketAddress peer) {
        InetAddress address = peer == null ? null : peer.getAddress();
        if (address == null) {
            return "unknown";
        }
        String text = address.getHostAddress();
        int zone = text.indexOf('%');
        return zone < 0 ? text : text.substring(0, zone);
    }

    @Override
    public int read(ByteBuffer buffer) throws IOException {
        int count = -1;
        try {
            count = next.read(buffer);
        } finally {
            heard(count);
        }
        return count;
    }

    @Override
    public long read(ByteBuffer[] buffers, int offset, int length) throws IOException {
        long count = -1;
        try {
            count = next.read(buffers, offset, length);
        } finally {
            heard(count);
        }
        return count;
    }

    private void heard(long count) {
        busy |= count > 0;
        if (count < 0) {
            loop.longDeadlines.cancel(idle);
        }
    }

    /**
     * Called when an exchange is complete. Undertow waits for the next request then, unless the connection ends or was
     * upgraded.
     */
    @Override
    public void exchangeEvent(HttpServerExchange exchange, NextListener next) {
        boolean goesOn = exchange.isPersistent() && !exchange.isUpgrade();
        if (goesOn) {
            busy = false;
        }
        next.proceed();
        if (goesOn) {
            becameIdle();
        }
    }

    private void becameIdle() {
        HttpServerConnection open = connection;
        if (busy || open == null || !open.isOpen() || open.getExtraBytes() != null) {
            return;
        }
        loop.longDeadlines.set(idle, MAX_IDLE.toNanos());
        ConduitStreamSourceChannel source = channel.getSourceChannel();
        undertow = source.getReadListener();
        source.setReadListener(this);
    }

    /** Called when the next request begins to arrive, or the connection ends. */
    @Override
    public void handleEvent(ConduitStreamSourceChannel source) {
        source.setReadListener(null); // set again by the code that waits for more
        HttpServerConnection open = Objects.requireNonNull(connection);
        PooledByteBuffer pooled = open.getByteBufferPool().allocate();
        try {
            next(pooled, open, source);
        } catch (RuntimeException e) {
            LOG.error("Internal error while a request was read", e);
            pooled.close();
            IoUtils.safeClose(open);
        }
    }

    private void next(PooledByteBuffer pooled, HttpServerConnection open, ConduitStreamSourceChannel source) {
        ByteBuffer buffer = pooled.getBuffer();
        int count = receive(buffer);
        HttpServerExchange exchange = count > 0 ? plainRequests.read(buffer, open) : null;
        if (exchange != null) {
            setUpBody(exchange, plainRequests.length(), open, pooled);
            Connectors.executeRootHandler(open.getRootHandler(), exchange);
        } else if (count < 0) {
            pooled.close();
            IoUtils.safeClose(open);
        } else {
            keep(pooled, open);
            source.setReadListener(undertow);
            ChannelListeners.invokeChannelListener(source, undertow);
        }
    }

    /** Sets the body up in the same way as Undertow, so that its channels and its draining of unread bodies work as usual. */
    private void setUpBody(
            HttpServerExchange exchange, long length, HttpServerConnection connection, PooledByteBuffer read) {
        keep(read, connection);
        if (length == 0) {
            Connectors.terminateRequest(exchange);
            return;
        }
        channel.getSourceChannel()
                .setConduit(new FixedLengthStreamSourceConduit(
                        new ReadDataStreamSourceConduit(this, connection),
                        length,
                        body -> {
                            if (body.getRemaining() > 0) {
                                exchange.setPersistent(false);
                            }
                            Connectors.terminateRequest(exchange);
                        },
                        exchange));
    }

    /** Keeps bytes that were read already for the next read. */
    private static void keep(PooledByteBuffer read, HttpServerConnection connection) {
        if (read.getBuffer().hasRemaining()) {
            connection.setExtraBytes(read);
        } else {
            read.close();
        }
    }
}
