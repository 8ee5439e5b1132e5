package io.millau.server.internal.tls;

import io.millau.core.Certificate;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.XnioExecutor;
import org.xnio.conduits.ConduitStreamSinkChannel;
import org.xnio.conduits.ConduitStreamSourceChannel;

/**
 * The handshake of a new connection, from a client or to an endpoint. For the connection's I/O thread alone. This thread does
 * the cryptography, too: handing it over to another thread costs more than it saves.
 */
public abstract class TlsHandshake {

    private static final Logger LOG = LoggerFactory.getLogger(TlsHandshake.class);
    private static final byte[] NOTHING = {};

    /** A record with the alert no_application_protocol (RFC 7301, 3.2; RFC 8446, 5.1 and 6). */
    private static final byte[] NO_APPLICATION_PROTOCOL = {21, 3, 3, 0, 2, 2, 120};

    private static final long PATIENCE_SECONDS = 10;

    final StreamConnection socket;
    private final ConduitStreamSourceChannel source;
    private final ConduitStreamSinkChannel sink;
    private final TlsThread shared;
    private @Nullable SSLEngine engine;
    private byte[] received = NOTHING;
    private @Nullable ByteBuffer unsent;
    private boolean over;

    private TlsHandshake(StreamConnection socket, TlsThread shared) {
        this.socket = socket;
        this.source = socket.getSourceChannel();
        this.sink = socket.getSinkChannel();
        this.shared = shared;
        source.setReadListener(channel -> readable());
        sink.setWriteListener(channel -> writable());
    }

    /** Gets the connection of a client. */
    public interface Next {
        /** The handshake is over; if it fails, the connection ends. */
        void secured(TlsConnection connection);

        /** The client speaks HTTP without TLS; these bytes were received. */
        void notSecured(StreamConnection connection, ByteBuffer received);
    }

    public static void serve(StreamConnection socket, Tls tls, TlsThread shared, Next next) {
        TlsHandshake handshake = new Server(socket, tls, shared, next);
        handshake.source.resumeReads();
    }

    /** Called once, on the I/O thread, when the handshake with an endpoint has ended. */
    public interface ConnectListener {
        void secured(TlsConnection connection);

        void notSecured(IOException failure);
    }

    /** @param engine a new engine in client mode */
    public static TlsHandshake connect(
            StreamConnection socket, SSLEngine engine, TlsThread shared, ConnectListener listener) {
        TlsHandshake handshake = new Connect(socket, shared, listener);
        handshake.begin(engine);
        return handshake;
    }

    /** Called before the engine runs, and may create it first; returns whether there is an engine to run. */
    abstract boolean ready(ByteBuffer received);

    abstract void succeeded(SSLEngine engine, TlsThread shared, byte[] received) throws IOException;

    abstract void failed(IOException failure);

    abstract void internalError(RuntimeException error);

    /** A handshake with a client. The client's first message determines the engine. */
    private static final class Server extends TlsHandshake {
        private final Tls tls;
        private final Next next;
        private final XnioExecutor.Key timeout;
        private boolean asking;
        private Tls.@Nullable Session session;

        Server(StreamConnection socket, Tls tls, TlsThread shared, Next next) {
            super(socket, shared);
            this.tls = tls;
            this.next = next;
            this.timeout = socket.getIoThread().executeAfter(this::end, PATIENCE_SECONDS, TimeUnit.SECONDS);
        }

        @Override
        boolean ready(ByteBuffer received) {
            if (session == null) {
                if (ClientHello.isPlainHttp(received)) {
                    handOverPlain(received);
                    return false;
                }
                ClientHello hello = ClientHello.read(received);
                if (hello == null || asking) {
                    return false;
                }
                CompletableFuture<Optional<Certificate>> challenge = tls.challenge(hello);
                if (!challenge.isDone()) {
                    asking = true;
                    challenge.thenAccept(found -> socket.getIoThread().execute(() -> challengeKnown(hello, found)));
                    return false;
                }
                choose(hello, challenge.join());
                if (session == null) {
                    return false;
                }
            }
            if (session != null) {
                session.offerCertificates();
            }
            return true;
        }

        private void handOverPlain(ByteBuffer received) {
            timeout.remove();
            source().setReadListener(null);
            source().suspendReads();
            byte[] bytes = new byte[received.remaining()];
            received.get(bytes);
            next.notSecured(socket, ByteBuffer.wrap(bytes));
        }

        private void choose(ClientHello hello, Optional<Certificate> challenge) {
            if (challenge.isEmpty() && !Tls.speaksOneOf(hello.protocols())) {
                endWithAlert(NO_APPLICATION_PROTOCOL);
                failed(new SSLException("none of the application protocols " + hello.protocols() + " is known"));
                return;
            }
            Tls.Session chosen = challenge.map(tls::session).orElseGet(() -> tls.session(hello));
            session = chosen;
            use(chosen.engine);
        }

        /** Continues the handshake when the sources of certificates have looked the challenge up. */
        private void challengeKnown(ClientHello hello, Optional<Certificate> challenge) {
            if (socket.isOpen()) {
                try {
                    choose(hello, challenge);
                    goOn();
                } catch (RuntimeException e) {
                    internalError(e);
                }
            }
        }

        @Override
        void succeeded(SSLEngine engine, TlsThread shared, byte[] received) throws IOException {
            timeout.remove();
            ClientIdentity client = session == null ? null : session.client();
            TlsConnection connection = new TlsConnection(socket, engine, shared, received, client);
            try {
                next.secured(connection);
            } catch (RuntimeException e) {
                LOG.error("Internal error on a new connection", e);
                IoUtils.safeClose(connection);
            }
        }

        @Override
        void failed(IOException failure) {
            timeout.remove();
            LOG.debug("No handshake with {}: {}", socket.getPeerAddress(), failure.toString());
        }

        @Override
        void internalError(RuntimeException error) {
            LOG.error("Internal error in a handshake, or in a source of certificates", error);
            end();
        }
    }

    /** A handshake with an endpoint. The listener is responsible for the timeout. */
    private static final class Connect extends TlsHandshake {
        private final ConnectListener listener;

        Connect(StreamConnection socket, TlsThread shared, ConnectListener listener) {
            super(socket, shared);
            this.listener = listener;
        }

        @Override
        boolean ready(ByteBuffer received) {
            return true;
        }

        @Override
        void succeeded(SSLEngine engine, TlsThread shared, byte[] received) {
            listener.secured(new TlsConnection(socket, engine, shared, received, null));
        }

        @Override
        void failed(IOException failure) {
            listener.notSecured(failure);
        }

        @Override
        void internalError(RuntimeException error) {
            LOG.error("Internal error in a handshake with an endpoint", error);
            end();
            listener.notSecured(new IOException(error));
        }
    }

    final void use(SSLEngine engine) {
        this.engine = engine;
        try {
            engine.beginHandshake();
        } catch (SSLException e) {
            throw new IllegalStateException("the engine can't be used", e);
        }
    }

    private void begin(SSLEngine engine) {
        use(engine);
        goOn();
        if (!over && unsent == null) {
            source.resumeReads();
        }
    }

    /** Continues with the bytes that were received already. */
    final void goOn() {
        proceed(shared.received.clear().put(received).flip());
    }

    private void readable() {
        ByteBuffer in = shared.received.clear().put(received);
        try {
            if (!in.hasRemaining()) {
                throw new IOException("a first message of more than " + in.capacity() + " bytes");
            }
            if (source.read(in) < 0) {
                throw new ClosedChannelException();
            }
        } catch (IOException e) {
            end();
            failed(e);
            return;
        }
        proceed(in.flip());
    }

    private void proceed(ByteBuffer in) {
        ByteBuffer out = shared.sent.clear();
        SSLEngine current = engine;
        try {
            if (ready(in)) {
                current = Objects.requireNonNull(engine);
                proceed(current, in, out);
            }
            received = rest(in);
            send(out.flip());
        } catch (SSLException e) {
            if (current != null) {
                TlsEngines.finish(current, out);
                sendAlert(out.flip());
            }
            end();
            failed(e);
        } catch (IOException e) {
            end();
            failed(e);
        } catch (RuntimeException e) {
            internalError(e);
        }
    }

    private void proceed(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
        while (true) {
            switch (engine.getHandshakeStatus()) {
                case NEED_TASK -> TlsEngines.runTasks(engine);
                case NEED_WRAP -> check(engine.wrap(ByteBuffer.wrap(NOTHING), out));
                case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                    if (!in.hasRemaining() || !check(engine.unwrap(in, shared.plain.clear()))) {
                        return;
                    }
                }
                case FINISHED, NOT_HANDSHAKING -> {
                    over = true;
                    return;
                }
            }
        }
    }

    /** Whether the engine had enough bytes to continue. */
    private static boolean check(SSLEngineResult result) throws SSLException {
        return switch (result.getStatus()) {
            case OK -> true;
            case BUFFER_UNDERFLOW -> false;
            case BUFFER_OVERFLOW, CLOSED -> throw new SSLException("handshake ended by " + result.getStatus());
        };
    }

    private static byte[] rest(ByteBuffer in) {
        byte[] rest = in.hasRemaining() ? new byte[in.remaining()] : NOTHING;
        in.get(rest);
        return rest;
    }

    private void send(ByteBuffer out) throws IOException {
        if (out.hasRemaining()) {
            sink.write(out);
        }
        if (out.hasRemaining()) {
            unsent = ByteBuffer.wrap(rest(out));
            source.suspendReads();
            sink.resumeWrites();
        } else if (over) {
            handOver();
        }
    }

    private void writable() {
        ByteBuffer bytes = unsent;
        try {
            if (bytes != null && bytes.hasRemaining()) {
                sink.write(bytes);
            }
            if (bytes == null || !bytes.hasRemaining()) {
                unsent = null;
                sink.suspendWrites();
                if (over) {
                    handOver();
                } else {
                    source.resumeReads();
                }
            }
        } catch (IOException e) {
            end();
            failed(e);
        }
    }

    final ConduitStreamSourceChannel source() {
        return source;
    }

    /** Tries to send an alert, and closes the connection. */
    final void endWithAlert(byte[] record) {
        sendAlert(ByteBuffer.wrap(record));
        end();
    }

    private void handOver() throws IOException {
        source.setReadListener(null);
        sink.setWriteListener(null);
        succeeded(Objects.requireNonNull(engine), shared, received);
    }

    /** Tries to send an alert (RFC 8446, 6.2). */
    private void sendAlert(ByteBuffer record) {
        try {
            sink.write(record);
            sink.shutdownWrites();
        } catch (IOException e) {
            LOG.debug("No alert sent to {}: {}", socket.getPeerAddress(), e.toString());
        }
    }

    /** Ends the handshake and closes the connection; no listener is called. */
    public final void end() {
        if (engine != null) {
            TlsEngines.finish(engine, shared.sent.clear());
        }
        IoUtils.safeClose(socket);
    }
}
