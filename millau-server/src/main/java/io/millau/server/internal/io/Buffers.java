package io.millau.server.internal.io;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.DefaultByteBufferPool;
import io.undertow.server.DirectByteBufferDeallocator;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A pool of direct buffers of one size for Undertow. Safe for use by several threads, each of which has its own stock.
 *
 * <p>Undertow's own pool is slower: it uses a synchronized WeakHashMap each time a buffer is taken or given back.
 */
public final class Buffers implements ByteBufferPool {

    /** The size of the buffers that clients are read into, and Undertow's writes come from. */
    public static final int CLIENT_BYTES = 16 * 1024;

    /** The size of the buffers that bodies stream through: the largest head of a request that is sent on, and of a response. */
    public static final int STREAM_BYTES = 64 * 1024;

    private final int size;
    private final ByteBufferPool onHeap;
    private final ThreadLocal<Stock> stocks;
    private final List<Stock> all = new CopyOnWriteArrayList<>();

    public Buffers(int size) {
        this.size = size;
        this.onHeap = new DefaultByteBufferPool(false, size);
        this.stocks = ThreadLocal.withInitial(() -> {
            Stock stock = new Stock(size);
            all.add(stock);
            return stock;
        });
    }

    @Override
    public PooledByteBuffer allocate() {
        return stocks.get().allocate();
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

    /** Does nothing: the stocks are garbage-collected with the pool. */
    @Override
    public void close() {}

    /** How many are in use. */
    public int taken() {
        return all.stream().mapToInt(Stock::taken).sum();
    }

    /**
     * The buffers of the thread that creates the stock; only this thread may take buffers. The buffer used last is taken first,
     * since it may still be in the processor's cache. At most 4 MiB are kept, less on a small heap; further buffers are freed at once.
     */
    public static final class Stock {

        private final int size;
        private final Thread owner = Thread.currentThread();
        private final ArrayDeque<ByteBuffer> buffers = new ArrayDeque<>();
        private final AtomicInteger made = new AtomicInteger();

        Stock(int size) {
            this.size = size;
        }

        public PooledByteBuffer allocate() {
            ByteBuffer kept = buffers.pollFirst();
            return new Taken(kept == null ? make() : kept.clear(), this);
        }

        private ByteBuffer make() {
            DirectMemory.taken(size);
            made.getAndIncrement();
            return ByteBuffer.allocateDirect(size);
        }

        /** How many are in use; for other threads the number is exact only while the owner is idle. */
        int taken() {
            return made.get() - buffers.size();
        }

        private void giveBack(ByteBuffer buffer) {
            if (Thread.currentThread() == owner && buffers.size() < DirectMemory.maxKept() / size) {
                buffers.addFirst(buffer);
            } else {
                made.getAndDecrement();
                DirectMemory.freed(size);
                DirectByteBufferDeallocator.free(buffer);
            }
        }
    }

    private static final class Taken implements PooledByteBuffer {
        private final Stock stock;
        private @Nullable ByteBuffer buffer;

        Taken(ByteBuffer buffer, Stock stock) {
            this.buffer = buffer;
            this.stock = stock;
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
                stock.giveBack(open);
            }
        }
    }
}
