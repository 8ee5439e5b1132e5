package io.millau.server.internal.status;

import io.millau.core.Ticker;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.ServerConnection;
import io.undertow.server.handlers.sse.ServerSentEventConnection;
import io.undertow.server.handlers.sse.ServerSentEventConnection.EventCallback;
import io.undertow.server.handlers.sse.ServerSentEventHandler;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;

/**
 * The viewers of the status page. Each gets the whole status repeatedly, as Server-Sent Events. A viewer that reads
 * slowly misses some; one that has not read an event within 30 s is disconnected, and makes room. Safe for use by several
 * threads.
 */
final class StatusStream implements HttpHandler {

    private static final Logger LOG = LoggerFactory.getLogger(StatusStream.class);

    private static final int MAX_VIEWERS = 50;
    private static final long TIMEOUT_NANOS = Duration.ofSeconds(30).toNanos();

    private final Map<ServerSentEventConnection, Viewer> viewers = new ConcurrentHashMap<>();
    private final Ticker ticker;
    private final AtomicInteger open = new AtomicInteger();
    private volatile boolean newcomers;

    StatusStream(Ticker ticker) {
        this.ticker = ticker;
    }

    private static final class Viewer implements EventCallback {
        private final ServerConnection connection;
        private volatile boolean sending;
        private volatile long since;

        Viewer(ServerConnection connection) {
            this.connection = connection;
        }

        /** Not only the stream: that would wait until the viewer has read what was sent. */
        void end(ServerSentEventConnection stream) {
            IoUtils.safeClose(connection);
            IoUtils.safeClose(stream);
        }

        @Override
        public void done(
                ServerSentEventConnection connection,
                @Nullable String data,
                @Nullable String event,
                @Nullable String id) {
            sending = false;
        }

        @Override
        public void failed(
                ServerSentEventConnection connection,
                @Nullable String data,
                @Nullable String event,
                @Nullable String id,
                IOException failure) {
            LOG.debug("A viewer of the status page is gone: {}", failure.toString());
            IoUtils.safeClose(connection);
        }
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        if (exchange.getRequestMethod().equals(Methods.HEAD)) {
            exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "text/event-stream; charset=UTF-8");
            exchange.endExchange(); // otherwise a stream without a reader would never end
            return;
        }
        if (open.incrementAndGet() > MAX_VIEWERS) {
            open.getAndDecrement();
            exchange.setStatusCode(StatusCodes.SERVICE_UNAVAILABLE);
            exchange.getResponseSender().send("There are " + MAX_VIEWERS + " viewers already\n");
            return;
        }
        ServerConnection connection = exchange.getConnection();
        AtomicBoolean gone = new AtomicBoolean();
        exchange.addExchangeCompleteListener((done, next) -> {
            makeRoom(gone);
            next.proceed();
        });
        connection.addCloseListener(closed -> makeRoom(gone));
        new ServerSentEventHandler((stream, lastId) -> connected(stream, new Viewer(connection)))
                .handleRequest(exchange);
    }

    private void makeRoom(AtomicBoolean gone) {
        if (gone.compareAndSet(false, true)) {
            open.getAndDecrement();
        }
    }

    private void connected(ServerSentEventConnection stream, Viewer viewer) {
        viewers.put(stream, viewer);
        stream.addCloseTask(viewers::remove);
        viewer.connection.addCloseListener(closed -> viewers.remove(stream));
        newcomers = true;
    }

    /** Whether the page has any viewer. */
    boolean isWatched() {
        return !viewers.isEmpty();
    }

    /** Whether a viewer has not received any status yet. */
    boolean hasNewcomers() {
        return newcomers;
    }

    /** Sends the status to all viewers that have read the previous one. */
    void send(String json) {
        newcomers = false;
        long now = ticker.nanoTime();
        viewers.forEach((connection, viewer) -> {
            if (!viewer.sending) {
                viewer.sending = true;
                viewer.since = now;
                connection.send(json, viewer);
            } else if (now - viewer.since > TIMEOUT_NANOS) {
                viewer.end(connection);
            }
        });
    }
}
