package io.millau.server.internal.proxy;

import io.millau.server.internal.io.Deadlines;
import io.millau.server.internal.io.EventLoop;
import io.millau.server.internal.upstream.UpstreamConnection;
import io.undertow.connector.PooledByteBuffer;
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
 * Passes bytes in both directions between a client and an endpoint after an upgrade (RFC 9110, 7.8), until both directions have
 * ended, a connection fails, or a side takes nothing for long of what is there for it. Both may be quiet for as long as they like. For the request's I/O thread alone; holds no buffer while there is nothing to pass on.
 */
final class Tunnel {

    private static final Logger LOG = LoggerFactory.getLogger(Tunnel.class);

    private final StreamConnection client;
    private final UpstreamConnection endpoint;
    private final EventLoop loop;
    private final Owner owner;
    private final Direction toClient;
    private final Direction toEndpoint;
    private boolean over;

    /** Is notified of what becomes of a tunnel. */
    interface Owner {
        /** The client has taken nothing for long of what is there for it; the end follows. */
        void tunnelStalled();

        /** The tunnel has ended. */
        void end();
    }

    /** @param first the bytes that the endpoint sent after the head of its response; freed by this object */
    Tunnel(StreamConnection client, UpstreamConnection endpoint, EventLoop loop, PooledByteBuffer first, Owner owner) {
        this.client = client;
        this.endpoint = endpoint;
        this.loop = loop;
        this.owner = owner;
        this.toClient = new Direction(endpoint.source, client.getSinkChannel(), first, loop.longDeadlines);
        this.toEndpoint = new Direction(client.getSourceChannel(), endpoint.sink, null, loop.longDeadlines);
    }

    void start() {
        // Each replaces a listener of the connection to the endpoint.
        toClient.start();
        toEndpoint.start();
    }

    private final class Direction {
        private final ConduitStreamSourceChannel from;
        private final ConduitStreamSinkChannel to;
        private final Silence silence;
        private @Nullable PooledByteBuffer pooled;
        private boolean moved;
        private boolean done;

        Direction(
                ConduitStreamSourceChannel from,
                ConduitStreamSinkChannel to,
                @Nullable PooledByteBuffer first,
                Deadlines deadlines) {
            this.from = from;
            this.to = to;
            this.pooled = first;
            this.silence = new Silence(deadlines, this::silent);
        }

        void start() {
            from.setReadListener(channel -> move());
            to.setWriteListener(channel -> writable());
            move();
        }

        /** Only ends what has something to pass on: nobody has to send anything. */
        private void silent() {
            if (!blocked()) {
                return;
            }
            moved = false;
            move();
            if (!moved && blocked() && !over) {
                LOG.debug("Tunnel to {} stalled", endpoint.endpoint);
                if (this == toClient) {
                    owner.tunnelStalled();
                }
                close();
            }
        }

        private boolean blocked() {
            return pooled != null && pooled.getBuffer().hasRemaining();
        }

        private void writable() {
            to.suspendWrites();
            move();
        }

        private void move() {
            try {
                while (!over && !done) {
                    if (!write()) {
                        from.suspendReads();
                        to.resumeWrites();
                        if (pooled != null) {
                            pooled = loop.shrink(pooled);
                        }
                        silence.paused(moved);
                        moved = false;
                        return;
                    }
                    int count = read();
                    if (count == 0) {
                        from.resumeReads();
                        return;
                    }
                    if (count < 0) {
                        finish();
                    }
                }
            } catch (IOException | RuntimeException e) {
                LOG.debug("Tunnel to {} broke: {}", endpoint.endpoint, e.toString());
                close();
            }
        }

        private boolean write() throws IOException {
            if (pooled != null) {
                ByteBuffer buffer = pooled.getBuffer();
                while (buffer.hasRemaining()) {
                    if (to.write(buffer) == 0) {
                        return false;
                    }
                    moved = true;
                }
            }
            return true;
        }

        private int read() throws IOException {
            if (pooled != null && EventLoop.isSmall(pooled)) {
                free(); // it was only for waiting
            }
            PooledByteBuffer holder = pooled == null ? loop.buffers.allocate() : pooled;
            pooled = holder;
            int count = from.read(holder.getBuffer().clear().limit(loop.readBytes()));
            holder.getBuffer().flip();
            if (count <= 0) {
                free();
            }
            return count;
        }

        /** Ends this direction. The other one may continue (RFC 9293, 3.6). */
        private void finish() throws IOException {
            done = true;
            from.suspendReads();
            to.shutdownWrites();
            to.flush();
            if (toClient.done && toEndpoint.done) {
                close();
            }
        }

        private void end() {
            silence.end();
            free();
        }

        private void free() {
            if (pooled != null) {
                pooled.close();
                pooled = null;
            }
        }
    }

    void close() {
        if (over) {
            return;
        }
        over = true;
        toClient.end();
        toEndpoint.end();
        endpoint.close();
        IoUtils.safeClose(client);
        owner.end();
    }
}
