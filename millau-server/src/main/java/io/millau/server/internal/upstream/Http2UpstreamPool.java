package io.millau.server.internal.upstream;

import io.millau.core.Endpoint;
import io.millau.server.internal.io.EventLoop;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;

/**
 * The HTTP/2 connections of one I/O thread to one endpoint, each shared by as many requests as the endpoint allows at once
 * (RFC 9113, 5.1.2), and the requests that wait for one. For that thread alone.
 */
final class Http2UpstreamPool {

    /** The number of concurrent requests expected of the first connection (the minimum that RFC 9113, 6.5.2, recommends). */
    private static final int USUAL_STREAMS = 100;

    private final Endpoint endpoint;
    private final UpstreamPool upstream;
    private final EventLoop loop;

    /** The connections that accept requests. */
    private final Set<Http2UpstreamConnection> usable = new LinkedHashSet<>();

    private final Set<Waiting> waiting = new LinkedHashSet<>();
    private int opening;
    private int streamsExpected = USUAL_STREAMS;

    Http2UpstreamPool(Endpoint endpoint, UpstreamPool upstream, EventLoop loop) {
        this.endpoint = endpoint;
        this.upstream = upstream;
        this.loop = loop;
    }

    /** A request that waits for a connection. */
    private final class Waiting implements UpstreamPool.Connecting {
        private final UpstreamPool.ConnectListener listener;

        Waiting(UpstreamPool.ConnectListener listener) {
            this.listener = listener;
        }

        @Override
        public void cancel() {
            waiting.remove(this);
        }
    }

    /** Opens a stream of an existing connection; null if none accepts another request. */
    @Nullable
    UpstreamConnection stream() {
        for (Http2UpstreamConnection connection : usable) {
            if (connection.takesRequest()) {
                return upstream.opened(endpoint, connection.newStream());
            }
        }
        return null;
    }

    /** Gets a stream, of a new connection if none accepts another request. */
    UpstreamPool.Connecting connect(UpstreamPool.ConnectListener listener) {
        Waiting request = new Waiting(listener);
        waiting.add(request);
        if (usable.stream().anyMatch(Http2UpstreamConnection::takesRequest)) {
            loop.execute(this::serve);
        } else {
            openWhatIsMissing();
        }
        return request;
    }

    private void openWhatIsMissing() {
        if ((long) opening * streamsExpected < waiting.size()) {
            opening++;
            upstream.open(endpoint, new UpstreamPool.OpenListener() {
                @Override
                public void open(StreamConnection socket) {
                    new Http2UpstreamConnection(socket, loop, Http2UpstreamPool.this).begin();
                }

                @Override
                public void notOpen(IOException failure) {
                    notReady(failure);
                }
            });
        }
    }

    /** Called when a connection has received the endpoint's settings. */
    void ready(Http2UpstreamConnection connection) {
        opening--;
        streamsExpected = connection.maxStreams();
        usable.add(connection);
        serve();
    }

    void notReady(IOException failure) {
        opening--;
        if (opening > 0) {
            return;
        }
        for (Waiting request : List.copyOf(waiting)) {
            if (waiting.remove(request)) { // a listener may cancel other requests
                request.listener.notConnected(failure);
            }
        }
    }

    private void serve() {
        while (!waiting.isEmpty()) {
            UpstreamConnection stream = stream();
            if (stream == null) {
                openWhatIsMissing();
                return;
            }
            Waiting next = waiting.iterator().next();
            waiting.remove(next);
            next.listener.connected(stream);
        }
    }

    /** Counts a connection that was opened (1) or closed (-1). */
    void count(int more) {
        upstream.countShared(endpoint, more);
    }

    /** Called when a connection accepts no more requests. */
    void ends(Http2UpstreamConnection connection) {
        usable.remove(connection);
    }

    /** Whether no service has the endpoint any more. */
    boolean removed() {
        return upstream.isRemoved(endpoint);
    }

    /** Called when the endpoint was removed: no connection accepts another request, and each closes after its last one. */
    void leave() {
        List.copyOf(usable).forEach(Http2UpstreamConnection::retire);
    }

    /** Whether this pool can be forgotten. */
    boolean isEmpty() {
        return usable.isEmpty() && waiting.isEmpty() && opening == 0;
    }

    @Override
    public String toString() {
        return endpoint.toString();
    }
}
