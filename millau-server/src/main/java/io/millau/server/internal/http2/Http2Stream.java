package io.millau.server.internal.http2;

import java.net.SocketAddress;
import org.xnio.StreamConnection;

/**
 * A stream of an HTTP/2 connection (RFC 9113, 5). Its user takes it for a connection of its own, with a source to read from and a
 * sink to write to. For the connection's I/O thread alone.
 */
public abstract class Http2Stream extends StreamConnection {

    private final StreamConnection socket;
    private final StreamNotifier notifier;
    private boolean closed;

    /** Whether it is about to be notified; for the notifier. */
    boolean notifying;

    protected Http2Stream(StreamConnection socket, StreamNotifier notifier) {
        super(socket.getIoThread());
        this.socket = socket;
        this.notifier = notifier;
    }

    public abstract StreamSource source();

    public abstract StreamSink sink();

    /** Called once, when its user closes it. */
    protected abstract void closedByUser();

    /** Whether its user has closed it. */
    public final boolean closed() {
        return closed;
    }

    /** Notifies its user if there is something to read, or room to write. */
    protected void tell() {
        if (!closed) {
            source().tell();
        }
        if (!closed) {
            sink().tell();
        }
        if (!closed && source().isAwaited()) {
            notifier.tellLater(this);
        }
        if (!closed && sink().isWriteResumed()) {
            notifier.block(this);
        }
    }

    @Override
    public final SocketAddress getPeerAddress() {
        return socket.getPeerAddress();
    }

    @Override
    public final SocketAddress getLocalAddress() {
        return socket.getLocalAddress();
    }

    @Override
    protected final void notifyReadClosed() {
        source().terminateReads();
    }

    @Override
    protected final void notifyWriteClosed() {
        sink().suspendWrites();
    }

    @Override
    protected final void closeAction() {
        if (!closed) {
            closed = true;
            closedByUser();
        }
    }
}
