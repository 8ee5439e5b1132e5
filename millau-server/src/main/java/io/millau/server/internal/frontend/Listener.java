package io.millau.server.internal.frontend;

import io.millau.server.internal.io.EventLoops;
import io.millau.server.internal.text.Trust;
import io.millau.server.internal.tls.Tls;
import io.millau.server.internal.tls.TlsConnection;
import io.millau.server.internal.tls.TlsHandshake;
import io.millau.server.internal.tls.TlsThreads;
import io.undertow.UndertowOptions;
import io.undertow.connector.ByteBufferPool;
import io.undertow.server.HttpHandler;
import io.undertow.server.protocol.http.HttpOpenListener;
import io.undertow.server.protocol.http.HttpServerConnection;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;
import org.xnio.channels.AcceptingChannel;

/**
 * Listens on one address for HTTP/1.1 and HTTP/2, without TLS (h2c) or with TLS. Safe for use by several threads.
 */
public final class Listener {

    /** Bodies have no limit, since they are streamed. Heads are limited by {@link HeadReader} and {@link RequestHeaderDecoder}. */
    private static final OptionMap OPTIONS = OptionMap.builder()
            .set(UndertowOptions.MAX_ENTITY_SIZE, -1L)
            .set(UndertowOptions.MAX_HEADER_SIZE, HeadReader.MAX_SKIPPED)
            .set(UndertowOptions.ALWAYS_SET_DATE, false)
            .set(UndertowOptions.ALWAYS_SET_KEEP_ALIVE, false)
            .set(UndertowOptions.BUFFER_PIPELINED_DATA, false)
            .getMap();

    private final String scheme;
    private final Trust trust;
    private final ProxyHeaders proxyHeaders;
    private final HttpOpenListener http1;
    private final DownstreamHttp2Connections http2;
    private final AcceptingChannel<StreamConnection> server;
    private final ClientConnections clients;

    private Listener(
            String scheme,
            Trust trust,
            ProxyHeaders proxyHeaders,
            HttpOpenListener http1,
            DownstreamHttp2Connections http2,
            AcceptingChannel<StreamConnection> server,
            ClientConnections clients) {
        this.scheme = scheme;
        this.trust = trust;
        this.proxyHeaders = proxyHeaders;
        this.http1 = http1;
        this.http2 = http2;
        this.server = server;
        this.clients = clients;
    }

    /** Listens on a bound socket for HTTP; connections wait until {@link #open}. */
    public static Listener http(
            AcceptingChannel<StreamConnection> server, ByteBufferPool buffers, EventLoops loops, Trust trust) {
        ProxyHeaders proxyHeaders = new ProxyHeaders(trust.proxyProtocol(), loops);
        HttpOpenListener http1 = new HttpOpenListener(buffers, OPTIONS);
        DownstreamHttp2Connections http2 = new DownstreamHttp2Connections(buffers, loops, OPTIONS);
        Consumer<StreamConnection> connections =
                connection -> DownstreamConnection.open(connection, loops.current(), http1, http2);
        ClientConnections clients = new ClientConnections(server, loops, trust);
        acceptWith(server, clients, socket -> proxyHeaders.open(socket, connections));
        return new Listener("http", trust, proxyHeaders, http1, http2, server, clients);
    }

    /** Listens on a bound socket for HTTPS; connections wait until {@link #open}. */
    public static Listener https(
            AcceptingChannel<StreamConnection> server,
            ByteBufferPool buffers,
            EventLoops loops,
            Trust trust,
            Tls tls,
            TlsThreads tlsThreads) {
        ProxyHeaders proxyHeaders = new ProxyHeaders(trust.proxyProtocol(), loops);
        HttpOpenListener http1 = new HttpOpenListener(buffers, OPTIONS);
        DownstreamHttp2Connections http2 = new DownstreamHttp2Connections(buffers, loops, OPTIONS);
        TlsHandshake.Next connections = new TlsHandshake.Next() {
            @Override
            public void secured(TlsConnection connection) {
                if (connection.speaks(Tls.ACME)) {
                    IoUtils.safeClose(connection); // the challenge ends with the handshake
                } else if (connection.speaks(Tls.HTTP_2)) {
                    http2.open(connection, null);
                } else {
                    DownstreamConnection.open(connection, loops.current(), http1, null);
                }
            }

            @Override
            public void notSecured(StreamConnection connection, ByteBuffer received) {
                DownstreamConnection.reject(connection, loops.current(), http1, received, Rejection.PLAIN_HTTP);
            }
        };
        Consumer<StreamConnection> handshakes =
                connection -> TlsHandshake.serve(connection, tls, tlsThreads.current(), connections);
        ClientConnections clients = new ClientConnections(server, loops, trust);
        acceptWith(server, clients, socket -> proxyHeaders.open(socket, handshakes));
        return new Listener("https", trust, proxyHeaders, http1, http2, server, clients);
    }

    private static void acceptWith(
            AcceptingChannel<StreamConnection> server,
            ClientConnections clients,
            Consumer<AcceptedConnection> connections) {
        server.getAcceptSetter().set(ChannelListeners.openListenerAdapter(socket -> {
            AcceptedConnection accepted = clients.accept(socket);
            if (accepted != null) {
                connections.accept(accepted);
            }
        }));
    }

    public String scheme() {
        return scheme;
    }

    public ClientConnections clients() {
        return clients;
    }

    public InetSocketAddress address() {
        return server.getLocalAddress(InetSocketAddress.class);
    }

    /** Accepts connections, and responds to bad requests itself: for a port that is not public, and not in any log. */
    public void open(HttpHandler handler, DateField date) {
        open(
                exchange -> {
                    date.addTo(exchange.getResponseHeaders());
                    Rejection rejection = Rejection.of(exchange);
                    if (rejection == null) {
                        handler.handleRequest(exchange);
                    } else {
                        exchange.setPersistent(false);
                        exchange.setStatusCode(rejection.status());
                        exchange.endExchange();
                    }
                },
                (client, reason) -> {});
    }

    /**
     * Accepts connections.
     *
     * @param malformed told of what was wrong before there was an exchange, with the client's address: of HTTP/2 streams that
     *     were reset, and of connections that were closed
     */
    public void open(HttpHandler handler, BiConsumer<String, String> malformed) {
        HttpHandler inner = withScheme(handler);
        proxyHeaders.setMalformed(malformed);
        HttpHandler overHttp1 = scheme.equals("http") ? new Http2Upgrade(inner, http2) : inner;
        http1.setRootHandler(exchange -> {
            DownstreamConnection.of((HttpServerConnection) exchange.getConnection())
                    .began(exchange);
            overHttp1.handleRequest(exchange);
        });
        http2.setHandler(inner, malformed);
        server.resumeAccepts();
    }

    /** Sets the scheme, since in HTTP/2 the client could send another one, and what proxies in front say of the client. */
    private HttpHandler withScheme(HttpHandler handler) {
        return exchange -> {
            exchange.setRequestScheme(scheme);
            if (!trust.isEmpty()) {
                Forwarding.read(exchange, trust);
            }
            handler.handleRequest(exchange);
        };
    }

    /** Accepts no new connections any more; open ones are not affected. */
    public void stopAccepting() {
        IoUtils.safeClose(server);
    }

    /** Asks clients to send no more requests over their connections; only possible with HTTP/2. */
    public void announceEnd() {
        http2.announceEnd();
    }

    public void closeConnections() {
        http1.closeConnections();
        http2.end();
    }
}
