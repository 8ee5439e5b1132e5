package io.millau.server.internal.upstream;

import io.millau.core.Endpoint;
import io.millau.server.internal.tls.TlsConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;

/**
 * A connection to an endpoint: used by one request at a time, idle in between. For its I/O thread alone.
 *
 * <p>Listeners are set and reading is resumed only once. Interest in the socket's events changes only for back-pressure, since
 * each change is a system call.
 */
public final class UpstreamConnection {

    private static final Logger LOG = LoggerFactory.getLogger(UpstreamConnection.class);

    private static final long MARGIN_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** The current user of the connection. */
    public interface User {
        void upstreamReadable() throws IOException;

        void upstreamWritable() throws IOException;

        /** Called when the endpoint was removed and its drain time is over. */
        void endpointRemoved();

        /** Called with what {@link #upstreamReadable} or {@link #upstreamWritable} threw. */
        void upstreamFailed(Throwable failure);
    }

    public final Endpoint endpoint;
    public final ConduitStreamSourceChannel source;
    public final ConduitStreamSinkChannel sink;
    private final StreamConnection channel;
    private final UpstreamPool upstream;
    final UpstreamPool.EndpointPool pool;
    private @Nullable User user;
    private boolean reused;
    long idleSince;

    /** How long it may be idle; {@link Long#MAX_VALUE} if the endpoint does not say. */
    long keptNanos = Long.MAX_VALUE;

    public UpstreamConnection(
            Endpoint endpoint, StreamConnection channel, UpstreamPool upstream, UpstreamPool.EndpointPool pool) {
        this.endpoint = endpoint;
        this.channel = channel;
        this.upstream = upstream;
        this.pool = pool;
        this.source = channel.getSourceChannel();
        this.sink = channel.getSinkChannel();
        source.setReadListener(c -> readable());
        sink.setWriteListener(c -> writable());
        source.resumeReads();
    }

    /** Whether it was the endpoint that ended the connection. Over TLS it has to say so (RFC 9112, 9.8). */
    public boolean endedByEndpoint() {
        return !(channel instanceof TlsConnection secured) || secured.peerEnded();
    }

    public void use(User user) {
        this.user = user;
    }

    /** Whether it served a request before the one it serves now. */
    public boolean reused() {
        return reused;
    }

    /**
     * The endpoint announced that it closes the idle connection after that time. It is not used in the last second, or half, of it:
     * the endpoint counts from when it sent the response, and a request takes time to arrive.
     *
     * @param seconds negative if the endpoint does not say
     */
    public void keptFor(long seconds) {
        long announced = TimeUnit.SECONDS.toNanos(seconds);
        keptNanos = seconds < 0 ? Long.MAX_VALUE : announced - Math.min(announced / 2, MARGIN_NANOS);
    }

    /** Gives the connection back to the pool. It must be able to serve another request. */
    public void release() {
        user = null;
        reused = true;
        if (!source.isReadResumed()) {
            source.resumeReads();
        }
        upstream.release(this);
    }

    public void close() {
        user = null;
        pool.closed(this);
        IoUtils.safeClose(channel);
    }

    /** Ends the current use: the drain time of its endpoint is over. */
    void endUse() {
        User current = user;
        if (current == null) {
            close();
        } else {
            current.endpointRemoved();
        }
    }

    StreamConnection channel() {
        return channel;
    }

    private void readable() {
        User current = user;
        if (current == null) {
            endIfClosed();
            return;
        }
        try {
            current.upstreamReadable();
        } catch (IOException | RuntimeException | Error e) {
            current.upstreamFailed(e);
        }
    }

    private void writable() {
        User current = user;
        if (current == null) {
            sink.suspendWrites();
            return;
        }
        try {
            current.upstreamWritable();
        } catch (IOException | RuntimeException | Error e) {
            current.upstreamFailed(e);
        }
    }

    /**
     * Closes a connection that waits for a request and has something to read: its end, or bytes that must not be sent.
     *
     * @return whether it did so
     */
    public boolean endIfClosed() {
        try {
            if (source.read(ByteBuffer.allocate(1)) == 0) {
                return false;
            }
        } catch (IOException e) {
            LOG.debug("Idle connection to {} ended: {}", endpoint, e.toString());
        }
        upstream.closedByEndpoint(this);
        close();
        return true;
    }
}
