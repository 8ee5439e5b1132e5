package io.millau.server.internal.proxy;

import io.millau.server.internal.io.Buffers;
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
 * ended or a connection fails. For the request's I/O thread alone; holds no buffer while there is nothing to pass on.
 */
final class Tunnel {

    private static final Logger LOG = LoggerFactory.getLogger(Tunnel.class);

    private final StreamConnection client;
    private final UpstreamConnection endpoint;
    private final Buffers.Stock buffers;
    private final Runnable ended;
    private final Direction toClient;
    private final Direction toEndpoint;
    private boolean over;

    /** @param first the bytes that the endpoint sent after the head of its response; freed by this object */
    Tunnel(
            StreamConnection client,
            UpstreamConnection endpoint,
            Buffers.Stock buffers,
            PooledByteBuffer first,
            Runnable ended) {
        this.client = client;
        this.endpoint = endpoint;
        this.buffers = buffers;
        this.ended = ended;
        this.toClient = new Direction(endpoint.source, client.getSinkChannel(), first);
        this.toEndpoint = new Direction(client.getSourceChannel(), endpoint.sink, null);
    }

    void start() {
        // Each replaces a listener of the connection to the endpoint.
        toClient.start();
        toEndpoint.start();
    }

    private final class Direction {
        private final ConduitStreamSourceChannel from;
        private final ConduitStreamSinkChannel to;
        private @Nullable PooledByteBuffer pooled;
        private boolean done;

        Direction(ConduitStreamSourceChannel from, ConduitStreamSinkChannel to, @Nullable PooledByteBuffer first) {
            this.from = from;
            this.to = to;
            this.pooled = first;
        }

        void start() {
            from.setReadListener(channel -> move());
            to.setWriteListener(channel -> writable());
            move();
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
                }
            }
            return true;
        }

        private int read() throws IOException {
            PooledByteBuffer holder = pooled == null ? buffers.allocate() : pooled;
            pooled = holder;
            int count = from.read(holder.getBuffer().clear());
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
        toClient.free();
        toEndpoint.free();
        endpoint.close();
        IoUtils.safeClose(client);
        ended.run();
    }
}
