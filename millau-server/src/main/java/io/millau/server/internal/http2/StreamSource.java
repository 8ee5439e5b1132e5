package io.millau.server.internal.http2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.ConduitReadableByteChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSourceConduit;

/**
 * Where the user of an HTTP/2 stream reads from, as from a socket: a reader that waits is notified when there is something to
 * read. For the connection's I/O thread alone.
 */
public abstract class StreamSource implements StreamSourceConduit {

    private final Http2Stream stream;
    private final StreamNotifier notifier;
    private @Nullable ReadReadyHandler reader;
    private boolean resumed;

    protected StreamSource(Http2Stream stream, StreamNotifier notifier) {
        this.stream = stream;
        this.notifier = notifier;
    }

    /** Whether there is something to read: bytes, the end, or a failure. */
    public abstract boolean readable();

    /** Whether there is something to read that the reader waits for. */
    public final boolean isAwaited() {
        return resumed && readable();
    }

    /** Notifies the reader if it waits and there is something to read. */
    public final void tell() {
        if (isAwaited() && reader != null) {
            reader.readReady();
        }
    }

    @Override
    public final long read(ByteBuffer[] to, int offset, int length) throws IOException {
        long total = 0;
        for (int i = offset; i < offset + length; i++) {
            if (to[i].hasRemaining()) {
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
    public final long transferTo(long position, long count, FileChannel target) throws IOException {
        return target.transferFrom(new ConduitReadableByteChannel(this), position, count);
    }

    @Override
    public final long transferTo(long count, ByteBuffer through, StreamSinkChannel target) throws IOException {
        return Conduits.transfer(this, count, through, target);
    }

    @Override
    public final void resumeReads() {
        resumed = true;
        if (readable()) {
            notifier.tellLater(stream);
        }
    }

    @Override
    public final void suspendReads() {
        resumed = false;
    }

    @Override
    public final void wakeupReads() {
        resumed = true;
        notifier.tellLater(stream);
    }

    @Override
    public final boolean isReadResumed() {
        return resumed;
    }

    @Override
    public final void awaitReadable() {
        throw new UnsupportedOperationException("an I/O thread does not wait");
    }

    @Override
    public final void awaitReadable(long time, TimeUnit unit) {
        awaitReadable();
    }

    @Override
    public final void setReadReadyHandler(ReadReadyHandler handler) {
        reader = handler;
    }

    @Override
    public final XnioIoThread getReadThread() {
        return stream.getIoThread();
    }

    @Override
    public final XnioWorker getWorker() {
        return stream.getWorker();
    }

    @Override
    public final void terminateReads() {
        resumed = false;
    }
}
