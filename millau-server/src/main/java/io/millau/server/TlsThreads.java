package io.millau.server;

import io.undertow.connector.ByteBufferPool;
import org.xnio.XnioIoThread;

/** What the TLS connections of each I/O thread share, made when the thread has the first one. Safe for use by several threads. */
final class TlsThreads {

    private final ThreadLocal<TlsThread> own;

    TlsThreads() {
        ByteBufferPool pool = TlsThread.newPool();
        own = ThreadLocal.withInitial(() -> new TlsThread(XnioIoThread.requireCurrentThread(), pool));
    }

    /** What the calling I/O thread's connections share. */
    TlsThread current() {
        return own.get();
    }
}
