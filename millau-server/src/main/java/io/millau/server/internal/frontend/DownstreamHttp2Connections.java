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
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;

/**
 * The clients' connections of one listener that speak HTTP/2 (RFC 9113). Does the work of Undertow's listener, and also keeps
 * the set of connections, so that they can be closed without the loss of a request (RFC 9113, 6.8): a first GOAWAY asks the
 * clients to send no more requests, and a later one names the last request processed. Safe for use by several threads.
 */
final class DownstreamHttp2Connections {

    private static final Logger LOG = LoggerFactory.getLogger(DownstreamHttp2Connections.class);

    private final ByteBufferPool buffers;
    private final OptionMap options;
    private final Set<DownstreamHttp2Connection> all = ConcurrentHashMap.newKeySet();
    private @Nullable HttpHandler handler;
    private @Nullable BiConsumer<String, String> malformed;
    private volatile boolean ending;

    DownstreamHttp2Connections(ByteBufferPool buffers, OptionMap options) {
        this.buffers = buffers;
        this.options = options;
    }

    /**
     * Sets the handler of requests; to be called before the first connection is accepted.
     *
     * @param malformed told of streams that were reset without an exchange: the client's address, and what was wrong
     */
    void setHandler(HttpHandler handler, BiConsumer<String, String> malformed) {
        this.handler = handler;
        this.malformed = malformed;
    }

    /**
     * Handles a connection; to be called on its I/O thread.
     *
     * @param first the bytes that were read from it already; null for none
     */
    void open(StreamConnection connection, @Nullable PooledByteBuffer first) {
        DownstreamHttp2Connection opened =
                DownstreamHttp2Connection.open(connection, buffers, first, options, Objects.requireNonNull(malformed));
        all.add(opened);
        opened.addCloseTask(closed -> all.remove(opened));
        if (ending) {
            opened.announceEnd();
        }
        HttpHandler inner = Objects.requireNonNull(handler);
        HttpHandler begin = exchange -> {
            opened.began(exchange);
            inner.handleRequest(exchange);
        };
        opened.getReceiveSetter().set(new Http2ReceiveListener(begin, options, Buffers.CLIENT_BYTES, null));
        opened.resumeReceives();
    }

    /** Asks every client to send no more requests over its connection; requests that still arrive are served. */
    void announceEnd() {
        ending = true;
        all.forEach(open -> open.getIoThread().execute(open::announceEnd));
    }

    /** Ends every connection with a GOAWAY that names the last request received. Returns when that is done, or after 1 s. */
    void end() {
        List<DownstreamHttp2Connection> last = List.copyOf(all);
        CountDownLatch ended = new CountDownLatch(last.size());
        last.forEach(open -> open.getIoThread().execute(() -> {
            open.end();
            open.getIoThread().execute(ended::countDown); // after the tasks that end() has scheduled
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
