package io.millau.server.internal.tls;

import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Operations that all users of TLS engines need. Safe for use by several threads. */
final class TlsEngines {

    private static final Logger LOG = LoggerFactory.getLogger(TlsEngines.class);
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private TlsEngines() {}

    /** Runs the tasks that an engine would delegate to another thread. */
    static void runTasks(SSLEngine engine) {
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }

    /**
     * Closes an engine, which frees its memory outside of Java's heap. Its last record, an alert or {@code close_notify}, is
     * written to the buffer if there is room for it.
     */
    static void finish(SSLEngine engine, ByteBuffer out) {
        try {
            engine.closeOutbound();
            while (!engine.isOutboundDone() && engine.wrap(NOTHING, out).bytesProduced() > 0) {}
        } catch (SSLException e) {
            LOG.debug("Engine could not write its last record: {}", e.toString());
        }
        try {
            engine.closeInbound();
        } catch (SSLException e) {
            LOG.debug("Connection closed without close_notify: {}", e.toString());
        }
    }
}
