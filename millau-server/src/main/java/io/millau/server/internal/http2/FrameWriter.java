package io.millau.server.internal.http2;

import io.millau.server.internal.io.Buffers;
import io.millau.server.internal.io.EventLoop;
import io.undertow.connector.PooledByteBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.xnio.conduits.ConduitStreamSinkChannel;

/**
 * Writes the frames of an HTTP/2 connection (RFC 9113, 4). For one I/O thread; holds a buffer only while the socket does not
 * take all of it.
 *
 * <p>Frames of messages wait until there is room for them. Acknowledgements and resets can't wait: room is reserved for them.
 * A peer that exhausts this room sends without ever reading; its connection is closed.
 */
public final class FrameWriter {

    private static final int KEPT_BYTES = 16 * 1024;

    private final ConduitStreamSinkChannel sink;
    private final EventLoop loop;
    private @Nullable PooledByteBuffer pooled;
    private @Nullable ByteBuffer unsent;

    public FrameWriter(ConduitStreamSinkChannel sink, EventLoop loop) {
        this.sink = sink;
        this.loop = loop;
    }

    /** Bytes of a message's frame, without its head, that can be written now. */
    public int room() {
        int capacity = unsent == null ? Buffers.STREAM_BYTES : unsent.capacity();
        int written = unsent == null ? 0 : unsent.position();
        return Math.min(capacity - KEPT_BYTES, loop.readBytes()) - written - Http2.FRAME_HEAD_BYTES;
    }

    /** Whether nothing waits for the socket. */
    public boolean isEmpty() {
        return unsent == null;
    }

    /** Whether there is room for a header block of this length now; where nothing waits there always is. */
    public boolean takesHeaders(int length) {
        return unsent == null || unsent.remaining() - KEPT_BYTES >= length + frames(length) * Http2.FRAME_HEAD_BYTES;
    }

    private static int frames(int length) {
        return Math.max(1, (length + Http2.MAX_PAYLOAD_BYTES - 1) / Http2.MAX_PAYLOAD_BYTES);
    }

    /** Writes a header block, in as many frames as it takes (RFC 9113, 6.10). */
    public void headers(int stream, boolean end, byte[] block, int length) throws IOException {
        int frames = frames(length);
        ByteBuffer buffer = buffer(length + frames * Http2.FRAME_HEAD_BYTES);
        for (int i = 0; i < frames; i++) {
            int from = i * Http2.MAX_PAYLOAD_BYTES;
            int part = Math.min(Http2.MAX_PAYLOAD_BYTES, length - from);
            int flags = (i == frames - 1 ? Http2.END_HEADERS : 0) | (i == 0 && end ? Http2.END_STREAM : 0);
            head(buffer, part, i == 0 ? Http2.HEADERS : Http2.CONTINUATION, flags, stream);
            buffer.put(block, from, part);
        }
    }

    /** Writes a part of a body, in bytes; {@link #room} must allow it. */
    public void data(int stream, boolean end, ByteBuffer from, int length) throws IOException {
        ByteBuffer buffer = frame(length, Http2.DATA, end ? Http2.END_STREAM : 0, stream);
        int limit = from.limit();
        buffer.put(from.limit(from.position() + length));
        from.limit(limit);
    }

    public void number(int type, int stream, int number) throws IOException {
        frame(4, type, 0, stream).putInt(number);
    }

    /**
     * Begins a frame.
     *
     * @return where its payload goes
     */
    public ByteBuffer frame(int length, int type, int flags, int stream) throws IOException {
        ByteBuffer buffer = buffer(length + Http2.FRAME_HEAD_BYTES);
        head(buffer, length, type, flags, stream);
        return buffer;
    }

    private static void head(ByteBuffer buffer, int length, int type, int flags, int stream) {
        buffer.put((byte) (length >> 16)).putShort((short) length);
        buffer.put((byte) type).put((byte) flags).putInt(stream);
    }

    public void bytes(byte[] bytes) throws IOException {
        buffer(bytes.length).put(bytes);
    }

    private ByteBuffer buffer(int bytes) throws IOException {
        ByteBuffer buffer = unsent;
        if (buffer == null) {
            buffer = newBuffer(bytes);
            unsent = buffer;
        } else if (buffer.remaining() < bytes && pooled != null && EventLoop.isSmall(pooled)) {
            PooledByteBuffer large = loop.buffers.allocate();
            buffer = large.getBuffer().put(buffer.flip());
            pooled.close();
            pooled = large;
            unsent = buffer;
        } else if (buffer.remaining() < bytes) {
            throw new IOException("the peer does not read what it is sent");
        }
        return buffer;
    }

    private ByteBuffer newBuffer(int bytes) {
        if (bytes + KEPT_BYTES > Buffers.STREAM_BYTES) {
            return ByteBuffer.allocate(bytes + KEPT_BYTES); // a head as large as they get
        }
        pooled = loop.buffers.allocate();
        return pooled.getBuffer();
    }

    /** Sends the written frames; false if the socket does not accept all of them now, and will report when it does. */
    public boolean flush() throws IOException {
        ByteBuffer buffer = unsent;
        if (buffer == null) {
            return true;
        }
        buffer.flip();
        while (buffer.hasRemaining() && sink.write(buffer) > 0) {}
        boolean sent = !buffer.hasRemaining();
        if (sent) {
            free();
        } else {
            if (pooled != null) {
                pooled = loop.shrink(pooled);
                buffer = pooled.getBuffer();
            }
            unsent = buffer.compact();
        }
        if (sent == sink.isWriteResumed()) {
            if (sent) {
                sink.suspendWrites();
            } else {
                sink.resumeWrites();
            }
        }
        return sent;
    }

    public void free() {
        unsent = null;
        if (pooled != null) {
            pooled.close();
            pooled = null;
        }
    }
}
