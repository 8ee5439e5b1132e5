package io.millau.server.internal.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xnio.ChannelPipe;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.channels.StreamSourceChannel;

class TurnsTest {

    private XnioWorker worker;
    private XnioIoThread thread;

    @BeforeEach
    void start() throws Exception {
        worker = Xnio.getInstance().createWorker(OptionMap.create(Options.WORKER_IO_THREADS, 1));
        thread = worker.getIoThread();
    }

    @AfterEach
    void stop() throws Exception {
        worker.shutdownNow();
        assertThat(worker.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    }

    private interface Script {
        void play(Turns turns, CompletableFuture<List<String>> seen) throws Exception;
    }

    private List<String> seenBy(Script script) throws Exception {
        CompletableFuture<List<String>> seen = new CompletableFuture<>();
        thread.execute(() -> {
            try {
                script.play(new Turns(thread), seen);
            } catch (Throwable e) {
                seen.completeExceptionally(e);
            }
        });
        return seen.get(60, TimeUnit.SECONDS);
    }

    @Test
    void piecesTakeTurns() throws Exception {
        assertThat(seenBy((turns, seen) -> {
                    List<String> pieces = new ArrayList<>();
                    for (String name : List.of("a", "b", "c")) {
                        turns.await(() -> {
                            pieces.add(name + "1");
                            turns.await(() -> {
                                pieces.add(name + "2");
                                if (pieces.size() == 6) {
                                    seen.complete(pieces);
                                }
                            });
                        });
                    }
                }))
                .containsExactly("a1", "b1", "c1", "a2", "b2", "c2");
    }

    /** Tasks of the thread would all run before it looks at its sockets again. */
    @Test
    void whatIsReadyIsDoneBetweenTwoPieces() throws Exception {
        List<String> done = seenBy((turns, seen) -> {
            List<String> events = new ArrayList<>();
            ChannelPipe<StreamSourceChannel, StreamSinkChannel> socket = thread.createHalfDuplexPipe();
            socket.getLeftSide().getReadSetter().set(source -> {
                events.add("socket");
                source.suspendReads();
            });
            socket.getRightSide().write(ByteBuffer.allocate(1));
            socket.getLeftSide().resumeReads();
            Runnable piece = new Runnable() {
                @Override
                public void run() {
                    events.add("piece");
                    if (events.size() < 5) {
                        turns.await(this);
                    } else {
                        seen.complete(events);
                    }
                }
            };
            piece.run();
        });

        assertThat(done).hasSize(5).startsWith("piece");
        assertThat(done.indexOf("socket")).isBetween(1, 2);
    }
}
