package io.millau.server.internal.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.server.internal.io.HeldMemory;
import io.millau.server.internal.io.Pieces;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeptBodyTest {

    private static final int MOST = 64 * 1024;

    private final HeldMemory memory = new HeldMemory(100_000);
    private final Pieces stock = new Pieces();

    private static byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        new Random(count).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1023, 1024, 1025, 5119, 5120, 5121, MOST})
    void whatIsKeptIsWhatWasAdded(int size) {
        byte[] body = bytes(size);
        KeptBody kept = KeptBody.of(memory, stock, size, MOST);

        for (int at = 0; at < size; at += 1000) {
            assertThat(kept.add(ByteBuffer.wrap(body), at, Math.min(1000, size - at)))
                    .isTrue();
        }

        ByteBuffer copy = ByteBuffer.allocate(size + 1);
        int copied = 0;
        while (copied < size) {
            copy.limit(Math.min(copied + 777, copy.capacity()));
            copied += kept.copy(copied, copy);
        }
        assertThat(kept.size()).isEqualTo(size);
        assertThat(copy.array()).startsWith(body);
    }

    @Test
    void aLongerBodyThanMayBeKeptIsRefusedWithItsLastBytes() {
        KeptBody kept = KeptBody.of(memory, stock, MOST + 1, MOST);
        ByteBuffer body = ByteBuffer.wrap(bytes(MOST + 1));

        assertThat(kept.add(body, 0, MOST)).isTrue();
        assertThat(kept.add(body, MOST, 1)).isFalse();
    }

    @Test
    void memoryIsTakenBeforeItIsNeededAndGivenBack() {
        KeptBody first = KeptBody.of(memory, stock, MOST, MOST);

        assertThat(memory.taken()).isEqualTo(64 * 1024);
        assertThat(KeptBody.of(memory, stock, MOST, MOST)).isNull();

        first.free();
        assertThat(memory.taken()).isZero();
        assertThat(KeptBody.of(memory, stock, MOST, MOST)).isNotNull();
    }

    @Test
    void aBodyOfUnknownLengthIsKeptWhileThereIsMemory() {
        KeptBody kept = KeptBody.of(new HeldMemory(Pieces.BYTES), stock, -1, MOST);
        ByteBuffer body = ByteBuffer.wrap(bytes(MOST));

        assertThat(kept.add(body, 0, 1024 + Pieces.BYTES)).isTrue();
        assertThat(kept.add(body, 1024 + Pieces.BYTES, 1)).isFalse();
    }

    @Test
    void piecesAreUsedAgain() {
        byte[] piece = stock.take();
        stock.giveBack(piece);

        assertThat(stock.take()).isSameAs(piece);
        assertThat(stock.take()).isNotSameAs(piece);
    }
}
