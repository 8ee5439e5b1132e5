package io.millau.server.internal.frontend;

import io.millau.server.internal.io.Buffers;
import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.HttpHandler;
import io.undertow.server.protocol.http2.Http2ReceiveListener;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;

/**
 * The clients' connections of one listener that speak HTTP/2 (RFC 9113). Does what Undertow's listener does, and remembers
 * them so that they can be ended without the loss of a request (6.8): first they are told to send no more, and when that
 * has had its time, what was processed last. Safe for use by several threads.
 */
final class DownstreamHttp2Connections {

    private static final Logger LOG = LoggerFactory.getLogger(DownstreamHttp2Connections.class);

    private final ByteBufferPool buffers;
    private final OptionMap options;
    private final Set<DownstreamHttp2Connection> all = ConcurrentHashMap.newKeySet();
    private @Nullable HttpHandler handler;
    private volatile boolean ending;

    DownstreamHttp2Connections(ByteBufferPool buffers, OptionMap options) {
        this.buffers = buffers;
        this.options = options;
    }

    /** Who gets the requests; set before the first connection comes. */
    void setHandler(HttpHandler handler) {
        this.handler = handler;
    }

    /**
     * Takes a connection, on its I/O thread.
     *
     * @param first what was read from it already
     */
    void open(StreamConnection connection, @Nullable PooledByteBuffer first) {
        DownstreamHttp2Connection opened = DownstreamHttp2Connection.open(connection, buffers, first, options);
        all.add(opened);
        opened.addCloseTask(closed -> all.remove(opened));
        if (ending) {
            opened.announceEnd();
        }
        opened.getReceiveSetter()
                .set(new Http2ReceiveListener(Objects.requireNonNull(handler), options, Buffers.CLIENT_BYTES, null));
        opened.resumeReceives();
    }

    /** Asks every client to send its next request elsewhere; those that it sends all the same are served. */
    void announceEnd() {
        ending = true;
        all.forEach(open -> open.getIoThread().execute(open::announceEnd));
    }

    /** Ends every connection, and tells its client which requests had come by then. Returns when that is done. */
    void end() {
        List<DownstreamHttp2Connection> last = List.copyOf(all);
        CountDownLatch ended = new CountDownLatch(last.size());
        last.forEach(open -> open.getIoThread().execute(() -> {
            open.end();
            open.getIoThread().execute(ended::countDown); // behind what that has put off
        }));
        try {
            if (!ended.await(1, TimeUnit.SECONDS)) {
                LOG.debug("{} HTTP/2 connections did not end in time", ended.getCount());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
