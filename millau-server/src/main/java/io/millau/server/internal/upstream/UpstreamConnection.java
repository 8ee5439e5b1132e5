package io.millau.server.internal.upstream;

import io.millau.core.Endpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
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
 * <p>Its listeners are set once, and reading is resumed once: interest in the socket's events changes only for
 * back-pressure, since each change is a system call.
 */
public final class UpstreamConnection {

    private static final Logger LOG = LoggerFactory.getLogger(UpstreamConnection.class);

    /** What uses the connection at the moment: a request or a health check. */
    public interface User {
        void upstreamReadable() throws IOException;

        void upstreamWritable() throws IOException;

        /** The endpoint was removed, and its connections had their time to finish. */
        void endpointRemoved();

        /** What {@link #upstreamReadable} or {@link #upstreamWritable} threw. */
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

    public void use(User user) {
        this.user = user;
    }

    /** Whether it served a request before the one it serves now. */
    public boolean reused() {
        return reused;
    }

    /** Gives the connection back: it can serve the next request. */
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

    /** The drain of a removed endpoint is over. */
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
            endIdle();
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

    /** Nothing is expected on an idle connection but its end; it is closed in any case. */
    private void endIdle() {
        try {
            if (source.read(ByteBuffer.allocate(1)) == 0) {
                return;
            }
        } catch (IOException e) {
            LOG.debug("Idle connection to {} ended: {}", endpoint, e.toString());
        }
        close();
    }
}
