package io.millau.server.internal.frontend;

import io.millau.server.internal.io.Buffers;
import io.undertow.server.AbstractServerConnection;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.HttpUpgradeListener;
import io.undertow.server.SSLSessionInfo;
import org.jspecify.annotations.Nullable;
import org.xnio.StreamConnection;
import org.xnio.conduits.StreamSinkConduit;

/** Undertow's view of a stream of HTTP/2: a connection that carries one exchange. For its I/O thread alone. */
final class StreamServerConnection extends AbstractServerConnection {

    private final DownstreamStream stream;
    private @Nullable HttpUpgradeListener upgrade;

    StreamServerConnection(DownstreamStream stream, DownstreamHttp2Connections context) {
        super(stream, context.buffers(), context.handler(), context.options(), Buffers.CLIENT_BYTES);
        this.stream = stream;
    }

    void begin(HttpServerExchange exchange) {
        current = exchange;
    }

    DownstreamStream stream() {
        return stream;
    }

    @Override
    protected StreamSinkConduit getSinkConduit(HttpServerExchange exchange, StreamSinkConduit conduit) {
        return conduit;
    }

    /** The rest of the request is not needed; the client is told after the response. */
    @Override
    public void terminateRequestChannel(HttpServerExchange exchange) {
        new IoThread(getIoThread()).run(stream::discardRequest); // an application may end it from another thread
    }

    @Override
    protected void exchangeComplete(HttpServerExchange exchange) {
        if (upgrade != null && exchange.isUpgrade() && stream.isOpen()) {
            upgrade.handleUpgrade(upgradeChannel(), exchange);
        }
    }

    @Override
    protected StreamConnection upgradeChannel() {
        clearChannel();
        return stream;
    }

    @Override
    protected boolean isUpgradeSupported() {
        return stream.isWebSocket();
    }

    @Override
    protected void setUpgradeListener(HttpUpgradeListener listener) {
        upgrade = listener;
    }

    @Override
    protected boolean isConnectSupported() {
        return false;
    }

    @Override
    protected void setConnectListener(HttpUpgradeListener listener) {
        throw new UnsupportedOperationException("CONNECT is not implemented");
    }

    @Override
    public boolean isContinueResponseSupported() {
        return true;
    }

    @Override
    public HttpServerExchange sendOutOfBandResponse(HttpServerExchange exchange) {
        throw new UnsupportedOperationException("interim responses are sent by the stream");
    }

    @Override
    public @Nullable SSLSessionInfo getSslSessionInfo() {
        return null;
    }

    @Override
    public void setSslSessionInfo(SSLSessionInfo sessionInfo) {
        throw new UnsupportedOperationException("the connection has its own");
    }

    @Override
    public String getTransportProtocol() {
        return "h2";
    }

    @Override
    public boolean isRequestTrailerFieldsSupported() {
        return true;
    }
}
