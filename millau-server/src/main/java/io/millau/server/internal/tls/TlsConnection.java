package io.millau.server.internal.tls;

import java.io.IOException;
import java.net.SocketAddress;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;
import org.xnio.ChannelListener;
import org.xnio.IoUtils;
import org.xnio.Option;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.ssl.SslConnection;

/** A connection after its handshake; its conduits decrypt and encrypt. For the connection's I/O thread alone. */
public final class TlsConnection extends SslConnection {

    private final StreamConnection socket;
    private final SSLSession session;
    private final @Nullable String protocol;
    private final TlsThread shared;
    private final TlsSourceConduit source;
    private final TlsSinkConduit sink;
    private final @Nullable ClientIdentity client;

    /**
     * @param received the bytes received after the last message of the handshake, still encrypted
     * @param client the identity of the client; null if it needed no certificate, and for endpoints
     */
    TlsConnection(
            StreamConnection socket,
            SSLEngine engine,
            TlsThread shared,
            byte[] received,
            @Nullable ClientIdentity client) {
        super(socket.getIoThread());
        this.socket = socket;
        this.client = client;
        this.session = engine.getSession();
        this.protocol = engine.getApplicationProtocol();
        this.shared = shared;
        this.sink = new TlsSinkConduit(this, socket.getSinkChannel().getConduit(), engine, shared);
        this.source =
                new TlsSourceConduit(this, socket.getSourceChannel().getConduit(), engine, shared, received, sink);
        setSourceConduit(source);
        setSinkConduit(sink);
    }

    /** The connection that carries the records. */
    public StreamConnection socket() {
        return socket;
    }

    /** Whether this application protocol was negotiated (ALPN, RFC 7301). */
    public boolean speaks(String protocol) {
        return protocol.equals(this.protocol);
    }

    /** The negotiated version of TLS. */
    public String version() {
        return session.getProtocol();
    }

    /**
     * Whether the other side has said that it sends no more ({@code close_notify}, RFC 8446, 6.1). Without that, somebody else may
     * have ended the connection.
     */
    public boolean peerEnded() {
        return source.peerEnded();
    }

    /** The identity of the client; null if it needed no certificate, and for endpoints. */
    @Nullable
    public ClientIdentity client() {
        return client;
    }

    @Override
    public SSLSession getSslSession() {
        return session;
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
    public void startHandshake() {
        throw new UnsupportedOperationException("the handshake is over");
    }

    @Override
    public ChannelListener.Setter<SslConnection> getHandshakeSetter() {
        throw new UnsupportedOperationException("the handshake is over");
    }

    @Override
    public boolean supportsOption(Option<?> option) {
        return option == Options.SECURE || socket.supportsOption(option);
    }

    @Override
    public <T> T getOption(Option<T> option) throws IOException {
        return option == Options.SECURE ? option.cast(Boolean.TRUE) : socket.getOption(option);
    }

    @Override
    public <T> T setOption(Option<T> option, T value) throws IOException {
        return socket.setOption(option, value);
    }

    @Override
    protected boolean readClosed() {
        return super.readClosed();
    }

    @Override
    protected boolean writeClosed() {
        return super.writeClosed();
    }

    @Override
    protected void notifyReadClosed() {
        source.readTerminated();
    }

    @Override
    protected void notifyWriteClosed() {
        sink.writeTerminated();
    }

    @Override
    protected void closeAction() {
        release();
        IoUtils.safeClose(socket);
    }

    private void release() {
        if (shared.isCurrent()) {
            source.release();
            sink.release();
        } else {
            getIoThread().execute(this::release);
        }
    }
}
