package io.millau.server.internal.http2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.channels.StreamSourceChannel;
import org.xnio.conduits.ConduitWritableByteChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.WriteReadyHandler;

/**
 * Where the user of an HTTP/2 stream writes to, as to a socket: a writer that could not write everything is notified when it can
 * continue. For the connection's I/O thread alone.
 */
public abstract class StreamSink implements StreamSinkConduit {

    private final Http2Stream stream;
    private final StreamNotifier notifier;
    private @Nullable WriteReadyHandler writer;
    private boolean resumed;

    protected StreamSink(Http2Stream stream, StreamNotifier notifier) {
        this.stream = stream;
        this.notifier = notifier;
    }

    /** Whether a write would make progress. */
    public abstract boolean canWrite();

    /** Notifies the writer if it waits and can write now. */
    public final void tell() {
        if (resumed && writer != null && canWrite()) {
            notifier.unblock(stream);
            writer.writeReady();
        }
    }

    @Override
    public final long write(ByteBuffer[] from, int offset, int length) throws IOException {
        long total = 0;
        for (int i = offset; i < offset + length; i++) {
            total += write(from[i]);
            if (from[i].hasRemaining()) {
                break;
            }
        }
        return total;
    }

    @Override
    public final long transferFrom(FileChannel from, long position, long count) throws IOException {
        return from.transferTo(position, count, new ConduitWritableByteChannel(this));
    }

    @Override
    public final long transferFrom(StreamSourceChannel from, long count, ByteBuffer through) throws IOException {
        return Conduits.transfer(from, count, through, this);
    }

    @Override
    public int writeFinal(ByteBuffer from) throws IOException {
        return Conduits.writeFinalBasic(this, from);
    }

    @Override
    public final long writeFinal(ByteBuffer[] from, int offset, int length) throws IOException {
        return Conduits.writeFinalBasic(this, from, offset, length);
    }

    @Override
    public final void resumeWrites() {
        resumed = true;
        notifier.block(stream);
    }

    @Override
    public final void suspendWrites() {
        resumed = false;
        notifier.unblock(stream);
    }

    @Override
    public final void wakeupWrites() {
        resumed = true;
        notifier.tellLater(stream);
    }

    @Override
    public final boolean isWriteResumed() {
        return resumed;
    }

    @Override
    public final void awaitWritable() {
        throw new UnsupportedOperationException("an I/O thread does not wait");
    }

    @Override
    public final void awaitWritable(long time, TimeUnit unit) {
        awaitWritable();
    }

    @Override
    public final void setWriteReadyHandler(WriteReadyHandler handler) {
        writer = handler;
    }

    @Override
    public final XnioIoThread getWriteThread() {
        return stream.getIoThread();
    }

    @Override
    public final XnioWorker getWorker() {
        return stream.getWorker();
    }

    @Override
    public final void truncateWrites() {
        suspendWrites();
    }
}
