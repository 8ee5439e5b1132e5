package io.millau.server;

import io.millau.core.Ticker;
import java.nio.ByteBuffer;
import org.xnio.XnioIoThread;

/**
 * What one I/O thread has to itself: its deadlines, its connections to endpoints, its scratch space. A request stays in the
 * lane it came in, so none of this needs a lock.
 */
final class Lane {

    /** Also the largest head of a request that is sent on, and of an answer. */
    static final int BUFFER_BYTES = 64 * 1024;

    final Deadlines deadlines;
    final Upstream upstream;
    final Buffers.Stock buffers = new Buffers.Stock(BUFFER_BYTES);
    final AnswerHead answerHead = new AnswerHead();
    final RequestHead requestHead = new RequestHead();
    final ByteBuffer headBuffer = ByteBuffer.allocateDirect(BUFFER_BYTES);

    Lane(XnioIoThread thread, Ticker ticker) {
        this.deadlines = new Deadlines(thread, ticker);
        this.upstream = new Upstream(thread, deadlines);
    }
}
