package io.millau.server.internal.frontend;

import io.millau.core.internal.IpAddresses;
import io.millau.server.internal.io.Buffers;
import io.millau.server.internal.io.Deadlines;
import io.millau.server.internal.io.EventLoop;
import io.millau.server.internal.io.HeldMemory;
import io.undertow.conduits.FixedLengthStreamSourceConduit;
import io.undertow.conduits.ReadDataStreamSourceConduit;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.ExchangeCompletionListener;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpOpenListener;
import io.undertow.server.protocol.http.HttpServerConnection;
import io.undertow.util.ImmediatePooledByteBuffer;
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
 * and reads the heads of requests. For its I/O thread alone, on which every response has to end, too.
 *
 * <p>{@link PlainRequests} reads most heads after the first. For every other request {@link HeadReader} reads the head, and Undertow
 * gets a plain one in its place: its own parser would answer bad requests without a trace in the log. This class is a conduit,
 * since Undertow stores that with its connection, where {@link #of} finds it without a search.
 */
public final class DownstreamConnection extends AbstractStreamSourceConduit<StreamSourceConduit>
        implements ChannelListener<ConduitStreamSourceChannel>, ExchangeCompletionListener {

    private static final Logger LOG = LoggerFactory.getLogger(DownstreamConnection.class);

    /** How long a connection may be idle. */
    static final Duration MAX_IDLE = Duration.ofSeconds(180);

    private static final byte[] HTTP_2_PREFACE = "PRI".getBytes(StandardCharsets.US_ASCII);

    /** How long the head of a request may take to arrive. */
    static final Duration MAX_HEAD = Duration.ofSeconds(10);

    /** How long nothing may move where somebody waits for it. */
    public static final Duration MAX_SILENCE = Duration.ofSeconds(60);

    private static final long MAX_SILENCE_NANOS = MAX_SILENCE.toNanos();

    private final StreamConnection channel;
    private final EventLoop loop;
    private final HttpOpenListener http1;
    private final PlainRequests plainRequests = PlainRequests.ofThread();
    private final Deadlines.Deadline idle = new Deadlines.Deadline() {
        @Override
        protected boolean mayPassEarly() {
            return !busy && reading == null && !dropsRest;
        }

        @Override
        protected void listen() {
            ConduitStreamSourceChannel source = channel.getSourceChannel();
            ChannelListeners.invokeChannelListener(source, source.getReadListener());
        }

        @Override
        public void passed() {
            if (reading != null) {
                ReceivedHead late = reading.timedOut();
                held = reading.held();
                reading = null;
                pass(withPlainHead(late, new ImmediatePooledByteBuffer(ByteBuffer.allocate(0))));
            } else if (dropsRest && now() - restHeard < MAX_SILENCE_NANOS) {
                loop.longDeadlines.set(this, MAX_SILENCE_NANOS - (now() - restHeard));
            } else if (!busy || dropsRest || connection == null && early != null) {
                LOG.debug("Closing the idle connection of client {}", channel.getPeerAddress());
                dropsRest = false;
                IoUtils.safeClose(takeEarly());
                IoUtils.safeClose(channel);
            }
        }
    };

    /** Why no request of this connection is served; null if they are. */
    private final @Nullable Rejection rejection;

    /** Whether a request is in progress, from its first byte to the last byte of its response. */
    private boolean busy;

    /** Reads the head of which a part has arrived; null while there is none. */
    private @Nullable HeadReader reading;

    /** How much memory was taken for the head of the request in progress. */
    private int held;

    private @Nullable ChunkedBody chunks;

    /** The head that Undertow is given a plain one for; null while there is none. */
    private @Nullable ReceivedHead received;

    /** Bytes after the request in progress, or too few to know the protocol; null for none. */
    private @Nullable PooledByteBuffer early;

    /** Whether a request has its response, while the rest of it arrives and is dropped. */
    private boolean dropsRest;

    /** When something of that rest arrived last, in nanoseconds. */
    private long restHeard;

    /** How many bytes are still read, and dropped, after the last response; -1 before it. */
    private int dropped = -1;

    private @Nullable HttpServerConnection connection;
    private @Nullable ChannelListener<? super ConduitStreamSourceChannel> undertow;
    private @Nullable String address;

    private DownstreamConnection(
            StreamConnection channel, EventLoop loop, HttpOpenListener http1, @Nullable Rejection rejection) {
        super(channel.getSourceChannel().getConduit());
        this.channel = channel;
        this.loop = loop;
        this.http1 = http1;
        this.rejection = rejection;
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
        new DownstreamConnection(channel, loop, http1, null).open(http2).resumeReads();
    }

    /**
     * Rejects the first request of a connection.
     *
     * @param received the first bytes of the connection
     */
    static void reject(
            StreamConnection channel,
            EventLoop loop,
            HttpOpenListener http1,
            ByteBuffer received,
            Rejection rejection) {
        DownstreamConnection opened = new DownstreamConnection(channel, loop, http1, rejection);
        ByteBuffer first = ByteBuffer.allocate(received.remaining() + Buffers.CLIENT_BYTES);
        opened.early = new ImmediatePooledByteBuffer(first.put(received).flip());
        opened.open(null).wakeupReads();
    }

    private ConduitStreamSourceChannel open(@Nullable DownstreamHttp2Connections http2) {
        ConduitStreamSourceChannel source = channel.getSourceChannel();
        source.setConduit(this);
        channel.setCloseListener(closed -> closed());
        loop.longDeadlines.set(idle, MAX_IDLE.toNanos());
        source.setReadListener(readable -> begin(http2));
        return source;
    }

    private void begin(@Nullable DownstreamHttp2Connections http2) {
        PooledByteBuffer pooled = takeEarly();
        if (pooled == null) {
            pooled = loop.allocateFrom(http1.getBufferPool());
        } else {
            pooled.getBuffer().compact();
        }
        int count = receive(pooled.getBuffer());
        try {
            begin(pooled, count, http2);
        } catch (RuntimeException e) {
            LOG.error("Internal error while a request was read", e);
            pooled.close();
            IoUtils.safeClose(channel);
        }
    }

    private void begin(PooledByteBuffer pooled, int count, @Nullable DownstreamHttp2Connections http2) {
        ByteBuffer buffer = pooled.getBuffer();
        if (count < 0) {
            pooled.close();
            IoUtils.safeClose(channel);
        } else if (!buffer.hasRemaining()) {
            pooled.close();
        } else if (http2 == null || reading != null || !beginsLikeHttp2(buffer)) {
            readHead(pooled);
        } else if (buffer.remaining() < HTTP_2_PREFACE.length) {
            early = pooled;
        } else {
            http2.open(channel, pooled);
        }
    }

    private static boolean beginsLikeHttp2(ByteBuffer first) {
        for (int i = 0; i < HTTP_2_PREFACE.length && i < first.remaining(); i++) {
            if (first.get(first.position() + i) != HTTP_2_PREFACE[i]) {
                return false;
            }
        }
        return true;
    }

    private @Nullable PooledByteBuffer takeEarly() {
        PooledByteBuffer taken = early;
        early = null;
        return taken;
    }

    /** Reads on in a head. When it is complete, it passes a plain head on, and the bytes after it. */
    private void readHead(PooledByteBuffer pooled) {
        HeadReader reader = reading;
        if (reader == null) {
            reader = new HeadReader(plainRequests.names(), loop.held);
            loop.longDeadlines.set(idle, MAX_HEAD.toNanos());
        }
        ReceivedHead head = reader.read(pooled.getBuffer());
        if (head == null) {
            reading = reader;
            pooled.close();
            if (connection != null) {
                channel.getSourceChannel().setReadListener(this);
            }
        } else {
            reading = null;
            held = reader.held();
            pass(withPlainHead(rejection == null ? head : head.rejected(rejection), pooled));
        }
    }

    private PooledByteBuffer withPlainHead(ReceivedHead head, PooledByteBuffer pooled) {
        received = head;
        byte[] plain = head.plain();
        ByteBuffer rest = pooled.getBuffer();
        int missing = Math.max(0, plain.length - rest.position());
        if (rest.limit() + missing <= rest.capacity()) {
            int count = rest.remaining();
            int from = rest.position();
            int to = from + missing;
            rest.limit(to + count).put(to, rest, from, count);
            rest.position(to - plain.length).put(to - plain.length, plain);
            return pooled;
        }
        ByteBuffer both = ByteBuffer.allocate(plain.length + rest.remaining());
        both.put(plain).put(rest).flip();
        pooled.close();
        return new ImmediatePooledByteBuffer(both);
    }

    /** Has Undertow read these bytes. */
    private void pass(PooledByteBuffer bytes) {
        HttpServerConnection open = connection;
        if (open == null) {
            http1.handleEvent(channel, bytes);
            return;
        }
        ConduitStreamSourceChannel source = channel.getSourceChannel();
        open.setExtraBytes(bytes);
        source.setReadListener(undertow);
        ChannelListeners.invokeChannelListener(source, undertow);
    }

    /** Reads into a buffer and flips it; -1 at the end of the connection, also if reading fails. Leaves room for a plain head. */
    private int receive(ByteBuffer buffer) {
        int count;
        buffer.limit(buffer.capacity() - ReceivedHead.MAX_PLAIN_BYTES);
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
        HttpServerConnection open = (HttpServerConnection) exchange.getConnection();
        if (received != null) {
            received.applyTo(exchange);
            if (received.isChunked()) {
                setUpChunks(exchange, open);
            }
            received = null;
        }
        if (connection == null) {
            connection = open;
            connection.addCloseListener(closed -> closed());
        }
        exchange.addExchangeCompleteListener(this);
    }

    /** Called when the connection was closed. Where another thread does that, the proxy ends, and all of this with it. */
    private void closed() {
        if (channel.getIoThread() == Thread.currentThread()) {
            loop.longDeadlines.cancel(idle);
            IoUtils.safeClose(takeEarly());
            if (reading != null) {
                loop.held.free(reading.held());
                reading = null;
            }
            forgetRequest();
        }
    }

    /** Gives back the memory of a request that has ended. */
    private void forgetRequest() {
        loop.held.free(held);
        held = 0;
        if (chunks != null) {
            chunks.free();
            chunks = null;
        }
    }

    /** Called when the response to a request ends before all of the request has arrived; Undertow reads the rest. */
    void dropsRest() {
        if (!channel.isOpen()) {
            return;
        }
        dropsRest = true;
        restHeard = now();
        loop.longDeadlines.set(idle, MAX_SILENCE_NANOS);
    }

    private long now() {
        return loop.longDeadlines.now();
    }

    /** The client's address, without port and zone; the text is made once. */
    String address() {
        if (address == null) {
            address = textOf(channel.getPeerAddress(InetSocketAddress.class));
        }
        return address;
    }

    /** The text of an address without its port. */
    static String textOf(@Nullable InetSocketAddress peer) {
        InetAddress address = peer == null ? null : peer.getAddress();
        return address == null ? "unknown" : IpAddresses.text(address);
    }

    @Override
    public int read(ByteBuffer buffer) throws IOException {
        if (dropped >= 0) {
            return drop();
        }
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

    /**
     * Drops what a client sends after the response that ends the connection. Undertow waits for the client to close, but a byte
     * that it has to read makes it close at once: the client would get a reset, which may cost it the response.
     */
    private int drop() throws IOException {
        try (PooledByteBuffer pooled = http1.getBufferPool().allocate()) {
            ByteBuffer buffer = pooled.getBuffer();
            while (dropped < HeadReader.MAX_SKIPPED) {
                int count = next.read(buffer.clear());
                if (count <= 0) {
                    return count;
                }
                dropped += count;
            }
            return -1;
        }
    }

    private void heard(long count) {
        busy |= count > 0;
        if (dropsRest && count > 0) {
            restHeard = now();
        }
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
        dropsRest = false;
        forgetRequest();
        HttpServerConnection open = (HttpServerConnection) exchange.getConnection();
        if (goesOn) {
            early = open.getExtraBytes(); // the next request, whose head Undertow is not to read
            open.setExtraBytes(null);
            busy = early != null;
        } else if (!exchange.isUpgrade()) {
            dropped = 0;
        }
        next.proceed();
        if (goesOn) {
            awaitRequest(open);
        }
    }

    private void awaitRequest(HttpServerConnection open) {
        if (!open.isOpen()) {
            IoUtils.safeClose(takeEarly());
            return;
        }
        loop.longDeadlines.set(idle, MAX_IDLE.toNanos());
        ConduitStreamSourceChannel source = channel.getSourceChannel();
        undertow = source.getReadListener();
        source.setReadListener(this);
        if (early != null) {
            source.wakeupReads();
        }
    }

    /** Called when the next request begins to arrive or goes on, or the connection ends. */
    @Override
    public void handleEvent(ConduitStreamSourceChannel source) {
        source.setReadListener(null); // set again by the code that waits for more
        HttpServerConnection open = Objects.requireNonNull(connection);
        PooledByteBuffer pooled = takeEarly();
        int count;
        if (pooled == null) {
            pooled = loop.allocateFrom(http1.getBufferPool());
            count = receive(pooled.getBuffer());
        } else {
            count = pooled.getBuffer().remaining();
        }
        try {
            next(pooled, count, open);
        } catch (RuntimeException e) {
            LOG.error("Internal error while a request was read", e);
            pooled.close();
            IoUtils.safeClose(open);
        }
    }

    private void next(PooledByteBuffer pooled, int count, HttpServerConnection open) {
        HttpServerExchange exchange =
                count > 0 && reading == null ? plainRequests.read(pooled.getBuffer(), open) : null;
        if (exchange != null) {
            hold(plainRequests.headLength(), exchange);
            setUpBody(exchange, plainRequests.length(), open, pooled);
            Connectors.executeRootHandler(open.getRootHandler(), exchange);
        } else if (count > 0) {
            readHead(pooled);
        } else {
            pooled.close();
            if (count < 0) {
                IoUtils.safeClose(open);
            } else {
                channel.getSourceChannel().setReadListener(this);
            }
        }
    }

    private void hold(int headLength, HttpServerExchange exchange) {
        int counted = headLength - HeldMemory.FREE_BYTES;
        if (counted <= 0) {
            return;
        }
        if (loop.held.take(counted)) {
            held = counted;
        } else {
            Rejection.OVERLOADED.reject(exchange);
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

    /** Replaces the chunked body that Undertow has set up. */
    private void setUpChunks(HttpServerExchange exchange, HttpServerConnection connection) {
        ChunkedBody body = new ChunkedBody(
                new ReadDataStreamSourceConduit(this, connection),
                exchange,
                connection,
                plainRequests.names(),
                loop.held);
        chunks = body;
        channel.getSourceChannel().setConduit(body);
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
