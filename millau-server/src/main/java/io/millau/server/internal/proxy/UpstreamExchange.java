package io.millau.server.internal.proxy;

import io.millau.core.Endpoint;
import io.millau.core.Outcome;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.http.ResponseHead;
import io.millau.server.internal.upstream.StreamException;
import io.millau.server.internal.upstream.UpstreamConnection;
import io.millau.server.internal.upstream.UpstreamPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.util.HeaderMap;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The exchange with the endpoint of the current attempt: sends the request and reads the head of the response. Holds the
 * connection until the response was read, then gives it back to the pool or closes it. For the request's I/O thread alone.
 */
final class UpstreamExchange implements UpstreamPool.ConnectListener, UpstreamConnection.User, Runnable {

    private final ProxiedRequest request;
    private final Downstream downstream;
    private final ProxyThread thread;
    private final RequestReport report;

    /** The protocol that the client asks to upgrade to; null for none, or if it may not upgrade. */
    private final @Nullable String upgrade;

    private UpstreamPool.@Nullable Connecting connecting;
    private @Nullable UpstreamConnection connection;

    /** Whether the request can be retried if the endpoint has closed a kept connection. */
    private boolean retryable;

    /** Whether the request is to be sent over the connection once everybody was read. */
    private boolean waitsToSend;

    /** Whether the head of the response is to be interpreted, and the response passed on, once everybody was read. */
    private boolean waitsToInterpret;

    /** The part of the request's head that is not written to the socket yet. */
    private @Nullable ByteBuffer unsentHead;

    /** The beginning of the response, while its head is not complete. */
    private @Nullable PooledByteBuffer partialHead;

    UpstreamExchange(ProxiedRequest request, Downstream downstream, RequestReport report, ProxyThread thread) {
        this.request = request;
        this.downstream = downstream;
        this.report = report;
        this.thread = thread;
        this.upgrade = downstream.upgrade();
    }

    /** Whether the client asks to upgrade to another protocol, and may do so. */
    boolean wantsUpgrade() {
        return upgrade != null;
    }

    /**
     * Sends the request over a kept connection, or over a new one when it is open.
     *
     * @param needsNew whether no kept connection may be used
     * @param retryable whether the request can be retried if a kept connection turns out to be closed
     */
    void begin(Endpoint endpoint, boolean needsNew, boolean retryable) {
        this.retryable = retryable;
        UpstreamConnection kept = needsNew ? null : thread.upstream.idle(endpoint, retryable);
        RequestLog.attempt(downstream, report, endpoint, kept == null);
        if (kept != null) {
            use(kept);
            waitsToSend = true;
            thread.loop.afterReads(this);
        } else {
            connecting = thread.upstream.connectInTurn(endpoint, needsNew, retryable, this);
        }
    }

    @Override
    public void notConnected(IOException failure) {
        connectEnded();
        try {
            request.notConnected(failure);
        } catch (RuntimeException e) {
            request.internalError(e);
        }
    }

    @Override
    public void connected(UpstreamConnection opened) {
        connectEnded();
        use(opened);
        sendOver(opened);
    }

    private void use(UpstreamConnection opened) {
        connection = opened;
        opened.use(this);
    }

    /** Does what had to wait for others to be read; nothing if it was done, or if the attempt has ended. */
    @Override
    public void run() {
        UpstreamConnection current = connection;
        if (current == null) {
            return;
        }
        try {
            if (waitsToSend) {
                waitsToSend = false;
                sendOver(current);
            } else if (waitsToInterpret) {
                interpretWaiting(current);
            }
        } catch (IOException | RuntimeException | Error e) {
            upstreamFailed(e);
        }
    }

    private void connectEnded() {
        report.connectEnded(thread.loop.deadlines.now(), connecting == null ? 0 : connecting.waitedNanos());
        connecting = null;
    }

    private void sendOver(UpstreamConnection connection) {
        try {
            request.connected();
            send(connection);
        } catch (RequestHead.UnfitException e) {
            request.cannotForward(e);
        } catch (RuntimeException e) {
            request.internalError(e);
        }
    }

    private void send(UpstreamConnection connection) throws RequestHead.UnfitException {
        RequestBody body = request.body();
        thread.requestHead.write(downstream, body != null && body.chunked(), upgrade);
        if (body != null) {
            body.send(thread.requestHead, connection);
        } else {
            sendHead(connection);
        }
    }

    private void sendHead(UpstreamConnection connection) {
        ByteBuffer head = thread.headBuffer.clear();
        head.put(thread.requestHead.bytes(), 0, thread.requestHead.length()).flip();
        try {
            connection.sink.write(head);
        } catch (IOException e) {
            sendFailed();
            return;
        }
        if (head.hasRemaining()) {
            unsentHead = ByteBuffer.allocate(head.remaining()).put(head).flip();
            connection.sink.resumeWrites();
        }
    }

    @Override
    public void upstreamWritable() throws IOException {
        RequestBody body = request.body();
        if (body != null) {
            body.pump();
            if (body.sent()) {
                releaseIfDone();
            }
        } else if (unsentHead != null && connection != null) {
            connection.sink.write(unsentHead);
            if (!unsentHead.hasRemaining()) {
                unsentHead = null;
                connection.sink.suspendWrites();
            }
        }
    }

    /**
     * Called when writing to the endpoint failed. The endpoint may have responded before it closed; then the response counts.
     */
    void sendFailed() {
        if (!request.awaitsResponse()) {
            return;
        }
        try {
            upstreamReadable();
        } catch (IOException | RuntimeException e) {
            upstreamFailed(e);
        }
    }

    @Override
    public void upstreamReadable() throws IOException {
        if (connection != null && waitsToSend) {
            endIfClosed(connection);
            return;
        }
        if (connection != null && waitsToInterpret) {
            interpretWaiting(connection);
        }
        ResponseRelay relay = request.relay();
        if (relay != null) {
            relay.upstreamReadable();
        } else if (request.awaitsResponse() && connection != null) {
            readHead(connection);
        }
    }

    /** Takes another connection if the endpoint has closed the kept one. */
    private void endIfClosed(UpstreamConnection kept) {
        if (kept.endIfClosed()) {
            connection = null;
            waitsToSend = false;
            begin(kept.endpoint, false, retryable);
        }
    }

    private void readHead(UpstreamConnection connection) throws IOException {
        boolean first = partialHead == null;
        PooledByteBuffer pooled = partialHead == null ? thread.loop.buffers.allocate() : partialHead;
        partialHead = pooled;
        ByteBuffer buffer = pooled.getBuffer();
        int count;
        try {
            buffer.limit(Math.min(buffer.capacity(), buffer.position() + thread.loop.readBytes()));
            count = connection.source.read(buffer);
        } catch (StreamException e) {
            request.attemptFailed(e.outcome(), e);
            return;
        } catch (IOException e) {
            request.attemptFailed(closedEarly(connection, first), e);
            return;
        }
        if (count <= 0 && first) {
            freePartialHead();
        }
        if (count < 0) {
            request.attemptFailed(
                    closedEarly(connection, first), new IOException("connection closed before the response"));
        } else if (count > 0) {
            buffer.flip();
            partialHead = thread.loop.toSmall(pooled); // many may wait
            waitsToInterpret = true;
            thread.loop.afterReads(this);
        }
    }

    private void interpretWaiting(UpstreamConnection connection) throws IOException {
        waitsToInterpret = false;
        if (partialHead != null && request.awaitsResponse()) {
            interpret(connection, partialHead);
        }
    }

    /**
     * The outcome of an attempt whose connection closed before the response. A kept connection on which nothing was received
     * was probably closed before the request arrived (RFC 9112, 9.3.1).
     */
    private Outcome closedEarly(UpstreamConnection connection, boolean nothingReceived) {
        if (!nothingReceived || !connection.reused()) {
            return Outcome.BROKEN;
        }
        thread.upstream.closedByEndpoint(connection);
        return Outcome.STALE_CONNECTION;
    }

    private void interpret(UpstreamConnection connection, PooledByteBuffer pooled) throws IOException {
        ByteBuffer buffer = pooled.getBuffer();
        ResponseHead head = thread.responseHead;
        while (head.read(buffer)) {
            if (head.status() == 101) {
                request.switchProtocols(connection, enlarge(pooled));
                return;
            }
            if (head.status() >= 200) {
                partialHead = null; // from now on it is freed by the response's body
                request.relay(connection, pooled);
                return;
            }
            HeaderMap headers = new HeaderMap();
            head.copyTo(headers);
            downstream.sendInterim(head.status(), head.reason(), headers);
        }
        enlarge(pooled).getBuffer().compact();
    }

    private PooledByteBuffer enlarge(PooledByteBuffer pooled) {
        PooledByteBuffer large = thread.loop.toLarge(pooled);
        partialHead = large;
        return large;
    }

    /** Gives the connection back when request and response have passed over it, even if the client is slow to read. */
    void releaseIfDone() {
        UpstreamConnection used = connection;
        ResponseRelay relay = request.relay();
        if (used == null || relay == null || !relay.responseRead()) {
            return;
        }
        RequestBody body = request.body();
        if (body != null && !body.sent()) {
            used.source
                    .suspendReads(); // nothing is read any more, and an end of the stream would be reported repeatedly
            return;
        }
        connection = null;
        if (relay.keepsConnection() && unsentHead == null) {
            used.release();
        } else {
            used.close();
        }
    }

    /** Gives the connection back after a response that nobody needs, if the whole request has passed over it. */
    void keep(UpstreamConnection used) {
        RequestBody body = request.body();
        if (used == connection && unsentHead == null && (body == null || body.sent())) {
            connection = null;
            used.keptFor(thread.responseHead.keepAliveSeconds());
            used.release();
        }
    }

    /** Hands the connection, and the bytes read after the head, over to a tunnel. */
    void handOver() {
        partialHead = null;
        connection = null;
    }

    /** Ends the attempt: cancels connecting, or closes the connection unless it was given back. */
    void close() {
        if (connecting != null) {
            connecting.cancel();
            connecting = null;
        }
        waitsToSend = false;
        freePartialHead();
        unsentHead = null;
        if (connection != null) {
            connection.close();
            connection = null;
        }
    }

    private void freePartialHead() {
        waitsToInterpret = false;
        if (partialHead != null) {
            partialHead.close();
            partialHead = null;
        }
    }

    @Override
    public void upstreamFailed(Throwable failure) {
        if (failure instanceof IOException broken) {
            request.upstreamBroken(broken);
        } else {
            request.internalError(failure);
        }
    }

    @Override
    public void endpointRemoved() {
        run();
        request.endpointRemoved();
    }
}
