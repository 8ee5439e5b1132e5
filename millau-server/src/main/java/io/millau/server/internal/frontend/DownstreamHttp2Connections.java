package io.millau.server.internal.frontend;

import io.millau.server.internal.io.EventLoops;
import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.HttpHandler;
import java.nio.ByteBuffer;
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
 * The clients' connections of one listener that speak HTTP/2 (RFC 9113), and what they share. They can be closed without the loss
 * of a request (RFC 9113, 6.8): a first GOAWAY asks the clients to send no more requests, and a later one names the last request
 * processed. Safe for use by several threads.
 */
final class DownstreamHttp2Connections {

    private static final Logger LOG = LoggerFactory.getLogger(DownstreamHttp2Connections.class);

    private final ByteBufferPool buffers;
    private final EventLoops loops;
    private final OptionMap options;
    private final Set<DownstreamHttp2Connection> all = ConcurrentHashMap.newKeySet();
    private @Nullable HttpHandler handler;
    private @Nullable BiConsumer<String, String> malformed;
    private volatile boolean ending;

    DownstreamHttp2Connections(ByteBufferPool buffers, EventLoops loops, OptionMap options) {
        this.buffers = buffers;
        this.loops = loops;
        this.options = options;
    }

    /**
     * Sets the handler of requests; to be called before the first connection is accepted.
     *
     * @param malformed told of what ended without an exchange: the client's address, and what was wrong
     */
    void setHandler(HttpHandler handler, BiConsumer<String, String> malformed) {
        this.handler = handler;
        this.malformed = malformed;
    }

    ByteBufferPool buffers() {
        return buffers;
    }

    OptionMap options() {
        return options;
    }

    HttpHandler handler() {
        return Objects.requireNonNull(handler);
    }

    void malformed(String client, String problem) {
        Objects.requireNonNull(malformed).accept(client, problem);
    }

    /**
     * Handles a connection; to be called on its I/O thread.
     *
     * @param first the bytes that were read from it already, to be freed; null for none
     */
    void open(StreamConnection connection, @Nullable PooledByteBuffer first) {
        DownstreamHttp2Connection opened = add(connection);
        opened.begin(first);
        if (ending) {
            opened.announceEnd();
        }
    }

    /**
     * Handles a connection that was upgraded from HTTP/1.1 (RFC 7540, 3.2); to be called on its I/O thread.
     *
     * @param head of the request that asked for it
     * @param settings the payload of a SETTINGS frame
     */
    void openUpgraded(StreamConnection connection, ReceivedHead head, ByteBuffer settings) {
        DownstreamHttp2Connection opened = add(connection);
        opened.beginUpgraded(head, settings);
        if (ending) {
            opened.announceEnd();
        }
    }

    private DownstreamHttp2Connection add(StreamConnection connection) {
        DownstreamHttp2Connection opened = new DownstreamHttp2Connection(connection, loops.current(), this);
        all.add(opened);
        return opened;
    }

    /** Called when a connection has ended. */
    void ended(DownstreamHttp2Connection connection) {
        all.remove(connection);
    }

    /** Asks every client to send no more requests over its connection; requests that still arrive are served. */
    void announceEnd() {
        ending = true;
        all.forEach(open -> open.loop.execute(open::announceEnd));
    }

    /** Ends every connection with a GOAWAY that names the last request received. Returns when that is done, or after 1 s. */
    void end() {
        List<DownstreamHttp2Connection> last = List.copyOf(all);
        CountDownLatch ended = new CountDownLatch(last.size());
        last.forEach(open -> open.loop.execute(() -> {
            open.end();
            ended.countDown();
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
