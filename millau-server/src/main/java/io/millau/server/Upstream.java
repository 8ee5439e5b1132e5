package io.millau.server;

import io.millau.core.Endpoint;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.ChannelListener;
import org.xnio.IoFuture;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;

/**
 * The connections of one I/O thread to endpoints. Used by that thread alone, so without locks: a request that this thread
 * accepted is answered over a connection of this thread.
 */
final class Upstream {

    private static final OptionMap SOCKET_OPTIONS = OptionMap.create(Options.TCP_NODELAY, true);

    /** A burst's connections beyond this many for an endpoint are closed when they fall idle. */
    private static final int MAX_IDLE_PER_ENDPOINT = 256;

    private static final long MAX_IDLE_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long CONNECT_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final XnioIoThread thread;
    private final Deadlines deadlines;
    private final Map<Endpoint, Idle> idle = new HashMap<>();
    private boolean sweeping;

    Upstream(XnioIoThread thread, Deadlines deadlines) {
        this.thread = thread;
        this.deadlines = deadlines;
    }

    /** An idle connection, the last used one first, so that the others can grow old and end. */
    @Nullable
    UpstreamConnection idle(Endpoint endpoint, long usedWithinNanos) {
        Idle known = idle.get(endpoint);
        UpstreamConnection latest = known == null ? null : known.connections.peekFirst();
        if (known == null
                || latest == null
                || usedWithinNanos != Long.MAX_VALUE && deadlines.now() - latest.idleSince > usedWithinNanos) {
            return null;
        }
        return known.connections.pollFirst();
    }

    /** The idle connections to one endpoint. A connection knows them, so that its end costs no search. */
    static final class Idle {
        private final Deque<UpstreamConnection> connections = new ArrayDeque<>();
        private boolean gone;
    }

    /** Told how an attempt to connect ended, on the I/O thread, once. */
    interface ConnectListener {
        void connected(UpstreamConnection connection);

        void notConnected(IOException failure);
    }

    /** Connects; gives up after a second. */
    Connecting connect(Endpoint endpoint, ConnectListener listener) {
        return new Connecting(endpoint, listener);
    }

    /** An attempt to connect that is under way. */
    final class Connecting extends Deadlines.Deadline implements ChannelListener<StreamConnection> {
        private final Endpoint endpoint;
        private final ConnectListener listener;
        private final IoFuture<StreamConnection> future;
        private boolean over;

        private Connecting(Endpoint endpoint, ConnectListener listener) {
            this.endpoint = endpoint;
            this.listener = listener;
            deadlines.set(this, CONNECT_NANOS);
            this.future = thread.openStreamConnection(endpoint.socketAddress(), this, SOCKET_OPTIONS);
            future.addNotifier(
                    (done, nothing) -> {
                        if (done.getStatus() == IoFuture.Status.FAILED) {
                            thread.execute(() -> failed(done.getException()));
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
            finish();
            Idle siblings = idle.computeIfAbsent(endpoint, e -> new Idle());
            listener.connected(new UpstreamConnection(endpoint, channel, Upstream.this, siblings));
        }

        @Override
        void passed() {
            future.cancel();
            failed(new IOException("no connection within 1 s"));
        }

        /** Nobody waits for it any more. */
        void cancel() {
            finish();
            future.cancel();
        }

        private void failed(IOException failure) {
            if (!over) {
                finish();
                listener.notConnected(failure);
            }
        }

        /** From now on nobody is told anything any more. */
        private void finish() {
            over = true;
            deadlines.cancel(this);
        }
    }

    void release(UpstreamConnection connection) {
        Idle siblings = connection.siblings;
        if (siblings.gone || siblings.connections.size() >= MAX_IDLE_PER_ENDPOINT) {
            connection.close();
            return;
        }
        connection.idleSince = deadlines.now();
        siblings.connections.addFirst(connection);
        sweepLater();
    }

    void forget(UpstreamConnection connection) {
        connection.siblings.connections.remove(connection);
    }

    /** Closes idle connections to endpoints that are gone, and those in use when they fall idle. */
    void retain(Set<Endpoint> endpoints) {
        idle.entrySet().removeIf(entry -> {
            Idle known = entry.getValue();
            known.gone = !endpoints.contains(entry.getKey());
            if (known.gone) {
                known.connections.forEach(UpstreamConnection::close);
                known.connections.clear();
            }
            return known.gone;
        });
    }

    private void sweepLater() {
        if (!sweeping) {
            sweeping = true;
            thread.executeAfter(this::closeLongIdle, MAX_IDLE_NANOS, TimeUnit.NANOSECONDS);
        }
    }

    private void closeLongIdle() {
        sweeping = false;
        long now = deadlines.now();
        for (Idle known : idle.values()) {
            Deque<UpstreamConnection> connections = known.connections;
            while (!connections.isEmpty() && now - connections.getLast().idleSince >= MAX_IDLE_NANOS) {
                connections.removeLast().close();
            }
        }
        if (!idle.isEmpty()) {
            sweepLater();
        }
    }
}
