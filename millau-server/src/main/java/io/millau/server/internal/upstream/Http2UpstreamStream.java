package io.millau.server.internal.upstream;

import java.net.SocketAddress;
import org.xnio.StreamConnection;

/** A stream of an HTTP/2 connection, as a connection of its own; what goes through it is its {@link Http2StreamConduit}'s. */
final class Http2UpstreamStream extends StreamConnection {

    private final StreamConnection socket;
    private final Http2StreamConduit conduit;

    Http2UpstreamStream(StreamConnection socket, Http2StreamConduit conduit) {
        super(socket.getIoThread());
        this.socket = socket;
        this.conduit = conduit;
        setSourceConduit(conduit);
        setSinkConduit(conduit);
    }

    @Override
    public SocketAddress getPeerAddress() {
        return socket.getPeerAddress();
    }

    @Override
    public SocketAddress getLocalAddress() {
        return socket.getLocalAddress();
    }

    @Override
    protected void notifyReadClosed() {
        conduit.terminateReads();
    }

    @Override
    protected void notifyWriteClosed() {
        conduit.terminateWrites();
    }

    @Override
    protected void closeAction() {
        conduit.close();
    }
}
