package io.millau.server.internal.tls;

import io.undertow.connector.ByteBufferPool;
import io.undertow.server.DefaultByteBufferPool;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.xnio.XnioIoThread;

/** What the TLS connections of one I/O thread share. For that thread alone. */
final class TlsThread {

    /** Room for the largest record (RFC 8446, 5.2), including the overhead of older versions. */
    static final int RECORD_BYTES = 17 * 1024;

    /** The size of a read from a socket. */
    private static final int RECEIVED_BYTES = 4 * RECORD_BYTES;

    /** The size of a write to a socket: records are added while there is room for two. */
    private static final int SENT_BYTES = 5 * RECORD_BYTES;

    /** Creates the pool of buffers for bytes that connections have to keep. The pool is safe for use by several threads. */
    static ByteBufferPool newPool() {
        return new DefaultByteBufferPool(true, SENT_BYTES, 256, 4);
    }

    final ByteBuffer received = ByteBuffer.allocateDirect(RECEIVED_BYTES);
    final ByteBuffer sent = ByteBuffer.allocateDirect(SENT_BYTES);

    /** One record, decrypted or to be encrypted. */
    final ByteBuffer plain = ByteBuffer.allocateDirect(RECORD_BYTES);

    final ByteBufferPool pool;

    private final XnioIoThread thread;
    private List<TlsSinkConduit> waiting = new ArrayList<>();
    private List<TlsSinkConduit> spare = new ArrayList<>();

    TlsThread(XnioIoThread thread, ByteBufferPool pool) {
        this.thread = thread;
        this.pool = pool;
    }

    boolean isCurrent() {
        return Thread.currentThread() == thread;
    }

    /** Calls {@link TlsSinkConduit#endOfTurn} after all events that are ready now, before the thread waits again. */
    void callAtEndOfTurn(TlsSinkConduit conduit) {
        if (waiting.isEmpty()) {
            thread.execute(this::endTurn);
        }
        waiting.add(conduit);
    }

    private void endTurn() {
        List<TlsSinkConduit> ended = waiting;
        waiting = spare;
        for (int i = 0; i < ended.size(); i++) {
            ended.get(i).endOfTurn();
        }
        ended.clear();
        spare = ended;
    }
}
