package io.millau.server.internal.frontend;

import io.millau.server.internal.tls.TlsConnection;
import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;
import org.xnio.IoUtils;
import org.xnio.Option;
import org.xnio.StreamConnection;

/**
 * A connection that began with a PROXY protocol header. Its addresses are those of the header. For the connection's I/O thread
 * alone.
 */
final class AnnouncedConnection extends StreamConnection {

    private final StreamConnection socket;
    private final ProxyHeader header;

    AnnouncedConnection(StreamConnection socket, ProxyHeader header) {
        super(socket.getIoThread());
        this.socket = socket;
        this.header = header;
        setSourceConduit(socket.getSourceChannel().getConduit());
        setSinkConduit(socket.getSinkChannel().getConduit());
        socket.setCloseListener(closed -> IoUtils.safeClose(this));
    }

    /** The connection itself, or the one below TLS; null if it did not begin with a header. */
    static @Nullable AnnouncedConnection of(StreamConnection connection) {
        StreamConnection socket = connection instanceof TlsConnection tls ? tls.socket() : connection;
        return socket instanceof AnnouncedConnection announced ? announced : null;
    }

    /** The connection of a request; null if it did not begin with a header. */
    static @Nullable AnnouncedConnection of(HttpServerExchange exchange) {
        return of(Downstream.connectionOf(exchange));
    }

    /** Whether the client uses HTTPS up to the proxy that sent the header. */
    boolean isSecure() {
        return header.isSecure();
    }

    /** The port that the client connected to. */
    String port() {
        return String.valueOf(header.local().getPort());
    }

    @Override
    public SocketAddress getPeerAddress() {
        return header.peer();
    }

    @Override
    public SocketAddress getLocalAddress() {
        return header.local();
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
