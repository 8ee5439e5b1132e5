package io.millau.server.internal.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.undertow.connector.PooledByteBuffer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A thread's buffer pool: returned buffers are reused, each once, and only a limited number is kept. */
class BuffersTest {

    private final Buffers buffers = new Buffers(1024 * 1024);

    @Test
    void theLastReturnedBufferIsReusedFirstAndIsEmpty() {
        PooledByteBuffer first = buffers.allocate();
        ByteBuffer bytes = first.getBuffer();
        bytes.position(7).limit(9);
        first.close();

        assertThat(buffers.allocate().getBuffer())
                .isSameAs(bytes)
                .satisfies(taken -> assertThat(taken.remaining()).isEqualTo(1024 * 1024));
    }

    @Test
    void aBufferReturnedTwiceIsReusedOnce() {
        PooledByteBuffer taken = buffers.allocate();
        taken.close();
        taken.close();

        assertThat(buffers.allocate().getBuffer())
                .isNotSameAs(buffers.allocate().getBuffer());
        assertThat(taken.isOpen()).isFalse();
        assertThatThrownBy(taken::getBuffer).hasMessageContaining("given back");
    }

    @Test
    void buffersOfABurstAreReleased() {
        List<PooledByteBuffer> burst = new ArrayList<>();
        Set<Integer> addresses = new HashSet<>();
        for (int i = 0; i < 10; i++) {
            burst.add(buffers.allocate());
            addresses.add(System.identityHashCode(burst.get(i).getBuffer()));
        }
        burst.forEach(PooledByteBuffer::close);

        int known = 0;
        for (int i = 0; i < 10; i++) {
            known += addresses.contains(
                            System.identityHashCode(buffers.allocate().getBuffer()))
                    ? 1
                    : 0;
        }
        assertThat(known).as("4 MiB of buffers").isEqualTo(4);
    }
}
