package io.millau.server.internal.frontend;

import io.millau.server.internal.tls.TlsConnection;
import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.Option;
import org.xnio.StreamConnection;

/**
 * A client's connection as it was accepted. If it begins with a PROXY protocol header, its addresses are those of the header. For
 * its I/O thread alone.
 *
 * <p>Whoever handles it may set its close listener: its owner hears of the end of the socket.
 */
final class AcceptedConnection extends StreamConnection {

    private final StreamConnection socket;
    private @Nullable ProxyHeader header;

    /** @param closed run once, when the socket is closed, on whichever thread closes it */
    AcceptedConnection(StreamConnection socket, Runnable closed) {
        super(socket.getIoThread());
        this.socket = socket;
        setSourceConduit(socket.getSourceChannel().getConduit());
        setSinkConduit(socket.getSinkChannel().getConduit());
        socket.setCloseListener(gone -> {
            closed.run();
            IoUtils.safeClose(this);
        });
    }

    /** The connection of a request, without TLS. */
    static AcceptedConnection of(HttpServerExchange exchange) {
        StreamConnection connection = Downstream.connectionOf(exchange);
        return (AcceptedConnection) (connection instanceof TlsConnection tls ? tls.socket() : connection);
    }

    /** The address of a socket's other end; null if it is closed already. */
    static @Nullable InetAddress peerOf(StreamConnection socket) {
        InetSocketAddress peer = socket.getPeerAddress(InetSocketAddress.class);
        return peer == null ? null : peer.getAddress();
    }

    /** Sets what the connection began with. */
    void setHeader(ProxyHeader header) {
        this.header = header;
    }

    /** The header that it began with; null if it did not. */
    @Nullable
    ProxyHeader header() {
        return header;
    }

    @Override
    public SocketAddress getPeerAddress() {
        return header == null ? socket.getPeerAddress() : header.peer();
    }

    @Override
    public SocketAddress getLocalAddress() {
        return header == null ? socket.getLocalAddress() : header.local();
    }

    @Override
    public boolean supportsOption(Option<?> option) {
        return socket.supportsOption(option);
    }

    @Override
    public <T> T getOption(Option<T> option) throws IOException {
        return socket.getOption(option);
    }

    @Override
    public <T> T setOption(Option<T> option, T value) throws IOException {
        return socket.setOption(option, value);
    }

    @Override
    protected void notifyReadClosed() {
        IoUtils.safeClose(socket.getSourceChannel());
    }

    @Override
    protected void notifyWriteClosed() {
        IoUtils.safeClose(socket.getSinkChannel());
    }

    @Override
    protected void closeAction() {
        IoUtils.safeClose(socket);
    }
}
