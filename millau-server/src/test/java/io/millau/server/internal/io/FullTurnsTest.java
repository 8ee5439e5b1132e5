package io.millau.server.internal.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.xnio.ChannelPipe;
import org.xnio.XnioIoThread;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.channels.StreamSourceChannel;

class FullTurnsTest {

    @RegisterExtension
    final IoThread io = new IoThread();

    /** A task that adds a task runs before that, again and again. */
    @Test
    void whatIsReadyIsReadInBetween() throws Exception {
        CompletableFuture<List<String>> noted = new CompletableFuture<>();
        XnioIoThread thread = io.get();
        thread.execute(() -> {
            List<String> notes = new ArrayList<>();
            FullTurns turns = new FullTurns(thread);
            writeToBeRead(thread, () -> notes.add("read"));
            turns.take(2, () -> {
                notes.add("two turns");
                turns.take(2, () -> noted.complete(notes));
            });
            thread.execute(() -> thread.execute(() -> notes.add("tasks")));
        });

        assertThat(noted.get(60, TimeUnit.SECONDS)).containsExactly("tasks", "read", "two turns");
    }

    private static void writeToBeRead(XnioIoThread thread, Runnable whenRead) {
        try {
            ChannelPipe<StreamSourceChannel, StreamSinkChannel> pipe = thread.createHalfDuplexPipe();
            StreamSourceChannel source = pipe.getLeftSide();
            source.getReadSetter().set(channel -> {
                whenRead.run();
                source.suspendReads();
            });
            source.resumeReads();
            pipe.getRightSide().write(ByteBuffer.wrap(new byte[1]));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
