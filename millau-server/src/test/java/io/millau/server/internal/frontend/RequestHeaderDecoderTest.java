package io.millau.server.internal.frontend;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.server.internal.http2.HeaderBlock;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class RequestHeaderDecoderTest {

    private final RequestHeaderDecoder decoder = new RequestHeaderDecoder();

    private void readTrailer(String name) throws Exception {
        byte[] bytes = name.getBytes();
        HeaderBlock block = new HeaderBlock();
        block.name(bytes, 0, bytes.length);
        block.string("a");
        decoder.read(ByteBuffer.wrap(block.bytes(), 0, block.length()));
    }

    @Test
    void malformedTrailersAreFound() throws Exception {
        readTrailer("");
        assertThat(decoder.trailersProblem()).isEqualTo("field without a name, expected a token in lower case");
        readTrailer("x\ry");
        assertThat(decoder.trailersProblem()).isEqualTo("field named x?y, expected a token in lower case");
        readTrailer(":protocol");
        assertThat(decoder.trailersProblem()).isEqualTo("pseudo-header fields in trailers");
        readTrailer("x");
        assertThat(decoder.trailersProblem()).isNull();
    }

    /** 16 kB of references to a field of 4 kB counted as 64 MB of memory, which kept requests of others out. */
    @Test
    void whatIsNotKeptDoesNotCount() throws Exception {
        byte[] field = new byte[4000];
        Arrays.fill(field, (byte) 'a');
        ByteBuffer block = ByteBuffer.allocate(20_000);
        block.put(new byte[] {0x40, 1, 'x', 127, (byte) 0xa1, 30}).put(field);
        for (int i = 0; i < 15_000; i++) {
            block.put((byte) 0xbe);
        }
        decoder.read(block.flip());
        assertThat(decoder.head().rejection()).isNotNull();
        assertThat(decoder.size()).isEqualTo(Rejection.MAX_HEAD_BYTES);
    }
}
