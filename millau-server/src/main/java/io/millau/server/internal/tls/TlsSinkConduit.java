package io.millau.server.internal.tls;

import io.undertow.connector.PooledByteBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.Buffers;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSourceChannel;
import org.xnio.conduits.AbstractStreamSinkConduit;
import org.xnio.conduits.ConduitWritableByteChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.WriteReadyHandler;

/**
 * Encrypts the bytes that are written to a socket, after the handshake. For the connection's I/O thread alone.
 *
 * <p>It uses buffers that the connections of a thread share. A connection holds its own buffer only while bytes wait for the
 * end of the thread's turn, or for the socket.
 */
final class TlsSinkConduit extends AbstractStreamSinkConduit<StreamSinkConduit> {

    private static final Logger LOG = LoggerFactory.getLogger(TlsSinkConduit.class);
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** The largest content of a record (RFC 8446, 5.1). */
    private static final int MAX_PLAIN_BYTES = 16 * 1024;

    /** The most bytes that are gathered; they fit into one write to the socket. */
    private static final int MAX_GATHERED_BYTES = 3 * MAX_PLAIN_BYTES;

    private final TlsConnection connection;
    private final SSLEngine engine;
    private final TlsThread shared;

    /**
     * Whether what is written waits for the end of the thread's turn: the responses to many requests of an HTTP/2 connection
     * then leave as one record, in one system call.
     */
    private final boolean gathers;

    private @Nullable WriteReadyHandler writer;

    /** Bytes that wait for the end of the turn, not yet encrypted. */
    private @Nullable PooledByteBuffer gathered;

    /** Encrypted bytes that the socket did not accept. */
    private @Nullable PooledByteBuffer unsent;

    private boolean writesResumed;
    private boolean writesEnded;
    private boolean closeNotifySent;
    private boolean sinkEnded;
    private boolean released;

    TlsSinkConduit(TlsConnection connection, StreamSinkConduit socket, SSLEngine engine, TlsThread shared) {
        super(socket);
        this.connection = connection;
        this.engine = engine;
        this.shared = shared;
        this.gathers = connection.speaks(Tls.HTTP_2);
        next.setWriteReadyHandler(new Writing());
    }

    /** Sends the engine's reply to a handshake message, unless bytes still wait for the socket. */
    void sendHandshakeMessage() throws IOException {
        if (unsent == null) {
            ByteBuffer out = shared.sent.clear();
            engine.wrap(NOTHING, out);
            send(out.flip());
        }
    }

    /** Tries to send the engine's alert (RFC 8446, 6.2). */
    void sendAlert() throws IOException {
        TlsEngines.finish(engine, shared.sent.clear());
        next.write(shared.sent.flip());
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        return (int) write(new ByteBuffer[] {from}, 0, 1);
    }

    @Override
    public long write(ByteBuffer[] from, int offset, int length) throws IOException {
        if (writesEnded || released) {
            throw new ClosedChannelException();
        }
        if (!sendUnsent()) {
            return 0;
        }
        long total = Buffers.remaining(from, offset, length);
        if (gathers && gather(from, offset, length, total)) {
            return total;
        }
        sendGathered();
        while (unsent == null && Buffers.hasRemaining(from, offset, length)) {
            ByteBuffer out = shared.sent.clear();
            for (int i = offset; i < offset + length && hasRoom(out); i++) {
                if (from[i].isDirect() && (i == offset + length - 1 || from[i].remaining() >= MAX_PLAIN_BYTES)) {
                    encrypt(from[i], out);
                } else if (from[i].hasRemaining()) {
                    encryptTogether(from, i, offset + length, out);
                }
            }
            send(out.flip());
        }
        return total - Buffers.remaining(from, offset, length);
    }

    private boolean gather(ByteBuffer[] from, int offset, int length, long total) {
        PooledByteBuffer holder = gathered;
        if ((holder == null ? 0 : holder.getBuffer().position()) + total > MAX_GATHERED_BYTES) {
            return false;
        }
        if (holder == null) {
            holder = shared.pool.allocate();
            gathered = holder;
            shared.callAtEndOfTurn(this);
        }
        Buffers.copy(holder.getBuffer(), from, offset, length);
        return true;
    }

    void endOfTurn() {
        try {
            sendGathered();
        } catch (IOException e) {
            LOG.debug("{} is gone: {}", connection.getPeerAddress(), e.toString());
            IoUtils.safeClose(connection);
        }
    }

    private void sendGathered() throws IOException {
        PooledByteBuffer holder = gathered;
        if (holder == null) {
            return;
        }
        gathered = null;
        try (holder) {
            ByteBuffer out = shared.sent.clear();
            encryptAll(holder.getBuffer().flip(), out);
            send(out.flip());
        }
    }

    private static boolean hasRoom(ByteBuffer out) {
        return out.remaining() >= 2 * TlsThread.RECORD_BYTES;
    }

    private void encrypt(ByteBuffer from, ByteBuffer out) throws IOException {
        while (from.hasRemaining() && hasRoom(out)) {
            SSLEngineResult result = engine.wrap(from, out);
            if (result.getStatus() != SSLEngineResult.Status.OK) {
                throw new SSLException("can't encrypt: " + result);
            }
            if (result.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_TASK) {
                TlsEngines.runTasks(engine);
            } else if (result.bytesProduced() == 0) {
                throw new SSLException("can't encrypt: " + result);
            }
        }
    }

    /** Encrypts small parts as one record. */
    private void encryptTogether(ByteBuffer[] from, int offset, int end, ByteBuffer out) throws IOException {
        ByteBuffer plain = shared.plain.clear().limit(MAX_PLAIN_BYTES);
        Buffers.copy(plain, from, offset, end - offset);
        encryptAll(plain.flip(), out);
    }

    private void encryptAll(ByteBuffer plain, ByteBuffer out) throws IOException {
        encrypt(plain, out);
        if (plain.hasRemaining()) {
            throw new SSLException("records are smaller than expected");
        }
    }

    private void send(ByteBuffer out) throws IOException {
        if (out.hasRemaining()) {
            next.write(out);
        }
        if (out.hasRemaining()) {
            PooledByteBuffer holder = shared.pool.allocate();
            holder.getBuffer().put(out).flip();
            unsent = holder;
            next.resumeWrites();
        }
    }

    private boolean sendUnsent() throws IOException {
        PooledByteBuffer holder = unsent;
        if (holder != null) {
            next.write(holder.getBuffer());
            if (holder.getBuffer().hasRemaining()) {
                return false;
            }
            unsent = null;
            holder.close();
            if (!writesResumed) {
                next.suspendWrites();
            }
        }
        return true;
    }

    /** Flushes. Bytes that wait for the end of the turn count as sent, since no further call is needed to send them. */
    @Override
    public boolean flush() throws IOException {
        if (!sendUnsent()) {
            return false;
        }
        if (writesEnded && !closeNotifySent) {
            sendGathered();
            if (unsent != null) {
                return false;
            }
            closeNotifySent = true;
            ByteBuffer out = shared.sent.clear();
            engine.closeOutbound();
            engine.wrap(NOTHING, out);
            send(out.flip());
            if (unsent != null) {
                return false;
            }
        }
        if (writesEnded && !sinkEnded) {
            sinkEnded = true;
            next.terminateWrites();
            endWrites();
        }
        return next.flush();
    }

    @Override
    public int writeFinal(ByteBuffer from) throws IOException {
        return Conduits.writeFinalBasic(this, from);
    }

    @Override
    public long writeFinal(ByteBuffer[] from, int offset, int length) throws IOException {
        return Conduits.writeFinalBasic(this, from, offset, length);
    }

    @Override
    public long transferFrom(FileChannel from, long position, long count) throws IOException {
        return from.transferTo(position, count, new ConduitWritableByteChannel(this));
    }

    @Override
    public long transferFrom(StreamSourceChannel from, long count, ByteBuffer through) throws IOException {
        return Conduits.transfer(from, count, through, this);
    }

    private final class Writing implements WriteReadyHandler {
        @Override
        public void writeReady() {
            try {
                if (!sendUnsent()) {
                    return;
                }
            } catch (IOException e) {
                LOG.debug("{} is gone: {}", connection.getPeerAddress(), e.toString());
                IoUtils.safeClose(connection);
                return;
            }
            if (writesResumed && writer != null) {
                writer.writeReady();
            } else if (unsent == null) {
                next.suspendWrites();
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
    public void resumeWrites() {
        writesResumed = true;
        next.resumeWrites();
    }

    @Override
    public void wakeupWrites() {
        writesResumed = true;
        next.wakeupWrites();
    }

    @Override
    public void suspendWrites() {
        writesResumed = false;
        if (unsent == null) {
            next.suspendWrites();
        }
    }

    @Override
    public boolean isWriteResumed() {
        return writesResumed;
    }

    @Override
    public void setWriteReadyHandler(WriteReadyHandler handler) {
        writer = handler;
    }

    @Override
    public boolean isWriteShutdown() {
        return writesEnded || connection.isWriteShutdown();
    }

    /** Ends writing. {@link #flush} sends {@code close_notify} and then ends the socket's output. */
    @Override
    public void terminateWrites() {
        writesEnded = true;
    }

    @Override
    public void truncateWrites() throws IOException {
        writesEnded = true;
        closeNotifySent = true;
        if (!sinkEnded) {
            sinkEnded = true;
            next.truncateWrites();
            endWrites();
        }
    }

    private void endWrites() {
        if (connection.writeClosed()) {
            writeTerminated();
        }
    }

    void writeTerminated() {
        if (writer != null) {
            writer.terminated();
        }
    }

    /** Frees what it holds. Sends no close_notify: a response that was cut off must not look complete. */
    void release() {
        if (released) {
            return;
        }
        released = true;
        writesEnded = true;
        endOfTurn();
        TlsEngines.finish(engine, shared.sent.clear());
        free(gathered);
        gathered = null;
        free(unsent);
        unsent = null;
    }

    private static void free(@Nullable PooledByteBuffer holder) {
        if (holder != null) {
            holder.close();
        }
    }
}
