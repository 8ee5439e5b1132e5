package io.millau.server.internal.upstream;

import io.millau.core.Endpoint;
import io.millau.server.internal.io.Deadlines;
import java.io.IOException;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;

/**
 * The requests of one I/O thread that need a connection to an endpoint while none is idle. Some of them connect at the same time;
 * the others wait, in order, for a connection that becomes idle, or for their turn to connect. Where each of thousands had a
 * connection of its own, opening and closing them would leave no time for the requests. For that thread alone.
 */
final class ConnectQueue {

    /** How many connect at the same time. */
    static final int MAX_CONNECTING = 64;

    private static final long MAX_WAIT_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final Endpoint endpoint;
    private final UpstreamPool pool;
    private final Deadlines deadlines;
    private final Executor thread;
    private final Set<Entry> waiting = new LinkedHashSet<>();
    private int connecting;
    private boolean servesSoon;

    /** @param thread runs tasks on the I/O thread */
    ConnectQueue(Endpoint endpoint, UpstreamPool pool, Deadlines deadlines, Executor thread) {
        this.endpoint = endpoint;
        this.pool = pool;
        this.deadlines = deadlines;
        this.thread = thread;
    }

    /** Whether somebody waits. */
    boolean isWaiting() {
        return !waiting.isEmpty();
    }

    /** See {@link UpstreamPool#connectInTurn}. */
    UpstreamPool.Connecting add(boolean needsNew, boolean retryable, UpstreamPool.ConnectListener listener) {
        Entry entry = new Entry(needsNew, retryable, listener);
        if (connecting < MAX_CONNECTING && waiting.isEmpty()) {
            entry.connect();
        } else {
            waiting.add(entry);
            entry.waitsSince = deadlines.now();
            deadlines.set(entry, MAX_WAIT_NANOS);
        }
        return entry;
    }

    /** Called when a connection has become idle. */
    void connectionIsIdle() {
        if (!servesSoon && isWaiting()) {
            servesSoon = true;
            thread.execute(this::serve); // whoever gave the connection back comes to its end first
        }
    }

    private void serve() {
        servesSoon = false;
        Entry next = firstForUsed();
        while (next != null) {
            UpstreamConnection idle = pool.takeIdle(endpoint, next.retryable);
            if (idle == null) {
                return;
            }
            next.stopWaiting();
            next.listener.connected(idle);
            next = firstForUsed();
        }
    }

    private @Nullable Entry firstForUsed() {
        for (Entry entry : waiting) {
            if (!entry.needsNew) {
                return entry;
            }
        }
        return null;
    }

    /** Called when an attempt to connect has ended. */
    private void connectMore() {
        connecting--;
        Iterator<Entry> next = waiting.iterator();
        if (connecting < MAX_CONNECTING && next.hasNext()) {
            Entry entry = next.next();
            entry.stopWaiting();
            entry.connect();
        }
        if (connecting == 0 && waiting.isEmpty()) {
            pool.forget(endpoint, this);
        }
    }

    /** What one can't connect to the others can't either. */
    private void failAll(IOException failure) {
        for (Entry entry : List.copyOf(waiting)) {
            if (waiting.contains(entry)) {
                entry.stopWaiting();
                entry.listener.notConnected(failure);
            }
        }
    }

    private final class Entry extends Deadlines.Deadline implements UpstreamPool.Connecting, UpstreamPool.OpenListener {
        private final boolean needsNew;
        private final boolean retryable;
        private final UpstreamPool.ConnectListener listener;
        private UpstreamPool.@Nullable Connecting attempt;
        private boolean over;
        private long waitsSince;
        private long waitedNanos;

        Entry(boolean needsNew, boolean retryable, UpstreamPool.ConnectListener listener) {
            this.needsNew = needsNew;
            this.retryable = retryable;
            this.listener = listener;
        }

        void connect() {
            connecting++;
            attempt = pool.open(endpoint, this);
        }

        void stopWaiting() {
            waiting.remove(this);
            deadlines.cancel(this);
            waitedNanos = deadlines.now() - waitsSince;
        }

        @Override
        public long waitedNanos() {
            return waitedNanos;
        }

        @Override
        public void open(StreamConnection channel) {
            over = true;
            listener.connected(pool.opened(endpoint, channel));
            connectMore();
        }

        @Override
        public void notOpen(IOException failure) {
            over = true;
            listener.notConnected(failure);
            failAll(failure);
            connectMore();
        }

        @Override
        public void cancel() {
            if (over) {
                return;
            }
            over = true;
            if (attempt != null) {
                attempt.cancel();
                connectMore();
            } else {
                stopWaiting();
            }
        }

        /** It has waited for too long. */
        @Override
        public void passed() {
            stopWaiting();
            listener.notConnected(new OverloadedException("no connection to " + endpoint + " after "
                    + TimeUnit.NANOSECONDS.toSeconds(MAX_WAIT_NANOS) + " s, since too many requests need one"));
        }
    }
}
