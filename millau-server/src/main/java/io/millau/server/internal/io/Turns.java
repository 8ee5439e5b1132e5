package io.millau.server.internal.io;

import java.io.IOException;
import java.util.ArrayDeque;
import org.xnio.ChannelPipe;
import org.xnio.XnioIoThread;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.channels.StreamSourceChannel;

/**
 * Gives pieces of long work their turns: one in each turn of the event loop, so that everything that is ready is done in between.
 * For the loop's thread alone.
 *
 * <p>A task of {@link EventLoop#execute} would not do: all tasks run, those that they add too, before the thread looks at its sockets
 * again. A pipe into which nobody writes can always be written to, so it is ready each time.
 */
public final class Turns {

    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();

    /** Ends with its thread, which closes it. */
    private final ChannelPipe<StreamSourceChannel, StreamSinkChannel> pipe;

    /** @throws IOException if no more files can be opened */
    public Turns(XnioIoThread thread) throws IOException {
        pipe = thread.createHalfDuplexPipe();
        pipe.getRightSide().getWriteSetter().set(this::next);
    }

    /** Runs a piece when all those that wait have had their turns. */
    public void await(Runnable piece) {
        waiting.add(piece);
        pipe.getRightSide().resumeWrites();
    }

    private void next(StreamSinkChannel sink) {
        Runnable piece = waiting.poll();
        if (waiting.isEmpty()) {
            sink.suspendWrites();
        }
        if (piece != null) {
            piece.run();
        }
    }
}
