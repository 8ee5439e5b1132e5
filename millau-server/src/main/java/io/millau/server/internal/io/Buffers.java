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
 * Direct buffers of one size for Undertow. Safe for use by several threads, each of which has a stock of its own.
 *
 * <p>Undertow's own pool looks its stock up in a synchronized WeakHashMap, for each buffer that is taken and given back.
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

    /** Nothing to do: the stocks go with this. */
    @Override
    public void close() {}

    /** How many are in use. */
    public int taken() {
        return all.stream().mapToInt(Stock::taken).sum();
    }

    /**
     * The buffers of the thread that makes it, which alone may take some. The last used one is on top, since the
     * processor's cache still knows it; what goes beyond the stock is given back to the system at once.
     */
    public static final class Stock {

        private static final int MAX_BYTES = 4 * 1024 * 1024;

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
            made.getAndIncrement();
            return ByteBuffer.allocateDirect(size);
        }

        /** How many are in use; exact, for another thread, only while the owner does nothing. */
        int taken() {
            return made.get() - buffers.size();
        }

        private void giveBack(ByteBuffer buffer) {
            if (Thread.currentThread() == owner && buffers.size() < MAX_BYTES / size) {
                buffers.addFirst(buffer);
            } else {
                made.getAndDecrement();
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
