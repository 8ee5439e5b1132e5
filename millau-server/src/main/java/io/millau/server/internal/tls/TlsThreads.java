package io.millau.server.internal.tls;

import io.undertow.connector.ByteBufferPool;
import org.xnio.XnioIoThread;

/** What the TLS connections of each I/O thread share, created with the first connection. Safe for use by several threads. */
public final class TlsThreads {

    private final ThreadLocal<TlsThread> own;

    public TlsThreads() {
        ByteBufferPool pool = TlsThread.newPool();
        own = ThreadLocal.withInitial(() -> new TlsThread(XnioIoThread.requireCurrentThread(), pool));
    }

    /** What the connections of the calling I/O thread share. */
    public TlsThread current() {
        return own.get();
    }
}
