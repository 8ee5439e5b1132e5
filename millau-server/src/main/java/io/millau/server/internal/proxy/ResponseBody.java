package io.millau.server.internal.proxy;

import io.millau.server.internal.http.ChunkDecoder;
import io.millau.server.internal.http.MalformedResponseException;
import io.millau.server.internal.http.ResponseHead;
import io.millau.server.internal.http.ResponseTrailers;
import io.millau.server.internal.io.EventLoop;
import io.millau.server.internal.upstream.UpstreamConnection;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.util.HeaderMap;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;
import org.xnio.channels.StreamSinkChannel;

/**
 * Streams the body of a response to the client, with back-pressure. For the request's I/O thread alone.
 *
 * <p>The first bytes are sent together with the head, and the last ones together with the end: a small response is one write.
 */
final class ResponseBody {

    /** Is notified of the progress and the end of a body. */
    interface Owner {
        /**
         * All of the response was read, whether or not the client has it yet; nothing more is read from the connection.
         *
         * @param connectionIsClean whether nothing but the response was read from the connection
         */
        void responseRead(boolean connectionIsClean);

        /** All of the response was written to the client. */
        void responsePassedOn();

        /**
         * Nothing can be passed on now.
         *
         * @param moved whether something was passed on since the last call
         */
        void responsePaused(boolean moved);

        /** Reading from the endpoint failed, or the body is malformed. */
        void responseBroken(IOException failure);

        /** A bug of this proxy occurred. */
        void internalError(Throwable error);

        /** Writing to the client failed. */
        void downstreamFailed(IOException failure);
    }

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final UpstreamConnection from;
    private final EventLoop loop;
    private final Owner owner;
    private final @Nullable ResponseTrailers trailers;
    private final @Nullable ChunkDecoder decoder;
    private @Nullable StreamSinkChannel client;
    private long remaining;
    private boolean read;
    private boolean clean;
    private boolean ending;
    private boolean over;
    private boolean direct;
    private boolean waited;
    private boolean moved;
    private boolean waitsForClient;
    private long bytes;
    private @Nullable PooledByteBuffer pooled;
    private int undecodedEnd;

    /** Compresses the body; null if it goes as it comes. */
    private @Nullable Gzip gzip;

    /**
     * @param length the value of {@link ResponseHead#length()}; 0 for a response without a body
     * @param first the bytes that were read together with the head; freed by this object
     * @throws IOException if these bytes are malformed already; nothing was passed on then
     */
    ResponseBody(UpstreamConnection from, ProxyThread thread, Owner owner, long length, PooledByteBuffer first)
            throws IOException {
        this.from = from;
        this.loop = thread.loop;
        this.owner = owner;
        this.remaining = length;
        this.trailers = length == ResponseHead.CHUNKED ? new ResponseTrailers(thread.trailers) : null;
        this.decoder = trailers == null ? null : ChunkDecoder.tolerant(trailers);
        this.pooled = first;
        try {
            decode(first.getBuffer());
        } catch (IOException e) {
            free();
            throw e;
        }
    }

    /** The number of body bytes written to the client. */
    long bytes() {
        return Math.max(bytes, 0);
    }

    /** Whether all of the body was read from the endpoint. */
    boolean read() {
        return read;
    }

    /** The trailers of a chunked body; null if the body is not chunked. */
    @Nullable
    HeaderMap trailers() {
        return trailers == null ? null : trailers.fields();
    }

    /** Whether the client does not take what is there for it. */
    boolean waitsForClient() {
        return waitsForClient;
    }

    /**
     * Whether the endpoint has announced more than it has sent so far: bytes of a body whose length is known, or the rest of a
     * chunk. A stream of chunks may be quiet between two of them.
     */
    boolean owed() {
        return !read && !waitsForTurn() && (decoder == null ? remaining > 0 : !decoder.betweenChunks());
    }

    /**
     * Tries to write though the client's connection has not become writable. The socket of a slow client becomes writable only
     * when much of its buffer is empty, but it takes bytes before.
     *
     * @return whether the client takes bytes, or the transfer is over
     */
    boolean clientTakesMore() {
        long before = bytes;
        if (!over && client != null) {
            pump(client);
            if (!over && !waitsForClient && !waitsForTurn() && !read && !from.source.isReadResumed()) {
                from.source.resumeReads();
            }
        }
        return over || bytes > before || !waitsForClient || gzip != null && gzip.tookBytes();
    }

    private boolean waitsForTurn() {
        return gzip != null && gzip.waitsForTurn();
    }

    /** Compresses the body; to be called before {@link #start}. */
    void compress(Gzip with) {
        gzip = with;
    }

    /** Begins to pass the body on, through a channel that adds the framing. */
    void start(StreamSinkChannel client) {
        begin(client);
    }

    /**
     * Begins to pass the response on unchanged, to the client's connection itself. The connection stays open when the response
     * ends.
     *
     * @param headLength the number of bytes of the head, which precedes the body in the buffer
     */
    void startDirect(StreamSinkChannel client, int headLength) {
        direct = true;
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

    /** Called when the connection to the endpoint has something to read. */
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
        } else if (!over && !waitsForTurn()) {
            moved = true;
            if (!read && !from.source.isReadResumed()) {
                from.source.resumeReads();
            }
            pump(client);
        }
    }

    /** Goes on with a body of which a part was compressed, after other work had its turn. */
    private void turn() {
        StreamSinkChannel to = client;
        if (over || to == null) {
            return;
        }
        try {
            if (!read && !from.source.isReadResumed()) {
                from.source.resumeReads();
            }
            pump(to);
        } catch (RuntimeException e) {
            owner.internalError(e);
        }
    }

    private void pump(StreamSinkChannel client) {
        if (waitsForTurn()) {
            return;
        }
        waitsForClient = false;
        if (gzip != null) {
            gzip.beginTurn();
        }
        while (!over) {
            try {
                if (!(gzip == null ? write(client) : writeCompressed(client, gzip))) {
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

    /** Writes the decoded bytes; false if the client does not accept all of them now. */
    private boolean write(StreamSinkChannel client) throws IOException {
        if (!writeAll(pooled == null ? NOTHING : pooled.getBuffer(), client, read)) {
            return false;
        }
        if (read && !ending && !direct) {
            ending = true;
            client.shutdownWrites();
        }
        return !read || client.flush();
    }

    private boolean writeAll(ByteBuffer buffer, StreamSinkChannel client, boolean last) throws IOException {
        while (buffer.hasRemaining()) {
            int written = last && !direct ? client.writeFinal(buffer) : client.write(buffer);
            if (written == 0) {
                return false;
            }
            bytes += written;
            moved = true;
            ending |= last && !buffer.hasRemaining();
        }
        return true;
    }

    /** Compresses the decoded bytes and writes what comes out; false if the client, or other work, has to be waited for. */
    private boolean writeCompressed(StreamSinkChannel client, Gzip with) throws IOException {
        ByteBuffer buffer = pooled == null ? NOTHING : pooled.getBuffer();
        while (writeAll(with.output(), client, with.complete())) {
            if (with.complete()) {
                return client.flush();
            }
            if (!buffer.hasRemaining() && !read && !with.flushing()) {
                with.freeOutput();
                return true;
            }
            if (buffer.hasRemaining() && with.turnIsOver()) {
                with.freeOutput();
                with.awaitTurn(this::turn);
                return false;
            }
            with.compress(buffer, read);
        }
        return false;
    }

    private void waitFor(StreamSinkChannel client) {
        if (!read && from.source.isReadResumed()) {
            from.source.suspendReads();
        }
        if (waitsForTurn()) {
            return;
        }
        shrink();
        resumeWrites(client);
        paused();
    }

    /** Moves what waits to a small buffer if many bodies wait. */
    private void shrink() {
        if (gzip != null) {
            gzip.shrink();
        }
        PooledByteBuffer before = pooled;
        if (before == null) {
            return;
        }
        int start = before.getBuffer().position();
        int decoded = before.getBuffer().remaining();
        int end = Math.max(before.getBuffer().limit(), undecodedEnd);
        PooledByteBuffer after = loop.shrink(before, end);
        if (after != before) {
            pooled = after;
            after.getBuffer().position(0).limit(decoded);
            undecodedEnd = Math.max(0, undecodedEnd - start);
        }
    }

    /** The buffer to read more into, after what is left to decode; a small one is only for waiting. */
    private PooledByteBuffer bufferToRead() {
        PooledByteBuffer holder = pooled == null ? loop.buffers.allocate() : pooled;
        if (EventLoop.isSmall(holder)) {
            PooledByteBuffer large = loop.buffers.allocate();
            ByteBuffer small = holder.getBuffer();
            int start = small.limit();
            int left = Math.max(0, undecodedEnd - start);
            large.getBuffer().put(0, small.limit(start + left), start, left).limit(0);
            undecodedEnd = left;
            holder.close();
            holder = large;
        }
        pooled = holder;
        return holder;
    }

    private void paused() {
        if (!over) {
            boolean before = moved;
            moved = false;
            owner.responsePaused(before);
        }
    }

    private void resumeWrites(StreamSinkChannel client) {
        waited = true;
        waitsForClient = true;
        client.getWriteSetter().set(channel -> {
            try {
                clientWritable(client);
            } catch (RuntimeException e) {
                owner.internalError(e);
            }
        });
        client.resumeWrites();
    }

    /** Reads and decodes more of the body; false if there is nothing to read now. */
    private boolean readMore(StreamSinkChannel client) throws IOException {
        ByteBuffer buffer = bufferToRead().getBuffer();
        int start = buffer.limit();
        if (undecodedEnd > start) {
            buffer.limit(undecodedEnd).position(start);
            buffer.compact();
        } else {
            buffer.clear();
        }
        boolean empty = buffer.position() == 0;
        int count = read(buffer, loop.readBytes());
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
            if (!from.endedByEndpoint()) {
                throw new IOException("connection closed without close_notify, which has to end a response over TLS"
                        + " that has neither Content-Length nor chunks");
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
        if (gzip != null && gzip.flush()) {
            return true;
        }
        try {
            if (!client.flush()) {
                resumeWrites(client);
            }
        } catch (IOException e) {
            end();
            owner.downstreamFailed(e);
            return false;
        }
        paused();
        return false;
    }

    private int read(ByteBuffer buffer, int most) throws IOException {
        buffer.limit((int) Math.min(buffer.capacity(), buffer.position() + (long) most));
        int count = from.source.read(buffer);
        buffer.flip();
        return count;
    }

    /** Removes everything from the buffer that the client must not get: chunk framing, and bytes after the end of the body. */
    private void decode(ByteBuffer buffer) throws IOException {
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

    /** Ends the transfer, in any state; the owner is not called any more. */
    void end() {
        over = true;
        free();
        if (gzip != null) {
            gzip.end();
        }
        if (waited && direct && client != null) {
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
