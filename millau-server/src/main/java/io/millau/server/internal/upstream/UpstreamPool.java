package io.millau.server.internal.upstream;

import io.millau.core.Endpoint;
import io.millau.core.UpstreamTls;
import io.millau.server.internal.io.Deadlines;
import io.millau.server.internal.io.EventLoop;
import io.millau.server.internal.io.OpenFiles;
import io.millau.server.internal.tls.TlsConnection;
import io.millau.server.internal.tls.TlsHandshake;
import io.millau.server.internal.tls.TlsThreads;
import io.millau.server.internal.tls.UpstreamEngines;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.ChannelListener;
import org.xnio.FailedIoFuture;
import org.xnio.IoFuture;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;

/**
 * The connections of one I/O thread to endpoints. For that thread alone, so without locks: requests that the thread accepted
 * use only connections of the same thread.
 */
public final class UpstreamPool {

    private static final Logger LOG = LoggerFactory.getLogger(UpstreamPool.class);

    private static final OptionMap SOCKET_OPTIONS = OptionMap.create(Options.TCP_NODELAY, true);

    /** The largest number of idle connections to an endpoint; further ones are closed when they become idle. */
    private static final int MAX_IDLE_PER_ENDPOINT = 256;

    /** The longest idle time of a kept connection that may be used for a request that can't be retried. */
    private static final long RECENT_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long MAX_IDLE_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long CONNECT_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long SECURE_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** The drain time of a connection that was opened after its endpoint had been removed. */
    private static final long LATE_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final EventLoop loop;
    private final Deadlines deadlines;
    private final Deadlines longDeadlines;
    private final UpstreamEngines engines;
    private final TlsThreads tls;
    private final UpstreamPools pools;
    private final Map<Endpoint, EndpointPool> all = new HashMap<>();
    private final Map<Endpoint, Http2UpstreamPool> shared = new HashMap<>();
    private final Map<Endpoint, ConnectQueue> queues = new HashMap<>();

    /** What closed connections showed; for current endpoints alone. */
    private final Map<Endpoint, KeepTime> keepTimes = new HashMap<>();

    private boolean sweeping;

    /**
     * @param engines shared by all pools
     * @param pools shared knowledge about endpoints
     */
    UpstreamPool(EventLoop loop, UpstreamEngines engines, TlsThreads tls, UpstreamPools pools) {
        this.loop = loop;
        this.deadlines = loop.deadlines;
        this.longDeadlines = loop.longDeadlines;
        this.engines = engines;
        this.tls = tls;
        this.pools = pools;
    }

    /**
     * Takes an idle connection, the one used last, so that the others can reach their maximum idle time; or opens a stream of a
     * connection that requests share.
     *
     * @param retryable whether the request can be retried if the endpoint has just closed the connection; if not, the connection
     *     must have been used recently
     * @return null if there is none
     */
    @Nullable
    public UpstreamConnection idle(Endpoint endpoint, boolean retryable) {
        ConnectQueue queue = queues.isEmpty() ? null : queues.get(endpoint);
        if (queue != null && queue.isWaiting()) {
            return null; // others were first
        }
        UpstreamConnection idle = takeIdle(endpoint, retryable);
        return idle == null ? stream(endpoint) : idle;
    }

    /** Takes an idle connection, as {@link #idle} does; null if there is none. */
    @Nullable
    UpstreamConnection takeIdle(Endpoint endpoint, boolean retryable) {
        EndpointPool known = all.get(endpoint);
        UpstreamConnection latest = known == null ? null : known.latestIdle();
        if (known == null || latest == null || !retryable && !isSafe(latest)) {
            return null;
        }
        return known.idle.pollFirst();
    }

    /** Whether the endpoint is not likely to close the connection now. */
    private boolean isSafe(UpstreamConnection connection) {
        long now = deadlines.now();
        KeepTime known = keepTimes.get(connection.endpoint);
        long trusted = known == null ? Long.MAX_VALUE : known.trusted(now);
        return now - connection.idleSince < Math.min(RECENT_NANOS, trusted);
    }

    /**
     * Remembers that an endpoint closed a connection without announcement while it was idle, or before a request arrived over it.
     */
    public void closedByEndpoint(UpstreamConnection connection) {
        Endpoint endpoint = connection.endpoint;
        if (!isRemoved(endpoint)) {
            long now = deadlines.now();
            keepTimes.computeIfAbsent(endpoint, of -> new KeepTime()).closed(now - connection.idleSince, now);
        }
    }

    /** Opens a stream, however long its connection was idle: GOAWAY reports unprocessed requests (RFC 9113, 6.8). */
    private @Nullable UpstreamConnection stream(Endpoint endpoint) {
        Http2UpstreamPool known = shared.isEmpty() ? null : shared.get(endpoint);
        return known == null ? null : known.stream();
    }

    /** The connections to one endpoint. */
    final class EndpointPool extends Deadlines.Deadline {
        private final Endpoint endpoint;
        private final Set<UpstreamConnection> open = new HashSet<>();
        private final Deque<UpstreamConnection> idle = new ArrayDeque<>();
        private boolean gone;

        private EndpointPool(Endpoint endpoint) {
            this.endpoint = endpoint;
            this.gone = pools.removed(endpoint);
        }

        /** The connection used last, unless the endpoint is about to close it, as it announced; null if there is none. */
        private @Nullable UpstreamConnection latestIdle() {
            UpstreamConnection latest = idle.peekFirst();
            while (latest != null
                    && latest.keptNanos != Long.MAX_VALUE
                    && deadlines.now() - latest.idleSince >= latest.keptNanos) {
                latest.close();
                latest = idle.peekFirst();
            }
            return latest;
        }

        private void opened(UpstreamConnection connection) {
            if (gone && open.isEmpty()) {
                longDeadlines.set(this, LATE_NANOS);
            }
            open.add(connection);
            count(1);
        }

        /** Counts connections. HTTP/2 streams are not counted; their connection is. */
        private void count(int more) {
            if (!isShared(endpoint)) {
                pools.countConnections(endpoint, more);
            }
        }

        private void leave(Duration drain) {
            gone = true;
            List.copyOf(idle).forEach(UpstreamConnection::close);
            if (!open.isEmpty()) {
                longDeadlines.set(this, drain.toNanos());
            }
        }

        private void restore() {
            gone = false;
            longDeadlines.cancel(this);
        }

        @Override
        public void passed() {
            LOG.info("Drained endpoint={} cut={}", endpoint, open.size());
            List.copyOf(open).forEach(UpstreamConnection::endUse);
        }

        void closed(UpstreamConnection connection) {
            if (!open.remove(connection)) {
                return;
            }
            count(-1);
            idle.remove(connection);
            if (open.isEmpty()) {
                longDeadlines.cancel(this);
                all.remove(endpoint, this);
            }
        }
    }

    /** Called once, on the I/O thread, when the attempt to connect has ended. */
    public interface ConnectListener {
        void connected(UpstreamConnection connection);

        void notConnected(IOException failure);
    }

    /** An attempt to connect that is in progress. */
    public interface Connecting {
        /** Cancels the attempt; the listener is not called any more. */
        void cancel();

        /** How long it waited for its turn, in nanoseconds. */
        default long waitedNanos() {
            return 0;
        }
    }

    /**
     * Connects to an endpoint. Fails after 1 s without a connection, and after further 5 s without TLS or HTTP/2. For an
     * endpoint that speaks HTTP/2, opens a stream of a shared connection, and a new connection only if none accepts a request.
     */
    public Connecting connect(Endpoint endpoint, ConnectListener listener) {
        if (isShared(endpoint)) {
            return shared.computeIfAbsent(endpoint, of -> new Http2UpstreamPool(of, this, loop))
                    .connect(listener);
        }
        return open(endpoint, new OpenListener() {
            @Override
            public void open(StreamConnection channel) {
                listener.connected(opened(endpoint, channel));
            }

            @Override
            public void notOpen(IOException failure) {
                listener.notConnected(failure);
            }
        });
    }

    /**
     * Connects to an endpoint, as {@link #connect} does; but while many do so, waits for its turn, or for a connection that becomes
     * idle. Fails after 5 s in vain with an {@link OverloadedException}.
     *
     * @param needsNew whether it must be a connection that was not used before
     * @param retryable as for {@link #idle}
     */
    public Connecting connectInTurn(Endpoint endpoint, boolean needsNew, boolean retryable, ConnectListener listener) {
        if (isShared(endpoint)) {
            return connect(endpoint, listener);
        }
        return queues.computeIfAbsent(endpoint, of -> new ConnectQueue(of, this, deadlines, loop::execute))
                .add(needsNew, retryable, listener);
    }

    /** Called when nobody connects to an endpoint any more. */
    void forget(Endpoint endpoint, ConnectQueue queue) {
        queues.remove(endpoint, queue);
    }

    /** Called once, on the I/O thread, when the attempt to open a connection has ended. */
    interface OpenListener {
        void open(StreamConnection channel);

        void notOpen(IOException failure);
    }

    /** Opens a new connection, which is not in the pool yet. */
    Connecting open(Endpoint endpoint, OpenListener listener) {
        return new Opening(endpoint, listener);
    }

    /** Adds an open connection, or a stream of a shared one, to the pool. */
    UpstreamConnection opened(Endpoint endpoint, StreamConnection channel) {
        EndpointPool pool = all.computeIfAbsent(endpoint, EndpointPool::new);
        UpstreamConnection connection = new UpstreamConnection(endpoint, channel, this, pool);
        pool.opened(connection);
        return connection;
    }

    /** Whether requests share connections to the endpoint, each with a stream of its own. */
    private static boolean isShared(Endpoint endpoint) {
        return endpoint.scheme().equals(Endpoint.H2C);
    }

    /** Counts a shared connection that was opened (1) or closed (-1). */
    void countShared(Endpoint endpoint, int more) {
        pools.countConnections(endpoint, more);
    }

    boolean isRemoved(Endpoint endpoint) {
        return pools.removed(endpoint);
    }

    private final class Opening extends Deadlines.Deadline
            implements Connecting, ChannelListener<StreamConnection>, TlsHandshake.ConnectListener {
        private final Endpoint endpoint;
        private final OpenListener listener;
        private final IoFuture<StreamConnection> future;
        private @Nullable TlsHandshake handshake;
        private boolean over;

        private Opening(Endpoint endpoint, OpenListener listener) {
            this.endpoint = endpoint;
            this.listener = listener;
            deadlines.set(this, CONNECT_NANOS);
            boolean room = makeRoom();
            pools.countAttempt(1);
            this.future = room
                    ? loop.thread().openStreamConnection(endpoint.socketAddress(), this, SOCKET_OPTIONS)
                    : new FailedIoFuture<>(OpenFiles.exhausted());
            future.addNotifier(
                    (done, nothing) -> {
                        if (done.getStatus() == IoFuture.Status.FAILED) {
                            loop.execute(() -> failed(done.getException()));
                        }
                    },
                    null);
        }

        @Override
        public void handleEvent(StreamConnection channel) {
            if (over) {
                IoUtils.safeClose(channel);
                return;
            }
            UpstreamTls verification = endpoint.tls();
            if (verification == null) {
                connected(channel);
                return;
            }
            try {
                deadlines.set(this, SECURE_NANOS);
                handshake = TlsHandshake.connect(channel, engines.engine(verification), tls.current(), this);
            } catch (GeneralSecurityException | RuntimeException e) {
                IoUtils.safeClose(channel);
                failed(new IOException("no TLS: " + e.getMessage(), e));
            }
        }

        private void connected(StreamConnection channel) {
            finish();
            listener.open(channel);
        }

        @Override
        public void secured(TlsConnection connection) {
            if (over) {
                IoUtils.safeClose(connection);
            } else {
                connected(connection);
            }
        }

        @Override
        public void notSecured(IOException failure) {
            failed(UpstreamEngines.explain(failure, endpoint));
        }

        @Override
        public void passed() {
            if (handshake == null) {
                future.cancel();
                failed(new IOException("no connection within 1 s"));
            } else {
                handshake.end();
                failed(new IOException("no TLS within 5 s"));
            }
        }

        @Override
        public void cancel() {
            finish();
            if (handshake == null) {
                future.cancel();
            } else {
                handshake.end();
            }
        }

        private void failed(IOException failure) {
            if (!over) {
                finish();
                listener.notOpen(failure);
            }
        }

        /** Ends the attempt: the listener is not called any more. */
        private void finish() {
            if (!over) {
                pools.countAttempt(-1);
            }
            over = true;
            deadlines.cancel(this);
        }
    }

    /** Closes the connection that was idle for longest if there are as many as may be; returns false if none of this thread was. */
    private boolean makeRoom() {
        if (!pools.full()) {
            return true;
        }
        UpstreamConnection oldest = null;
        for (EndpointPool known : all.values()) {
            UpstreamConnection last = known.idle.peekLast();
            if (last != null && (oldest == null || last.idleSince - oldest.idleSince < 0)) {
                oldest = last;
            }
        }
        if (oldest == null) {
            return false;
        }
        oldest.close();
        return true;
    }

    void release(UpstreamConnection connection) {
        EndpointPool pool = connection.pool;
        if (pool.gone || connection.keptNanos == 0 || pool.idle.size() >= MAX_IDLE_PER_ENDPOINT) {
            connection.close();
            return;
        }
        connection.idleSince = deadlines.now();
        pool.idle.addFirst(connection);
        ConnectQueue queue = queues.isEmpty() ? null : queues.get(connection.endpoint);
        if (queue != null) {
            queue.connectionIsIdle();
        }
        sweepLater();
    }

    /** Closes connections to all other endpoints: idle ones now, those in use when they become idle or their drain is over. */
    void retain(Set<Endpoint> endpoints, Function<Endpoint, Duration> drain) {
        keepTimes.keySet().retainAll(endpoints);
        shared.values().removeIf(Http2UpstreamPool::isEmpty);
        shared.forEach((endpoint, connections) -> {
            if (!endpoints.contains(endpoint)) {
                connections.leave();
            }
        });
        for (EndpointPool known : List.copyOf(all.values())) {
            boolean stays = endpoints.contains(known.endpoint);
            if (stays && known.gone) {
                known.restore();
            } else if (!stays && !known.gone) {
                known.leave(drain.apply(known.endpoint));
            }
        }
    }

    private void sweepLater() {
        if (!sweeping) {
            sweeping = true;
            loop.thread().executeAfter(this::closeLongIdle, MAX_IDLE_NANOS, TimeUnit.NANOSECONDS);
        }
    }

    private void closeLongIdle() {
        sweeping = false;
        long now = deadlines.now();
        for (EndpointPool known : List.copyOf(all.values())) {
            Deque<UpstreamConnection> idle = known.idle;
            while (!idle.isEmpty() && now - idle.getLast().idleSince >= MAX_IDLE_NANOS) {
                idle.getLast().close();
            }
        }
        if (!all.isEmpty()) {
            sweepLater();
        }
    }
}
