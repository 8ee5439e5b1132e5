package io.millau.server.internal.tls;

import io.undertow.connector.ByteBufferPool;
import io.undertow.server.DefaultByteBufferPool;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.xnio.XnioIoThread;

/** What the TLS connections of one I/O thread share. Used by that thread alone. */
final class TlsThread {

    /** Room for a record of any size (RFC 8446, 5.2), with what older versions add. */
    static final int RECORD_BYTES = 17 * 1024;

    /** What is read from a socket at once. */
    private static final int RECEIVED_BYTES = 4 * RECORD_BYTES;

    /** What is written to a socket at once: four records, and one more may follow while there is room for two. */
    private static final int SENT_BYTES = 5 * RECORD_BYTES;

    /** For bytes that a connection has to keep. Safe for use by several threads. */
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

    /** Has {@link TlsSinkConduit#endOfTurn} called once all that is ready now was seen to, before the thread waits again. */
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
