package io.millau.server.internal.http2;

import io.millau.server.internal.io.EventLoop;
import io.undertow.connector.PooledByteBuffer;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a body that wait to be read: at most as many as the window of a stream (RFC 9113, 6.9), which a large buffer has room
 * for. It holds a buffer only while there are some, a small one if many bodies wait. For one I/O thread.
 */
public final class WaitingBytes {

    private final EventLoop loop;

    /** Holds the bytes, between {@link #at} and its position; null while there are none. */
    private @Nullable PooledByteBuffer holder;

    private int at;

    public WaitingBytes(EventLoop loop) {
        this.loop = loop;
    }

    /** How many there are. */
    public int count() {
        return holder == null ? 0 : holder.getBuffer().position() - at;
    }

    public boolean isEmpty() {
        return holder == null;
    }

    /**
     * Adds bytes.
     *
     * @throws io.millau.server.internal.io.OutOfBuffersException if there is no memory for them; nothing has changed then
     */
    public void add(ByteBuffer bytes) {
        int more = bytes.remaining();
        if (more == 0) {
            return;
        }
        PooledByteBuffer room = holder == null ? loop.allocate(more) : roomFor(more, holder);
        holder = room;
        room.getBuffer().put(bytes);
    }

    /** Makes room after the bytes: moves them to the beginning, or to a large buffer. */
    private PooledByteBuffer roomFor(int more, PooledByteBuffer before) {
        ByteBuffer bytes = before.getBuffer();
        if (more <= bytes.remaining()) {
            return before;
        }
        boolean fits = count() + more <= bytes.capacity();
        PooledByteBuffer large = fits ? null : loop.buffers.allocate();
        bytes.flip().position(at);
        at = 0;
        if (large == null) {
            bytes.compact();
            return before;
        }
        large.getBuffer().put(bytes);
        before.close();
        return large;
    }

    /** Moves bytes to another buffer, as many as fit and {@code most} at most; returns their number. */
    public int take(ByteBuffer to, int most) {
        PooledByteBuffer from = holder;
        if (from == null) {
            return 0;
        }
        int count = Math.min(Math.min(count(), most), to.remaining());
        to.put(to.position(), from.getBuffer(), at, count).position(to.position() + count);
        at += count;
        if (count() == 0) {
            discard();
        }
        return count;
    }

    /** Discards them all. */
    public void discard() {
        if (holder != null) {
            holder.close();
            holder = null;
        }
        at = 0;
    }
}
