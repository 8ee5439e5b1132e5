package io.millau.server.internal.tls;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.xnio.Buffers;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.ConduitReadableByteChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSourceConduit;

/**
 * Decrypts the bytes that are read from a socket, after the handshake. For the connection's I/O thread alone.
 *
 * <p>It uses buffers that the connections of a thread share, so an idle connection holds none. A connection keeps bytes only
 * while a record is incomplete, or its reader has no room for all of them.
 */
final class TlsSourceConduit extends AbstractStreamSourceConduit<StreamSourceConduit> {

    private final TlsConnection connection;
    private final SSLEngine engine;
    private final TlsThread shared;
    private final TlsSinkConduit sink;
    private @Nullable ReadReadyHandler reader;

    /** Encrypted bytes that were received and not decrypted yet. */
    private byte @Nullable [] received;

    /** Whether they may contain a complete record. */
    private boolean receivedRecord;

    /** Decrypted bytes that the reader had no room for. */
    private @Nullable ByteBuffer decrypted;

    /** Whether the other side has sent {@code close_notify}. */
    private boolean peerEnded;

    private boolean wakeup;
    private boolean readsEnded;

    /**
     * @param received the bytes received after the last message of the handshake, still encrypted
     * @param sink sends replies to handshake messages
     */
    TlsSourceConduit(
            TlsConnection connection,
            StreamSourceConduit socket,
            SSLEngine engine,
            TlsThread shared,
            byte[] received,
            TlsSinkConduit sink) {
        super(socket);
        this.connection = connection;
        this.engine = engine;
        this.shared = shared;
        this.sink = sink;
        if (received.length > 0) {
            this.received = received;
            this.receivedRecord = true;
        }
        next.setReadReadyHandler(new Reading());
    }

    @Override
    public int read(ByteBuffer to) throws IOException {
        int count = decrypted == null ? readSocket(to) : takeDecrypted(decrypted, to);
        remind();
        return count;
    }

    private int readSocket(ByteBuffer to) throws IOException {
        if (readsEnded) {
            return -1;
        }
        if (peerEnded) {
            terminateReads();
            return -1;
        }
        ByteBuffer in = shared.received.clear();
        if (received != null) {
            in.put(received);
            received = null;
        }
        if (!receivedRecord && next.read(in) < 0) {
            terminateReads();
            return -1;
        }
        receivedRecord = false;
        in.flip();
        int start = to.position();
        try {
            while (decrypt(in, to)) {}
        } catch (SSLException e) {
            sink.sendAlert();
            throw e;
        }
        keep(in);
        int count = to.position() - start;
        if (count == 0 && peerEnded) {
            terminateReads();
            return -1;
        }
        return count;
    }

    /** Whether the other side has said that it sends no more. Without that, somebody else may have ended the connection. */
    boolean peerEnded() {
        return peerEnded;
    }

    private int takeDecrypted(ByteBuffer bytes, ByteBuffer to) {
        int count = Buffers.copy(to, bytes);
        if (!bytes.hasRemaining()) {
            decrypted = null;
        }
        return count;
    }

    /** Decrypts a record, if there is one and room for some of it. */
    private boolean decrypt(ByteBuffer in, ByteBuffer to) throws IOException {
        if (!in.hasRemaining() || !to.hasRemaining()) {
            receivedRecord = in.hasRemaining();
            return false;
        }
        SSLEngineResult result;
        if (to.remaining() >= TlsThread.RECORD_BYTES) {
            result = engine.unwrap(in, to);
        } else {
            ByteBuffer plain = shared.plain.clear();
            result = engine.unwrap(in, plain);
            Buffers.copy(to, plain.flip());
            if (plain.hasRemaining()) {
                decrypted = ByteBuffer.allocate(plain.remaining()).put(plain).flip();
            }
        }
        switch (result.getStatus()) {
            case CLOSED -> {
                peerEnded = true;
                return false;
            }
            case BUFFER_UNDERFLOW -> {
                return false;
            }
            case BUFFER_OVERFLOW -> throw new SSLException("record too large");
            case OK -> {}
        }
        if (result.getHandshakeStatus() != SSLEngineResult.HandshakeStatus.NOT_HANDSHAKING) {
            handleHandshakeMessage();
        }
        return true;
    }

    /**
     * Handles a message after the handshake: TLS 1.3 may update its keys (RFC 8446, 4.6.3), but renegotiation is not allowed.
     */
    private void handleHandshakeMessage() throws IOException {
        if (!engine.getSession().getProtocol().equals("TLSv1.3")) {
            throw new SSLException("renegotiation is not allowed");
        }
        TlsEngines.runTasks(engine);
        if (engine.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_WRAP) {
            sink.sendHandshakeMessage();
        }
    }

    private void keep(ByteBuffer in) {
        if (in.hasRemaining()) {
            byte[] rest = new byte[in.remaining()];
            in.get(rest);
            received = rest;
        }
    }

    @Override
    public long read(ByteBuffer[] to, int offset, int length) throws IOException {
        long total = 0;
        for (int i = offset; i < offset + length; i++) {
            while (to[i].hasRemaining()) {
                int count = read(to[i]);
                if (count <= 0) {
                    return total == 0 ? count : total;
                }
                total += count;
            }
        }
        return total;
    }

    @Override
    public long transferTo(long position, long count, FileChannel target) throws IOException {
        return target.transferFrom(new ConduitReadableByteChannel(this), position, count);
    }

    @Override
    public long transferTo(long count, ByteBuffer through, StreamSinkChannel target) throws IOException {
        return Conduits.transfer(this, count, through, target);
    }

    /** Whether there is something to read that was read from the socket already. */
    private boolean holdsReadable() {
        return decrypted != null || receivedRecord || peerEnded && !readsEnded;
    }

    /** Makes the reader be called again while there is something to read. */
    private void remind() {
        if (holdsReadable() && next.isReadResumed()) {
            resumeReads();
        }
    }

    private final class Reading implements ReadReadyHandler {
        @Override
        public void readReady() {
            wakeup = false;
            if (reader != null && next.isReadResumed()) {
                reader.readReady();
                remind();
            }
        }

        @Override
        public void forceTermination() {
            IoUtils.safeClose(connection);
        }

        @Override
        public void terminated() {} // the connection reports its own end
    }

    @Override
    public void resumeReads() {
        if (!holdsReadable()) {
            next.resumeReads();
        } else if (!wakeup) {
            wakeup = true;
            next.wakeupReads();
        }
    }

    @Override
    public void setReadReadyHandler(ReadReadyHandler handler) {
        reader = handler;
    }

    @Override
    public boolean isReadShutdown() {
        return readsEnded || connection.isReadShutdown();
    }

    @Override
    public void terminateReads() {
        readsEnded = true;
        received = null;
        receivedRecord = false;
        decrypted = null;
        next.suspendReads();
        if (connection.readClosed()) {
            readTerminated();
        }
    }

    void readTerminated() {
        if (reader != null) {
            reader.terminated();
        }
    }

    /** The connection is closed: nothing more is read. */
    void release() {
        readsEnded = true;
        received = null;
        receivedRecord = false;
        decrypted = null;
    }
}
