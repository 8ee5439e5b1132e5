package io.millau.server.internal.tls;

import io.undertow.connector.PooledByteBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.Buffers;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.channels.StreamSourceChannel;
import org.xnio.conduits.ConduitReadableByteChannel;
import org.xnio.conduits.ConduitWritableByteChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.conduits.WriteReadyHandler;

/**
 * Encrypts and decrypts between a connection and its socket, once the handshake is over. For the connection's I/O thread
 * alone.
 *
 * <p>That is done in buffers that a thread's connections share, so an idle one holds none. A connection keeps bytes of its
 * own only while a record is there in part, its reader wants less than there is, or the socket takes no more.
 */
final class TlsConduit implements StreamSourceConduit, StreamSinkConduit {

    private static final Logger LOG = LoggerFactory.getLogger(TlsConduit.class);
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** Of one record (RFC 8446, 5.1). */
    private static final int MAX_PLAIN_BYTES = 16 * 1024;

    /** So that it can be sent at once. */
    private static final int MAX_GATHERED_BYTES = 3 * MAX_PLAIN_BYTES;

    private final TlsConnection connection;
    private final SSLEngine engine;
    private final TlsThread shared;
    private final StreamSourceConduit source;
    private final StreamSinkConduit sink;

    /**
     * Whether what is written waits for the end of the thread's turn: the answers to many requests of an HTTP/2 connection
     * then leave as one record, in one system call.
     */
    private final boolean gathers;

    private @Nullable ReadReadyHandler reader;
    private @Nullable WriteReadyHandler writer;

    /** Encrypted bytes to go on with. */
    private byte @Nullable [] received;

    /** Whether those may be more than a part of a record. */
    private boolean receivedRecord;

    /** Decrypted bytes that the reader had no room for. */
    private @Nullable ByteBuffer decrypted;

    /** Whether the other side said that this was all. */
    private boolean peerEnded;

    /** What waits for the end of the turn. */
    private @Nullable PooledByteBuffer gathered;

    /** Encrypted bytes that the socket did not take. */
    private @Nullable PooledByteBuffer unsent;

    private boolean wakeup;
    private boolean writesResumed;
    private boolean readsEnded;
    private boolean writesEnded;
    private boolean lastWordsSaid;
    private boolean sinkEnded;
    private boolean released;

    TlsConduit(TlsConnection connection, StreamConnection socket, SSLEngine engine, TlsThread shared, byte[] received) {
        this.connection = connection;
        this.engine = engine;
        this.shared = shared;
        this.source = socket.getSourceChannel().getConduit();
        this.sink = socket.getSinkChannel().getConduit();
        this.gathers = connection.speaks(Tls.HTTP_2);
        if (received.length > 0) {
            this.received = received;
            this.receivedRecord = true;
        }
        source.setReadReadyHandler(new Reading());
        sink.setWriteReadyHandler(new Writing());
    }

    // ---- What comes

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
        if (!receivedRecord && source.read(in) < 0) {
            terminateReads();
            return -1;
        }
        receivedRecord = false;
        in.flip();
        int start = to.position();
        try {
            while (decrypt(in, to)) {}
        } catch (SSLException e) {
            TlsEngines.finish(engine, shared.sent.clear());
            sink.write(shared.sent.flip());
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
        if (unsent == null && engine.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_WRAP) {
            ByteBuffer out = shared.sent.clear();
            engine.wrap(NOTHING, out);
            send(out.flip());
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
        if (holdsReadable() && source.isReadResumed()) {
            resumeReads();
        }
    }

    private final class Reading implements ReadReadyHandler {
        @Override
        public void readReady() {
            wakeup = false;
            if (reader != null && source.isReadResumed()) {
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
            source.resumeReads();
        } else if (!wakeup) {
            wakeup = true;
            source.wakeupReads();
        }
    }

    @Override
    public void wakeupReads() {
        source.wakeupReads();
    }

    @Override
    public void suspendReads() {
        source.suspendReads();
    }

    @Override
    public boolean isReadResumed() {
        return source.isReadResumed();
    }

    @Override
    public void awaitReadable() throws IOException {
        source.awaitReadable();
    }

    @Override
    public void awaitReadable(long time, TimeUnit unit) throws IOException {
        source.awaitReadable(time, unit);
    }

    @Override
    public XnioIoThread getReadThread() {
        return source.getReadThread();
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
        source.suspendReads();
        if (connection.readClosed()) {
            readTerminated();
        }
    }

    void readTerminated() {
        if (reader != null) {
            reader.terminated();
        }
    }

    // ---- What goes

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

    /** Small parts make one record. */
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
            sink.write(out);
        }
        if (out.hasRemaining()) {
            PooledByteBuffer holder = shared.pool.allocate();
            holder.getBuffer().put(out).flip();
            unsent = holder;
            sink.resumeWrites();
        }
    }

    private boolean sendUnsent() throws IOException {
        PooledByteBuffer holder = unsent;
        if (holder != null) {
            sink.write(holder.getBuffer());
            if (holder.getBuffer().hasRemaining()) {
                return false;
            }
            unsent = null;
            holder.close();
            if (!writesResumed) {
                sink.suspendWrites();
            }
        }
        return true;
    }

    /** What waits for the end of the turn counts as sent: nobody has to see to it any more. */
    @Override
    public boolean flush() throws IOException {
        if (!sendUnsent()) {
            return false;
        }
        if (writesEnded && !lastWordsSaid) {
            sendGathered();
            if (unsent != null) {
                return false;
            }
            lastWordsSaid = true;
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
            sink.terminateWrites();
            endWrites();
        }
        return sink.flush();
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
                sink.suspendWrites();
            }
        }

        @Override
        public void forceTermination() {
            IoUtils.safeClose(connection);
        }

        @Override
        public void terminated() {} // as for reading
    }

    @Override
    public void resumeWrites() {
        writesResumed = true;
        sink.resumeWrites();
    }

    @Override
    public void wakeupWrites() {
        writesResumed = true;
        sink.wakeupWrites();
    }

    @Override
    public void suspendWrites() {
        writesResumed = false;
        if (unsent == null) {
            sink.suspendWrites();
        }
    }

    @Override
    public boolean isWriteResumed() {
        return writesResumed;
    }

    @Override
    public void awaitWritable() throws IOException {
        sink.awaitWritable();
    }

    @Override
    public void awaitWritable(long time, TimeUnit unit) throws IOException {
        sink.awaitWritable(time, unit);
    }

    @Override
    public XnioIoThread getWriteThread() {
        return sink.getWriteThread();
    }

    @Override
    public void setWriteReadyHandler(WriteReadyHandler handler) {
        writer = handler;
    }

    @Override
    public boolean isWriteShutdown() {
        return writesEnded || connection.isWriteShutdown();
    }

    /** The socket's end, and before it the word that this was all, go out with {@link #flush}. */
    @Override
    public void terminateWrites() {
        writesEnded = true;
    }

    @Override
    public void truncateWrites() throws IOException {
        writesEnded = true;
        lastWordsSaid = true;
        if (!sinkEnded) {
            sinkEnded = true;
            sink.truncateWrites();
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

    // ---- Both

    @Override
    public XnioWorker getWorker() {
        return source.getWorker();
    }

    /** Says no last words: an answer that was cut off must not look complete. */
    void release() {
        if (!shared.isCurrent()) {
            source.getReadThread().execute(this::release);
            return;
        }
        if (released) {
            return;
        }
        released = true;
        readsEnded = true;
        writesEnded = true;
        endOfTurn();
        TlsEngines.finish(engine, shared.sent.clear());
        free(gathered);
        gathered = null;
        free(unsent);
        unsent = null;
        received = null;
        receivedRecord = false;
        decrypted = null;
    }

    private static void free(@Nullable PooledByteBuffer holder) {
        if (holder != null) {
            holder.close();
        }
    }
}
