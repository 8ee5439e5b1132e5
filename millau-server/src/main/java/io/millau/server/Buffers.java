package io.millau.server;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.DefaultByteBufferPool;
import io.undertow.server.DirectByteBufferDeallocator;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Direct buffers of one size. Safe for use by several threads: each has a stock of its own, the last used buffer on top since
 * the processor's cache still knows it. What goes beyond the stock is given back to the system at once.
 *
 * <p>Undertow's own pool looks its stock up in a synchronized WeakHashMap, for each buffer that is taken and given back.
 */
final class Buffers implements ByteBufferPool {

    private static final int STOCK_BYTES = 4 * 1024 * 1024;

    private final int size;
    private final ByteBufferPool onHeap;
    private final ThreadLocal<ArrayDeque<ByteBuffer>> stock = ThreadLocal.withInitial(ArrayDeque::new);

    Buffers(int size) {
        this.size = size;
        this.onHeap = new DefaultByteBufferPool(false, size);
    }

    @Override
    public PooledByteBuffer allocate() {
        ByteBuffer kept = stock.get().pollFirst();
        return new Taken(kept == null ? ByteBuffer.allocateDirect(size) : kept.clear());
    }

    private void giveBack(ByteBuffer buffer) {
        ArrayDeque<ByteBuffer> own = stock.get();
        if (own.size() < STOCK_BYTES / size) {
            own.addFirst(buffer);
        } else {
            DirectByteBufferDeallocator.free(buffer);
        }
    }

    @Override
    public ByteBufferPool getArrayBackedPool() {
        return onHeap;
    }

    @Override
    public int getBufferSize() {
        return size;
    }

    @Override
    public boolean isDirect() {
        return true;
    }

    /** Nothing to do: the stocks go with their threads. */
    @Override
    public void close() {}

    private final class Taken implements PooledByteBuffer {
        private @Nullable ByteBuffer buffer;

        Taken(ByteBuffer buffer) {
            this.buffer = buffer;
        }

        @Override
        public ByteBuffer getBuffer() {
            ByteBuffer open = buffer;
            if (open == null) {
                throw new IllegalStateException("the buffer was given back");
            }
            return open;
        }

        @Override
        public boolean isOpen() {
            return buffer != null;
        }

        @Override
        public void close() {
            ByteBuffer open = buffer;
            if (open != null) {
                buffer = null;
                giveBack(open);
            }
        }
    }
}
