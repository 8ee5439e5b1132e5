package io.millau.server;

import io.millau.core.Ticker;
import io.undertow.connector.ByteBufferPool;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;

/**
 * What one I/O thread has to itself: its deadlines, its connections to endpoints, its scratch space. A request stays in the
 * lane it came in, so none of this needs a lock.
 */
final class Lane {

    /** Also the largest head of a request that is sent on, and of an answer. */
    static final int BUFFER_BYTES = 64 * 1024;

    private static final Duration REQUEST_TICK = Duration.ofMillis(20);
    private static final Duration LONG_TICK = Duration.ofSeconds(1);

    final Deadlines deadlines;

    /** For what may be a second late. */
    final Deadlines longDeadlines;

    final Upstream upstream;
    final Buffers.Stock buffers = new Buffers.Stock(BUFFER_BYTES);
    final PlainRequests plainRequests = new PlainRequests();
    final AnswerHead answerHead = new AnswerHead();
    final RequestHead requestHead = new RequestHead();
    final ByteBuffer headBuffer = ByteBuffer.allocateDirect(BUFFER_BYTES);

    private final XnioIoThread thread;
    final UpstreamEngines upstreamEngines;
    private final ByteBufferPool tlsBuffers;
    private @Nullable TlsThread tls;

    /**
     * @param tlsBuffers those of all lanes
     * @param upstreamEngines those of all lanes
     * @param lanes what all of them know of endpoints
     */
    Lane(XnioIoThread thread, Ticker ticker, ByteBufferPool tlsBuffers, UpstreamEngines upstreamEngines, Lanes lanes) {
        this.upstreamEngines = upstreamEngines;
        this.thread = thread;
        this.tlsBuffers = tlsBuffers;
        this.deadlines = new Deadlines(thread, ticker, REQUEST_TICK);
        this.longDeadlines = new Deadlines(thread, ticker, LONG_TICK);
        this.upstream = new Upstream(thread, this, lanes);
    }

    /** Runs a task on its thread, when what the thread does now is done. */
    void execute(Runnable task) {
        thread.execute(task);
    }

    /** What its connections over TLS share. */
    TlsThread tls() {
        TlsThread known = tls;
        if (known == null) {
            known = new TlsThread(thread, tlsBuffers);
            tls = known;
        }
        return known;
    }
}
