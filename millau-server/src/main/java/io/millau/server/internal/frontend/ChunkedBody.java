package io.millau.server.internal.frontend;

import io.millau.server.internal.http.ChunkDecoder;
import io.millau.server.internal.http.HeaderNames;
import io.millau.server.internal.io.HeldMemory;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.server.protocol.http.HttpServerConnection;
import io.undertow.util.HeaderMap;
import io.undertow.util.ImmediatePooledByteBuffer;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.ConduitReadableByteChannel;
import org.xnio.conduits.StreamSourceConduit;

/**
 * The body of a chunked request over HTTP/1.1. Its framing has to be as RFC 9112 wants it: where servers differ in what they
 * accept, a request could be smuggled past one of them. Otherwise reading throws a {@link RejectedBodyException}, and no further
 * request is read from the connection. For the connection's I/O thread alone.
 */
final class ChunkedBody extends AbstractStreamSourceConduit<StreamSourceConduit> implements ChunkDecoder.Message {

    private final HttpServerExchange exchange;
    private final HttpServerConnection connection;
    private final HeaderNames names;
    private final HeldMemory memory;
    private final ChunkDecoder decoder = ChunkDecoder.strict(this);
    private @Nullable HeadReader trailers;
    private boolean over;

    /** @param next first gives what is in the connection's extra bytes */
    ChunkedBody(
            StreamSourceConduit next,
            HttpServerExchange exchange,
            HttpServerConnection connection,
            HeaderNames names,
            HeldMemory memory) {
        super(next);
        this.exchange = exchange;
        this.connection = connection;
        this.names = names;
        this.memory = memory;
    }

    @Override
    public int read(ByteBuffer to) throws IOException {
        if (over) {
            return -1;
        }
        try {
            int count = 0;
            while (count == 0 && !decoder.ended() && to.hasRemaining()) {
                int start = to.position();
                int received = next.read(to);
                if (received < 0) {
                    throw new EOFException("connection closed in the middle of the request");
                }
                if (received == 0) {
                    return 0;
                }
                count = decode(to, start);
            }
            if (count == 0 && decoder.ended()) {
                end();
                return -1;
            }
            return count;
        } catch (IOException e) {
            cut();
            throw e;
        }
    }

    /** Leaves only bytes of the body between this index and the position, and returns their number. */
    private int decode(ByteBuffer buffer, int start) throws IOException {
        int limit = buffer.limit();
        buffer.flip().position(start);
        int restEnd = decoder.decode(buffer);
        int end = buffer.limit();
        buffer.limit(limit);
        if (restEnd > end) {
            giveBack(buffer, end, restEnd - end);
        }
        buffer.position(end);
        return end - start;
    }

    /** Puts what follows the body in front of what was not read yet: it is the next request. */
    private void giveBack(ByteBuffer from, int at, int count) {
        PooledByteBuffer before = connection.getExtraBytes();
        ByteBuffer bytes = ByteBuffer.allocate(
                count + (before == null ? 0 : before.getBuffer().remaining()));
        bytes.put(0, from, at, count).position(count);
        if (before != null) {
            bytes.put(before.getBuffer());
            before.close();
        }
        connection.setExtraBytes(new ImmediatePooledByteBuffer(bytes.flip()));
    }

    @Override
    public boolean readTrailers(ByteBuffer buffer) throws IOException {
        HeadReader reader = trailers;
        if (reader == null) {
            reader = HeadReader.ofTrailers(names, memory, exchange.getRequestHeaders());
            trailers = reader;
        }
        HeaderMap read = reader.readTrailers(buffer);
        if (read == null) {
            return false;
        }
        if (read.size() > 0) {
            exchange.putAttachment(HttpAttachments.REQUEST_TRAILERS, read);
        }
        return true;
    }

    /** Gives back the memory of the trailers; to be called at the end of the request. */
    void free() {
        if (trailers != null) {
            memory.free(trailers.held());
            trailers = null;
        }
    }

    @Override
    public IOException malformed(String reason) {
        return new RejectedBodyException(Rejection.badRequest(reason));
    }

    private void end() {
        over = true;
        Connectors.terminateRequest(exchange);
    }

    /** Ends the body before its end. */
    private void cut() {
        exchange.setPersistent(false);
        end();
    }

    @Override
    public long read(ByteBuffer[] to, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            if (to[i].hasRemaining()) {
                return read(to[i]);
            }
        }
        return 0;
    }

    @Override
    public long transferTo(long position, long count, FileChannel target) throws IOException {
        return target.transferFrom(new ConduitReadableByteChannel(this), position, count);
    }

    @Override
    public long transferTo(long count, ByteBuffer through, StreamSinkChannel target) throws IOException {
        return IoUtils.transfer(new ConduitReadableByteChannel(this), count, through, target);
    }

    @Override
    public void resumeReads() {
        if (over) {
            return;
        }
        if (decoder.ended()) {
            next.wakeupReads();
        } else {
            next.resumeReads();
        }
    }

    /** The connection stays open: its response is still to be sent. */
    @Override
    public void terminateReads() {
        if (!over) {
            cut();
        }
    }
}
