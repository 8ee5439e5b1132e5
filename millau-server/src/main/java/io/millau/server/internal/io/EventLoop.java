package io.millau.server.internal.io;

import io.millau.core.Ticker;
import java.time.Duration;
import org.xnio.XnioIoThread;

/**
 * What everything on one I/O thread shares: its deadlines and its buffers. A connection stays on the thread that accepted or
 * opened it, so none of this needs a lock. For that thread alone, except {@link #execute}.
 */
public final class EventLoop {

    private static final Duration REQUEST_TICK = Duration.ofMillis(20);
    private static final Duration LONG_TICK = Duration.ofSeconds(1);

    /** For requests: up to 20 ms late. */
    public final Deadlines deadlines;

    /** For connections: up to a second late. */
    public final Deadlines longDeadlines;

    public final Buffers.Stock buffers = new Buffers.Stock(Buffers.STREAM_BYTES);

    private final XnioIoThread thread;

    EventLoop(XnioIoThread thread, Ticker ticker) {
        this.thread = thread;
        this.deadlines = new Deadlines(thread, ticker, REQUEST_TICK);
        this.longDeadlines = new Deadlines(thread, ticker, LONG_TICK);
    }

    public XnioIoThread thread() {
        return thread;
    }

    /** Runs a task on the thread once it has finished what it does now. Safe for use by several threads. */
    public void execute(Runnable task) {
        thread.execute(task);
    }
}
