package io.millau.server.internal.proxy;

import io.millau.server.internal.http.ChunkDecoder;
import io.millau.server.internal.http.MalformedResponseException;
import io.millau.server.internal.http.ResponseHead;
import io.millau.server.internal.io.Buffers;
import io.millau.server.internal.upstream.UpstreamConnection;
import io.undertow.connector.PooledByteBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;
import org.xnio.channels.StreamSinkChannel;

/**
 * Streams the body of a response to the client, with back-pressure. For its I/O thread alone.
 *
 * <p>Its first bytes are sent with the head, its last ones with the end: a small response is one write.
 */
final class ResponseBody {

    /** Called when something happens to the body. */
    interface Owner {
        /** All of the response was read, whether or not the client has it yet; nothing more is read from the connection. */
        void responseRead(boolean connectionIsClean);

        /** The client has all of it. */
        void responsePassedOn();

        /** The endpoint broke the response off. */
        void responseBroken(IOException failure);

        /** A bug of this proxy. */
        void internalError(Throwable error);

        /** The client can't be written to. */
        void downstreamFailed(IOException failure);
    }

    private final UpstreamConnection from;
    private final Buffers.Stock buffers;
    private final Owner owner;
    private final @Nullable ChunkDecoder decoder;
    private @Nullable StreamSinkChannel client;
    private long remaining;
    private boolean read;
    private boolean clean;
    private boolean ending;
    private boolean over;
    private boolean bare;
    private boolean waited;
    private long bytes;
    private @Nullable PooledByteBuffer pooled;
    private int undecodedEnd;

    /**
     * @param length as {@link ResponseHead#length()}, 0 for a response without a body
     * @param first what was read together with the head; this frees it
     * @throws MalformedResponseException if its beginning is malformed; nothing was passed on then
     */
    ResponseBody(UpstreamConnection from, ProxyThread thread, Owner owner, long length, PooledByteBuffer first)
            throws MalformedResponseException {
        this.from = from;
        this.buffers = thread.loop.buffers;
        this.owner = owner;
        this.remaining = length;
        this.decoder = length == ResponseHead.CHUNKED ? new ChunkDecoder(thread.trailers) : null;
        this.pooled = first;
        try {
            decode(first.getBuffer());
        } catch (MalformedResponseException e) {
            free();
            throw e;
        }
    }

    /** Body bytes that the client took. */
    long bytes() {
        return Math.max(bytes, 0);
    }

    /** Whether all of it was read from the endpoint. */
    boolean read() {
        return read;
    }

    /** What reads a chunked body, and its trailers. */
    @Nullable
    ChunkDecoder decoder() {
        return decoder;
    }

    /** Begins to pass it on, through a channel that frames it. */
    void start(StreamSinkChannel client) {
        begin(client);
    }

    /**
     * Begins to pass it on as it is, to the client's connection itself: what was read first has the head before it, of this
     * length, and the connection stays open after it.
     */
    void startBare(StreamSinkChannel client, int headLength) {
        bare = true;
        bytes = -headLength;
        begin(client);
    }

    private void begin(StreamSinkChannel client) {
        this.client = client;
        if (read) {
            owner.responseRead(clean);
        }
        pump(client);
    }

    /** The endpoint sent something. */
    void readable() {
        if (!read && client != null) {
            pump(client);
        }
    }

    private void clientWritable(StreamSinkChannel client) {
        client.suspendWrites();
        if (!over && !client.isOpen()) {
            end();
            owner.downstreamFailed(new ClosedChannelException());
        } else if (!over) {
            if (!read && !from.source.isReadResumed()) {
                from.source.resumeReads();
            }
            pump(client);
        }
    }

    private void pump(StreamSinkChannel client) {
        while (!over) {
            try {
                if (!write(client)) {
                    waitFor(client);
                    return;
                }
            } catch (IOException e) {
                end();
                owner.downstreamFailed(e);
                return;
            }
            if (read) {
                end();
                owner.responsePassedOn();
                return;
            }
            try {
                if (!readMore(client)) {
                    return;
                }
            } catch (IOException e) {
                fail(e);
                return;
            }
        }
    }

    /** Writes what is decoded; false if the client does not take it now. */
    private boolean write(StreamSinkChannel client) throws IOException {
        ByteBuffer buffer = pooled == null ? null : pooled.getBuffer();
        while (buffer != null && buffer.hasRemaining()) {
            int written = read && !bare ? client.writeFinal(buffer) : client.write(buffer);
            if (written == 0) {
                return false;
            }
            bytes += written;
            ending |= read && !buffer.hasRemaining();
        }
        if (read && !ending && !bare) {
            ending = true;
            client.shutdownWrites();
        }
        return !read || client.flush();
    }

    private void waitFor(StreamSinkChannel client) {
        if (!read && from.source.isReadResumed()) {
            from.source.suspendReads();
        }
        resumeWrites(client);
    }

    private void resumeWrites(StreamSinkChannel client) {
        waited = true;
        client.getWriteSetter().set(channel -> {
            try {
                clientWritable(client);
            } catch (RuntimeException e) {
                owner.internalError(e);
            }
        });
        client.resumeWrites();
    }

    /** Reads and decodes; false if there is nothing yet. */
    private boolean readMore(StreamSinkChannel client) throws IOException {
        PooledByteBuffer holder = pooled == null ? buffers.allocate() : pooled;
        pooled = holder;
        ByteBuffer buffer = holder.getBuffer();
        int start = buffer.limit();
        if (undecodedEnd > start) {
            buffer.limit(undecodedEnd).position(start);
            buffer.compact();
        } else {
            buffer.clear();
        }
        boolean empty = buffer.position() == 0;
        int count = from.source.read(buffer);
        buffer.flip();
        if (count > 0) {
            decode(buffer);
            if (read) {
                owner.responseRead(clean);
            }
            return true;
        }
        if (count < 0) {
            if (remaining != ResponseHead.UNTIL_CLOSE || decoder != null) {
                throw new IOException("connection closed in the middle of the response");
            }
            read = true;
            owner.responseRead(false);
            return true;
        }
        undecodedEnd = buffer.limit();
        buffer.limit(0);
        if (empty) {
            free();
        }
        try {
            if (!client.flush()) {
                resumeWrites(client);
            }
        } catch (IOException e) {
            end();
            owner.downstreamFailed(e);
        }
        return false;
    }

    /** Leaves in the buffer what the client is to get. */
    private void decode(ByteBuffer buffer) throws MalformedResponseException {
        undecodedEnd = 0;
        if (decoder != null) {
            int end = decoder.decode(buffer);
            undecodedEnd = end;
            if (decoder.ended()) {
                read = true;
                clean = end == buffer.limit();
            } else if (buffer.limit() == 0 && end == buffer.capacity()) {
                throw new MalformedResponseException("trailers of more than " + ResponseHead.MAX_BYTES + " bytes");
            }
        } else if (remaining != ResponseHead.UNTIL_CLOSE) {
            clean = buffer.remaining() <= remaining;
            if (!clean) {
                buffer.limit(buffer.position() + (int) remaining);
            }
            remaining -= buffer.remaining();
            if (remaining == 0) {
                read = true;
            }
        }
    }

    private void fail(IOException failure) {
        end();
        owner.responseBroken(failure);
    }

    /** Ends the body in whatever state it is; nothing is called after this. */
    void end() {
        over = true;
        free();
        if (waited && bare && client != null) {
            client.getWriteSetter().set(null); // the connection outlives this
        }
    }

    private void free() {
        if (pooled != null) {
            pooled.close();
            pooled = null;
            undecodedEnd = 0;
        }
    }
}
