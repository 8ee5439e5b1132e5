package io.millau.server.internal.io;

import io.millau.core.Ticker;
import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.XnioIoThread;

/**
 * What everything on one I/O thread shares: its deadlines and its buffers. A connection stays on the thread that accepted or
 * opened it, so none of this needs a lock. For that thread alone, except {@link #execute}.
 */
public final class EventLoop {

    private static final Logger LOG = LoggerFactory.getLogger(EventLoop.class);

    private static final Duration REQUEST_TICK = Duration.ofMillis(20);
    private static final Duration LONG_TICK = Duration.ofSeconds(1);

    /** Each may hold a buffer. */
    private static final int MOST_AFTER_READS = 64;

    /**
     * How long a thread works without a pause before it lets others run. Clients and services on the same machine would otherwise wait
     * until the kernel interrupts it, which takes several milliseconds.
     */
    private static final long WORK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    /** What takes longer than from one turn's writes to the next turn's first read was a pause: the thread waited, or others ran. */
    private static final long PAUSE_NANOS = TimeUnit.MICROSECONDS.toNanos(30);

    /** For requests: up to 20 ms late. */
    public final Deadlines deadlines;

    /** For connections: up to a second late. */
    public final Deadlines longDeadlines;

    public final Buffers.Stock buffers = new Buffers.Stock(Buffers.STREAM_BYTES);

    /** For what clients have sent. */
    public final HeldMemory held;

    /** For what is kept of that. */
    public final Pieces pieces = new Pieces();

    private final ArrayDeque<Runnable> afterReads = new ArrayDeque<>(MOST_AFTER_READS);
    private final Runnable runAfterReads = this::runAfterReads;
    private long workBegan;
    private long lastWork;

    private final Buffers.Stock smallBuffers = new Buffers.Stock(DirectMemory.SMALL_BYTES);

    private final XnioIoThread thread;
    private final int threads;
    private final int maxLarge;

    EventLoop(XnioIoThread thread, Ticker ticker) {
        this.thread = thread;
        this.threads = Math.max(1, thread.getWorker().getIoThreadCount());
        this.held = HeldMemory.ofThread(threads);
        this.maxLarge = DirectMemory.maxLarge(Buffers.STREAM_BYTES, threads);
        this.deadlines = new Deadlines(thread, ticker, REQUEST_TICK);
        this.longDeadlines = new Deadlines(thread, ticker, LONG_TICK);
    }

    /** How many bytes of a body may be read at once now: few if many bodies wait for their receivers. */
    public int readBytes() {
        return manyWait() ? DirectMemory.SMALL_BYTES : Buffers.STREAM_BYTES;
    }

    private boolean manyWait() {
        return buffers.taken() > maxLarge;
    }

    /** A buffer of this pool for what a client sends; a small one if many bodies wait. */
    public PooledByteBuffer allocateFrom(ByteBufferPool pool) {
        return manyWait() ? smallBuffers.allocate() : pool.allocate();
    }

    /** A buffer for so many bytes that wait for their receiver: a small one if many wait and they fit. */
    public PooledByteBuffer allocate(int bytes) {
        return bytes <= DirectMemory.SMALL_BYTES && manyWait() ? smallBuffers.allocate() : buffers.allocate();
    }

    /**
     * Moves bytes that wait for their receiver to a small buffer, if many wait and they fit.
     *
     * @param held has the bytes from its buffer's position to {@code end}
     * @return the buffer that has them now, from index 0 on if it is another one
     */
    public PooledByteBuffer shrink(PooledByteBuffer held, int end) {
        return manyWait() ? toSmall(held, end) : held;
    }

    private PooledByteBuffer toSmall(PooledByteBuffer held, int end) {
        ByteBuffer bytes = held.getBuffer();
        int count = end - bytes.position();
        if (bytes.capacity() == DirectMemory.SMALL_BYTES || count > DirectMemory.SMALL_BYTES) {
            return held;
        }
        PooledByteBuffer small = smallBuffers.allocate();
        small.getBuffer().put(0, bytes.limit(end), bytes.position(), count);
        held.close();
        return small;
    }

    /**
     * Moves bytes to a small buffer if they fit.
     *
     * @param held has the bytes from its position to its limit, as the returned one does
     */
    public PooledByteBuffer toSmall(PooledByteBuffer held) {
        int count = held.getBuffer().remaining();
        PooledByteBuffer after = toSmall(held, held.getBuffer().limit());
        if (after != held) {
            after.getBuffer().position(0).limit(count);
        }
        return after;
    }

    /**
     * Moves bytes from a small buffer to a large one.
     *
     * @param held has the bytes from its position to its limit, as the returned one does
     */
    public PooledByteBuffer toLarge(PooledByteBuffer held) {
        if (!isSmall(held)) {
            return held;
        }
        PooledByteBuffer large = buffers.allocate();
        large.getBuffer().put(held.getBuffer()).flip();
        held.close();
        return large;
    }

    /**
     * Moves bytes that wait for their receiver to a small buffer, if many wait and they fit.
     *
     * @param held has the bytes from its position to its limit, as the returned one does
     */
    public PooledByteBuffer shrink(PooledByteBuffer held) {
        return manyWait() ? toSmall(held) : held;
    }

    /** Whether a buffer is one of the small ones. */
    public static boolean isSmall(PooledByteBuffer held) {
        return held.getBuffer().capacity() == DirectMemory.SMALL_BYTES;
    }

    /** How many buffers for bodies are in use; exact only while the thread is idle. */
    int buffersTaken() {
        return buffers.taken() + smallBuffers.taken();
    }

    /** Lets all deadlines pass whose time has come. */
    void checkDeadlines() {
        deadlines.check();
        longDeadlines.check();
    }

    /** How long it is to the next deadline: less than 0 if its time has come, {@link Long#MAX_VALUE} if there is none. */
    long nanosToDeadline() {
        return Math.min(deadlines.nanosToFirst(), longDeadlines.nanosToFirst());
    }

    /** How many threads there are like this one. */
    public int threads() {
        return threads;
    }

    public XnioIoThread thread() {
        return thread;
    }

    /** Runs a task on the thread once it has finished what it does now. Safe for use by several threads. */
    public void execute(Runnable task) {
        thread.execute(task);
    }

    /**
     * Runs a task once the thread has read from all sockets that are ready now, or from many of them. Tasks that write to sockets
     * wait for that: what clients and endpoints get in one go they also read in one go, and are woken up less often.
     */
    public void afterReads(Runnable task) {
        afterReads.add(task);
        if (afterReads.size() == MOST_AFTER_READS) {
            runAfterReads();
        } else if (afterReads.size() == 1) {
            long now = System.nanoTime();
            if (now - lastWork > PAUSE_NANOS) {
                workBegan = now;
            }
            try {
                thread.execute(runAfterReads);
            } catch (RejectedExecutionException e) {
                runAfterReads(); // the worker is shutting down
            }
        }
    }

    private void runAfterReads() {
        for (Runnable task = afterReads.poll(); task != null; task = afterReads.poll()) {
            try {
                task.run();
            } catch (RuntimeException | Error e) {
                LOG.error("Internal error in a task; other tasks are not affected", e);
            }
        }
        lastWork = System.nanoTime();
        if (lastWork - workBegan > WORK_NANOS) {
            workBegan = lastWork;
            Thread.yield();
        }
    }
}
