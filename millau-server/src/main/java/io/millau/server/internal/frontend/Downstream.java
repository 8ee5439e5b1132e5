package io.millau.server.internal.frontend;

import io.millau.core.Request;
import io.millau.core.internal.LogText;
import io.millau.server.internal.http.AskedNames;
import io.millau.server.internal.http.HopByHop;
import io.millau.server.internal.tls.ClientIdentity;
import io.millau.server.internal.tls.TlsConnection;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpContinue;
import io.undertow.server.protocol.http.HttpServerConnection;
import io.undertow.util.AttachmentKey;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.ChannelListener;
import org.xnio.IoUtils;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;

/** The client's side of a request, where HTTP/1.1 and HTTP/2 differ. For the request's I/O thread alone. */
public abstract class Downstream implements Request {

    private static final Logger LOG = LoggerFactory.getLogger(Downstream.class);

    private static final AttachmentKey<RequestChanges> CHANGES = AttachmentKey.create(RequestChanges.class);

    public final HttpServerExchange exchange;
    private final RequestId requestId;
    private final boolean expectsContinue;
    private final @Nullable Forwarding forwarding;
    private @Nullable RequestChanges changes;
    private @Nullable Map<String, Object> attributes;

    private Downstream(HttpServerExchange exchange) {
        this.exchange = exchange;
        this.requestId = RequestId.of(exchange.getRequestHeaders());
        this.forwarding = Forwarding.of(exchange);
        this.changes = exchange.getAttachment(CHANGES);
        this.expectsContinue = !exchange.isRequestComplete() && HttpContinue.requiresContinueResponse(exchange);
    }

    public static Downstream of(HttpServerExchange exchange) {
        return exchange.getConnection() instanceof HttpServerConnection connection
                ? new OverHttp1(exchange, connection)
                : new OverHttp2(exchange, (StreamServerConnection) exchange.getConnection());
    }

    /** Changes that an application in front wants of the response to an exchange. */
    public static void begin(HttpServerExchange exchange, RequestChanges changes) {
        exchange.putAttachment(CHANGES, changes);
    }

    /** Called once, when the client has gone away. */
    public interface Watcher {
        void downstreamLost();
    }

    /** Watches whether the client goes away. Has an effect only after all of the request was read. */
    public abstract void watch(Watcher watcher);

    /** The client's connection, if a response with a known length can be written to it directly; otherwise null. */
    public abstract @Nullable StreamSinkChannel directChannel();

    public final RequestId requestId() {
        return requestId;
    }

    @Override
    public final String id() {
        return requestId.toString();
    }

    /** What proxies in front say of the client; null if nothing was said, or nobody is believed. */
    public final @Nullable Forwarding forwarding() {
        return forwarding;
    }

    @Override
    public final String address() {
        return forwarding == null ? peer() : forwarding.client();
    }

    /** What filters changed; null if nothing. */
    public final @Nullable RequestChanges changes() {
        return changes;
    }

    /** What filters change, to change more. */
    public final RequestChanges change() {
        RequestChanges known = changes;
        if (known == null) {
            known = new RequestChanges();
            changes = known;
        }
        return known;
    }

    /** Whether filters want to change the response. */
    public final boolean changesResponse() {
        return changes != null && !changes.ofResponse().isEmpty();
    }

    /** Replaces what filters changed. */
    public final void resetChanges(@Nullable RequestChanges to) {
        changes = to;
    }

    @Override
    public final @Nullable Object attribute(String key) {
        return attributes == null ? null : attributes.get(key);
    }

    public final void setAttribute(String key, Object value) {
        if (attributes == null) {
            attributes = new HashMap<>();
        }
        attributes.put(key, value);
    }

    /** The host that decides on the service: the client's, unless a filter changed it. */
    public final String routedHost() {
        return changes == null || changes.host() == null ? host() : changes.host();
    }

    /** The path that decides on the service: the client's, unless a filter changed it. */
    public final String routedPath() {
        return changes == null || changes.path() == null ? exchange.getRequestPath() : changes.path();
    }

    /** The address of the other end of the connection, without its port. */
    abstract String peer();

    @Override
    public final String method() {
        return exchange.getRequestMethod().toString();
    }

    @Override
    public final String host() {
        return hostOf(exchange);
    }

    /** The value of the Host header; empty if there is none. */
    public static String hostOf(HttpServerExchange exchange) {
        String host = exchange.getRequestHeaders().getFirst(Headers.HOST);
        return host == null ? "" : host;
    }

    @Override
    public final String path() {
        return exchange.getRequestPath();
    }

    @Override
    public final String protocol() {
        return exchange.getProtocol().toString();
    }

    @Override
    public final @Nullable String header(String name) {
        return AskedNames.first(exchange.getRequestHeaders(), name);
    }

    @Override
    public final @Nullable String tlsVersion() {
        return connectionOf(exchange) instanceof TlsConnection tls ? tls.version() : null;
    }

    /** The identity of the client, if it had to present a certificate in the TLS handshake; otherwise null. */
    public static @Nullable ClientIdentity provedBy(HttpServerExchange exchange) {
        return connectionOf(exchange) instanceof TlsConnection tls ? tls.client() : null;
    }

    /** The client's connection, which several requests may share. */
    static StreamConnection connectionOf(HttpServerExchange exchange) {
        return exchange.getConnection() instanceof HttpServerConnection connection
                ? connection.getChannel()
                : ((StreamServerConnection) exchange.getConnection())
                        .stream().connection().socket();
    }

    /**
     * The protocol that the client asks to upgrade to, WebSocket for instance. Null for no upgrade, for HTTP/2, and for a request
     * with a body.
     */
    public abstract @Nullable String upgrade();

    /** The status that the client gets for a response with this one. */
    public int statusFor(int status) {
        return status;
    }

    /** Stops watching the client, since the connection is handed over. */
    public abstract void unwatch();

    /** Passes a 1xx response on to the client, if that is possible with its protocol. */
    public abstract void sendInterim(int status, @Nullable String reason, HeaderMap headers);

    /** Sends {@code 100 Continue}, once, if the client waits for it. */
    public abstract void sendContinue();

    /** Ends the connection or stream in such a way that the client can't mistake it for the end of a response. */
    public abstract void abort();

    /** Counts a request that began; returns whether it is the only one of its connection. */
    public abstract boolean enter();

    /** Counts a request that ended; returns whether it was the last one of its connection. */
    public abstract boolean leave();

    /** Whether the client waits for {@code 100 Continue} before it sends its body. */
    public final boolean waitsForContinue() {
        return expectsContinue && !HttpContinue.isContinueResponseSent(exchange);
    }

    /**
     * Makes the connection end with the response if the client still waits for {@code 100 Continue}: it may send the body or its
     * next request, and these can't be told apart.
     */
    public final void endConnectionIfBodyIsUncertain() {
        if (!exchange.isRequestComplete() && waitsForContinue()) {
            exchange.setPersistent(false);
        }
    }

    private static final class OverHttp1 extends Downstream implements ChannelListener<ConduitStreamSourceChannel> {
        private final HttpServerConnection connection;
        private @Nullable Watcher watcher;
        private boolean interimCut;

        OverHttp1(HttpServerExchange exchange, HttpServerConnection connection) {
            super(exchange);
            this.connection = connection;
        }

        /**
         * Keeps the read interest of the socket, to notice the end of the connection. This also saves two system calls for each
         * request. If the next request arrives instead, it waits until the current one has ended.
         */
        @Override
        public void watch(Watcher watcher) {
            if (!exchange.isRequestComplete() || connection.getExtraBytes() != null) {
                return;
            }
            ConduitStreamSourceChannel source = connection.getChannel().getSourceChannel();
            source.setConduit(connection.getOriginalSourceConduit());
            this.watcher = watcher;
            source.setReadListener(this);
            source.resumeReads();
        }

        /** Reads the next request into the buffer that Undertow will read it from; the rest of it stays in the socket. */
        @Override
        public void handleEvent(ConduitStreamSourceChannel source) {
            PooledByteBuffer early = connection.getExtraBytes();
            PooledByteBuffer pooled =
                    early == null ? connection.getByteBufferPool().allocate() : early;
            ByteBuffer buffer = pooled.getBuffer();
            if (early != null) {
                buffer.compact();
            }
            buffer.limit(buffer.capacity() - ReceivedHead.MAX_PLAIN_BYTES);
            int count;
            try {
                count = source.read(buffer);
            } catch (IOException e) {
                LOG.debug("Client is gone request={} reason={}", id(), LogText.later(e::toString));
                count = -1;
            }
            boolean full = !buffer.hasRemaining();
            buffer.flip();
            if (buffer.hasRemaining()) {
                connection.setExtraBytes(pooled);
            } else {
                pooled.close();
            }
            if (count < 0 || full) {
                source.suspendReads();
            }
            if (count < 0 && watcher != null) {
                watcher.downstreamLost();
                freeEarly();
            }
        }

        private void freeEarly() {
            PooledByteBuffer early = connection.getExtraBytes();
            if (early != null && !connection.isOpen()) {
                connection.setExtraBytes(null);
                early.close();
            }
        }

        @Override
        @Nullable
        public StreamSinkChannel directChannel() {
            boolean fits = exchange.isHttp11() && exchange.isPersistent() && exchange.isRequestComplete();
            return fits ? connection.getChannel().getSinkChannel() : null;
        }

        @Override
        String peer() {
            return DownstreamConnection.of(connection).address();
        }

        @Override
        public @Nullable String upgrade() {
            String upgrade = exchange.getRequestHeaders().getFirst(Headers.UPGRADE);
            boolean wanted = upgrade != null
                    && exchange.isHttp11()
                    && exchange.isRequestComplete()
                    && HopByHop.hasToken(exchange.getRequestHeaders().getFirst(Headers.CONNECTION), "upgrade")
                    && !HopByHop.hasToken(upgrade, "h2c")
                    && !HopByHop.hasToken(upgrade, "h2");
            return wanted ? upgrade : null;
        }

        @Override
        public void unwatch() {
            ConduitStreamSourceChannel source = connection.getChannel().getSourceChannel();
            source.setReadListener(null);
            source.suspendReads();
        }

        /** Writes the head (RFC 9110, 15.2) to the connection itself, since Undertow can't send interim responses. */
        @Override
        public void sendInterim(int status, @Nullable String reason, HeaderMap headers) {
            if (status == StatusCodes.CONTINUE) {
                sendContinue();
            } else if (exchange.isHttp11()) {
                StringBuilder head = new StringBuilder("HTTP/1.1 " + status + " "
                        + (reason == null ? StatusCodes.getReason(status) : reason) + "\r\n");
                for (HeaderValues values : headers) {
                    for (String value : values) {
                        head.append(values.getHeaderName())
                                .append(": ")
                                .append(value)
                                .append("\r\n");
                    }
                }
                write(head.append("\r\n").toString());
            }
        }

        @Override
        public void sendContinue() {
            if (waitsForContinue()) {
                HttpContinue.markContinueResponseSent(exchange);
                write("HTTP/1.1 100 Continue\r\n\r\n");
            }
        }

        private void write(String head) {
            ByteBuffer bytes = ByteBuffer.wrap(head.getBytes(StandardCharsets.ISO_8859_1));
            try {
                if (!interimCut) {
                    connection.getOriginalSinkConduit().write(bytes);
                }
            } catch (IOException e) {
                LOG.debug("Client can't be written to request={} reason={}", id(), LogText.later(e::toString));
            }
            if (bytes.hasRemaining() && !interimCut) {
                // The client does not read: the response can't follow an incomplete interim head.
                interimCut = true;
                abort();
            }
        }

        /** With a reset if the end of the connection would be the end of the response, for HTTP/1.0. */
        @Override
        public void abort() {
            if (exchange.isHttp10() && !exchange.getResponseHeaders().contains(Headers.CONTENT_LENGTH)) {
                try {
                    connection.getChannel().setOption(Options.CLOSE_ABORT, true);
                } catch (IOException e) {
                    LOG.debug("Client is gone request={} reason={}", id(), LogText.later(e::toString));
                }
            }
            IoUtils.safeClose(connection);
        }

        @Override
        public boolean enter() {
            return true;
        }

        @Override
        public boolean leave() {
            if (!exchange.isRequestComplete()) {
                DownstreamConnection.of(connection).dropsRest();
            }
            return true;
        }
    }

    private static final class OverHttp2 extends Downstream {

        private final DownstreamStream stream;

        OverHttp2(HttpServerExchange exchange, StreamServerConnection connection) {
            super(exchange);
            this.stream = connection.stream();
        }

        @Override
        String peer() {
            return stream.connection().address();
        }

        @Override
        public @Nullable String upgrade() {
            return stream.isWebSocket() ? exchange.getRequestHeaders().getFirst(Headers.UPGRADE) : null;
        }

        /** For a client that wants a WebSocket, any {@code 2xx} means that it was accepted (RFC 8441, 5). */
        @Override
        public int statusFor(int status) {
            return stream.isWebSocket() && status / 100 == 2 ? StatusCodes.BAD_GATEWAY : status;
        }

        @Override
        @Nullable
        public StreamSinkChannel directChannel() {
            return null;
        }

        @Override
        public void watch(Watcher watcher) {
            stream.watch(watcher);
        }

        @Override
        public void unwatch() {
            stream.watch(null);
        }

        @Override
        public void sendInterim(int status, @Nullable String reason, HeaderMap headers) {
            if (status == StatusCodes.CONTINUE) {
                sendContinue();
            } else {
                interim(status, headers);
            }
        }

        @Override
        public void sendContinue() {
            if (waitsForContinue()) {
                HttpContinue.markContinueResponseSent(exchange);
                interim(StatusCodes.CONTINUE, new HeaderMap());
            }
        }

        private void interim(int status, HeaderMap headers) {
            try {
                stream.sink().interim(status, headers);
            } catch (IOException e) {
                LOG.debug("Client can't be written to request={} reason={}", id(), LogText.later(e::toString));
            }
        }

        /** Resets the stream alone. */
        @Override
        public void abort() {
            IoUtils.safeClose(stream);
        }

        @Override
        public boolean enter() {
            return stream.connection().enter();
        }

        @Override
        public boolean leave() {
            return stream.connection().leave();
        }
    }
}
