package io.millau.server.internal.io;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Ticker;
import io.undertow.connector.PooledByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class EventLoopTest {

    @RegisterExtension
    final IoThread io = new IoThread();

    /** What the script has noted on the loop's thread when all that it has added was done. */
    private List<String> noted(BiConsumer<EventLoop, List<String>> script) throws Exception {
        CompletableFuture<List<String>> noted = new CompletableFuture<>();
        io.get().execute(() -> {
            List<String> notes = new ArrayList<>();
            EventLoop loop = new EventLoop(io.get(), Ticker.system());
            script.accept(loop, notes);
            notes.add("end of the script");
            loop.execute(() -> loop.execute(() -> noted.complete(notes)));
        });
        return noted.get(60, TimeUnit.SECONDS);
    }

    @Test
    void tasksRunInTheirOrderAfterWhatIsBeingDone() throws Exception {
        assertThat(noted((loop, notes) -> {
                    loop.afterReads(() -> {
                        notes.add("a");
                        loop.afterReads(() -> notes.add("added by a"));
                    });
                    loop.afterReads(() -> notes.add("b"));
                }))
                .containsExactly("end of the script", "a", "b", "added by a");
    }

    @Test
    void aTaskThatFailsTakesNoOtherWithIt() throws Exception {
        assertThat(noted((loop, notes) -> {
                    loop.afterReads(() -> {
                        notes.add("a");
                        throw new IllegalStateException("on purpose");
                    });
                    loop.afterReads(() -> notes.add("b"));
                }))
                .containsExactly("end of the script", "a", "b");
    }

    /** Each may hold a buffer. */
    @Test
    void aBoundedNumberOfThemWaits() throws Exception {
        assertThat(noted((loop, notes) -> {
                    for (int i = 0; i < 65; i++) {
                        loop.afterReads(() -> notes.add("task"));
                    }
                    notes.add("65th added");
                }))
                .hasSize(67)
                .startsWith(Collections.nCopies(64, "task").toArray(new String[0]))
                .endsWith("65th added", "end of the script", "task");
    }

    /** What is not decoded yet waits behind the limit. */
    @Test
    void whatIsBehindTheLimitMovesToASmallBufferToo() throws Exception {
        assertThat(noted((loop, notes) -> {
                    List<PooledByteBuffer> many = new ArrayList<>();
                    while (loop.readBytes() != DirectMemory.SMALL_BYTES) {
                        many.add(loop.buffers.allocate());
                    }
                    PooledByteBuffer held = many.remove(0);
                    held.getBuffer()
                            .put("xdecodedREST".getBytes(US_ASCII))
                            .position(1)
                            .limit(8);
                    PooledByteBuffer moved = loop.shrink(held, 12);
                    byte[] bytes = new byte[11];
                    moved.getBuffer().get(0, bytes);
                    notes.add(EventLoop.isSmall(moved) + " " + new String(bytes, US_ASCII));
                    moved.close();
                    many.forEach(PooledByteBuffer::close);
                }))
                .containsExactly("true decodedREST", "end of the script");
    }
}
