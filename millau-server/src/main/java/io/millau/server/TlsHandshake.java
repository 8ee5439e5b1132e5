package io.millau.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
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
 * The handshake of a new connection. For the connection's I/O thread alone, which does the cryptography too: to hand that to
 * another thread and back costs more than it spares those who wait meanwhile.
 */
final class TlsHandshake {

    private static final Logger LOG = LoggerFactory.getLogger(TlsHandshake.class);
    private static final byte[] NOTHING = {};
    private static final long PATIENCE_SECONDS = 30;

    private final StreamConnection socket;
    private final ConduitStreamSourceChannel source;
    private final ConduitStreamSinkChannel sink;
    private final SSLEngine engine;
    private final TlsThread shared;
    private final Consumer<TlsConnection> next;
    private final XnioExecutor.Key timeout;
    private byte[] received = NOTHING;
    private @Nullable ByteBuffer unsent;
    private boolean over;

    private TlsHandshake(StreamConnection socket, Tls tls, Consumer<TlsConnection> next) throws SSLException {
        this.socket = socket;
        this.source = socket.getSourceChannel();
        this.sink = socket.getSinkChannel();
        this.engine = tls.engine();
        this.shared = tls.thread();
        this.next = next;
        this.timeout = socket.getIoThread().executeAfter(this::end, PATIENCE_SECONDS, TimeUnit.SECONDS);
        engine.beginHandshake();
    }

    /** @param next gets the connection when the handshake is over; if it fails, the connection ends */
    static void start(StreamConnection socket, Tls tls, Consumer<TlsConnection> next) {
        try {
            TlsHandshake handshake = new TlsHandshake(socket, tls, next);
            handshake.source.setReadListener(channel -> handshake.readable());
            handshake.sink.setWriteListener(channel -> handshake.writable());
            handshake.source.resumeReads();
        } catch (SSLException | RuntimeException e) {
            LOG.error("No TLS for {}", socket.getPeerAddress(), e);
            IoUtils.safeClose(socket);
        }
    }

    private void readable() {
        ByteBuffer in = shared.received.clear().put(received);
        ByteBuffer out = shared.sent.clear();
        try {
            if (source.read(in) < 0) {
                end();
                return;
            }
            proceed(in.flip(), out);
            received = rest(in);
            send(out.flip());
        } catch (SSLException e) {
            LOG.debug("No handshake with {}: {}", socket.getPeerAddress(), e.toString());
            sayWhyAndEnd(out);
        } catch (IOException e) {
            LOG.debug("Client {} is gone: {}", socket.getPeerAddress(), e.toString());
            end();
        } catch (RuntimeException e) {
            LOG.error("A handshake ends through a fault of ours, or of a source of certificates", e);
            end();
        }
    }

    private void proceed(ByteBuffer in, ByteBuffer out) throws SSLException {
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

    /** Whether there was enough to go on. */
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
        } catch (IOException e) {
            LOG.debug("Client {} is gone: {}", socket.getPeerAddress(), e.toString());
            end();
            return;
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
    }

    private void handOver() {
        timeout.remove();
        source.setReadListener(null);
        sink.setWriteListener(null);
        TlsConnection connection = new TlsConnection(socket, engine, shared, received);
        try {
            next.accept(connection);
        } catch (RuntimeException e) {
            LOG.error("A connection ends through a fault of ours", e);
            IoUtils.safeClose(connection);
        }
    }

    /** The engine has an alert to send (RFC 8446, 6.2); the last we can do is to try. */
    private void sayWhyAndEnd(ByteBuffer out) {
        TlsEngines.finish(engine, out);
        try {
            sink.write(out.flip());
            sink.shutdownWrites();
        } catch (IOException e) {
            LOG.debug("Client {} does not learn why: {}", socket.getPeerAddress(), e.toString());
        }
        end();
    }

    private void end() {
        timeout.remove();
        TlsEngines.finish(engine, shared.sent.clear());
        IoUtils.safeClose(socket);
    }
}
