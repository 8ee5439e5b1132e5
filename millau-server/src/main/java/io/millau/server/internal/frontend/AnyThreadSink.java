package io.millau.server.internal.frontend;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import org.xnio.channels.StreamSourceChannel;
import org.xnio.conduits.AbstractStreamSinkConduit;
import org.xnio.conduits.ConduitWritableByteChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.StreamSinkConduit;

/** The body of a response, which any thread may write, and wait for; see {@link IoThread}. */
final class AnyThreadSink extends AbstractStreamSinkConduit<StreamSinkConduit> {

    private final IoThread thread;

    AnyThreadSink(StreamSinkConduit next, IoThread thread) {
        super(next);
        this.thread = thread;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        return thread.call(() -> next.write(from));
    }

    @Override
    public long write(ByteBuffer[] from, int offset, int length) throws IOException {
        return thread.call(() -> next.write(from, offset, length));
    }

    @Override
    public int writeFinal(ByteBuffer from) throws IOException {
        return thread.call(() -> next.writeFinal(from));
    }

    @Override
    public long writeFinal(ByteBuffer[] from, int offset, int length) throws IOException {
        return thread.call(() -> next.writeFinal(from, offset, length));
    }

    @Override
    public long transferFrom(FileChannel from, long position, long count) throws IOException {
        return from.transferTo(position, count, new ConduitWritableByteChannel(this));
    }

    @Override
    public long transferFrom(StreamSourceChannel from, long count, ByteBuffer through) throws IOException {
        return Conduits.transfer(from, count, through, this);
    }

    @Override
    public boolean flush() throws IOException {
        return thread.call(next::flush);
    }

    @Override
    public void terminateWrites() throws IOException {
        thread.perform(next::terminateWrites);
    }

    @Override
    public void truncateWrites() throws IOException {
        thread.perform(next::truncateWrites);
    }

    @Override
    public void suspendWrites() {
        thread.run(next::suspendWrites);
    }

    @Override
    public void resumeWrites() {
        thread.run(next::resumeWrites);
    }

    @Override
    public void wakeupWrites() {
        thread.run(next::wakeupWrites);
    }

    @Override
    public void awaitWritable() throws IOException {
        thread.pause();
    }

    @Override
    public void awaitWritable(long time, TimeUnit unit) throws IOException {
        thread.pause();
    }
}
