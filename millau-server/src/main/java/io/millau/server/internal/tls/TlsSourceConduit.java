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
 * Decrypts what comes from a socket, once the handshake is over. For the connection's I/O thread alone.
 *
 * <p>It does so in buffers that the connections of a thread share, so an idle one holds none. A connection keeps bytes of its own
 * only while a part of a record is missing, or its reader wants less than there is.
 */
final class TlsSourceConduit extends AbstractStreamSourceConduit<StreamSourceConduit> {

    private final TlsConnection connection;
    private final SSLEngine engine;
    private final TlsThread shared;
    private final TlsSinkConduit sink;
    private @Nullable ReadReadyHandler reader;

    /** Encrypted bytes to go on with. */
    private byte @Nullable [] received;

    /** Whether those may be more than a part of a record. */
    private boolean receivedRecord;

    /** Decrypted bytes that the reader had no room for. */
    private @Nullable ByteBuffer decrypted;

    /** Whether the other side said that this was all. */
    private boolean peerEnded;

    private boolean wakeup;
    private boolean readsEnded;

    /**
     * @param received what came after the handshake's last message, still encrypted
     * @param sink where answers to handshake messages go
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
            answerHandshakeMessage();
        }
        return true;
    }

    /** TLS 1.3 may change its keys at any time (RFC 8446, 4.6.3); what 1.2 would renegotiate is not wanted. */
    private void answerHandshakeMessage() throws IOException {
        if (!engine.getSession().getProtocol().equals("TLSv1.3")) {
            throw new SSLException("renegotiation is refused");
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

    /** Whether there is something to read that the socket knows nothing of. */
    private boolean holdsReadable() {
        return decrypted != null || receivedRecord || peerEnded && !readsEnded;
    }

    /** Has the reader called again, as the socket would if it still had what we have. */
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
        public void terminated() {} // the connection tells when it has ended itself
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
