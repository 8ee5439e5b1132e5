package io.millau.server.internal.tls;

import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What every user of an engine has to do. */
final class TlsEngines {

    private static final Logger LOG = LoggerFactory.getLogger(TlsEngines.class);
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private TlsEngines() {}

    /** Does what an engine would have another thread do. */
    static void runTasks(SSLEngine engine) {
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }

    /**
     * Ends an engine, which frees what it has outside of Java's heap; its last words, an alert or {@code close_notify}, go to
     * the buffer, as far as there is room for a record.
     */
    static void finish(SSLEngine engine, ByteBuffer out) {
        try {
            engine.closeOutbound();
            while (!engine.isOutboundDone() && engine.wrap(NOTHING, out).bytesProduced() > 0) {}
        } catch (SSLException e) {
            LOG.debug("No last words: {}", e.toString());
        }
        try {
            engine.closeInbound();
        } catch (SSLException e) {
            LOG.debug("The client left without a word: {}", e.toString());
        }
    }
}
