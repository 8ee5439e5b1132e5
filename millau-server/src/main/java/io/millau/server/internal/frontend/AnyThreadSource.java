package io.millau.server.internal.frontend;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.ConduitReadableByteChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.StreamSourceConduit;

/** The body of a request, which any thread may read, and wait for; see {@link IoThread}. */
final class AnyThreadSource extends AbstractStreamSourceConduit<StreamSourceConduit> {

    private final IoThread thread;
    private final IoThread.Reading reading;

    AnyThreadSource(StreamSourceConduit next, IoThread thread, IoThread.Reading reading) {
        super(next);
        this.thread = thread;
        this.reading = reading;
    }

    @Override
    public int read(ByteBuffer to) throws IOException {
        return thread.call(() -> {
            reading.begins();
            int count = next.read(to);
            reading.hasRead(count);
            return count;
        });
    }

    @Override
    public long read(ByteBuffer[] to, int offset, int length) throws IOException {
        return thread.call(() -> {
            reading.begins();
            long count = next.read(to, offset, length);
            reading.hasRead(count);
            return count;
        });
    }

    @Override
    public long transferTo(long position, long count, FileChannel target) throws IOException {
        return target.transferFrom(new ConduitReadableByteChannel(this), position, count);
    }

    @Override
    public long transferTo(long count, ByteBuffer through, StreamSinkChannel target) throws IOException {
        return Conduits.transfer(this, count, through, target);
    }

    @Override
    public void terminateReads() throws IOException {
        thread.perform(next::terminateReads);
    }

    @Override
    public void suspendReads() {
        thread.run(next::suspendReads);
    }

    @Override
    public void resumeReads() {
        thread.run(next::resumeReads);
    }

    @Override
    public void wakeupReads() {
        thread.run(next::wakeupReads);
    }

    @Override
    public void awaitReadable() throws IOException {
        thread.pause();
    }

    @Override
    public void awaitReadable(long time, TimeUnit unit) throws IOException {
        thread.pause();
    }
}
