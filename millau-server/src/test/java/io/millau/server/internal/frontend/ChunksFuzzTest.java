package io.millau.server.internal.frontend;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.Fuzz;
import io.millau.server.FuzzedRequests;
import io.millau.server.internal.http.ChunkDecoder;
import io.millau.server.internal.http.HeaderNames;
import io.millau.server.internal.http.MalformedResponseException;
import io.millau.server.internal.http.ResponseHead;
import io.millau.server.internal.http.ResponseTrailers;
import io.millau.server.internal.io.HeldMemory;
import io.undertow.util.HeaderMap;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A chunked body is read alike in any pieces, of requests and of responses; what was read can be sent in other chunks. */
class ChunksFuzzTest {

    /**
     * What was read of some bytes.
     *
     * @param rest how many bytes follow the body
     * @param problem why it is malformed; null if it is not
     */
    private record Read(
            String body, boolean ended, int rest, @Nullable String problem) {}

    @Test
    void chunksAreReadAlikeInAnyPieces() throws Exception {
        Fuzz.of("chunks", FuzzedRequests.DICTIONARY).check((input, random) -> {
            for (boolean strict : new boolean[] {true, false}) {
                Read whole = read(input, List.of(input.length), strict);
                Read pieces = read(input, Fuzz.cuts(input.length, random), strict);
                if (whole.problem != null) {
                    assertThat(pieces.problem).isEqualTo(whole.problem);
                    continue;
                }
                assertThat(pieces).isEqualTo(whole);
                byte[] again = ("\r\n" + Integer.toHexString(whole.body.length()) + "\r\n" + whole.body
                                + "\r\n0\r\n\r\n")
                        .getBytes(StandardCharsets.ISO_8859_1);
                byte[] sent = Arrays.copyOfRange(again, 2, again.length);
                if (!whole.body.isEmpty()) {
                    assertThat(read(sent, List.of(sent.length), strict)).isEqualTo(new Read(whole.body, true, 0, null));
                }
                if (strict && whole.ended) {
                    assertThat(read(input, List.of(input.length), false))
                            .as("what requests may have, responses may have, too")
                            .isEqualTo(whole);
                }
            }
        });
    }

    private static Read read(byte[] input, List<Integer> cuts, boolean strict) {
        ChunkDecoder decoder = strict
                ? ChunkDecoder.strict(new RequestTrailers())
                : ChunkDecoder.tolerant(new ResponseTrailers(new ResponseHead()));
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        byte[] kept = {};
        int from = 0;
        try {
            for (int cut : cuts) {
                ByteBuffer buffer = ByteBuffer.allocate(kept.length + cut - from);
                buffer.put(kept).put(input, from, cut - from).flip();
                from = cut;
                int restEnd = decoder.decode(buffer);
                body.write(buffer.array(), buffer.position(), buffer.remaining());
                kept = Arrays.copyOfRange(buffer.array(), buffer.limit(), restEnd);
                if (decoder.ended()) {
                    break;
                }
            }
        } catch (MalformedResponseException | RejectedBodyException e) {
            assertThat(e.getMessage()).as("a reason").isNotBlank();
            return new Read("", false, 0, e.getMessage());
        } catch (IOException e) {
            throw new AssertionError("an undocumented exception", e);
        }
        int rest = decoder.ended() ? kept.length + input.length - from : 0;
        return new Read(body.toString(StandardCharsets.ISO_8859_1), decoder.ended(), rest, null);
    }

    private static final class RequestTrailers implements ChunkDecoder.Message {
        private final HeadReader reader =
                HeadReader.ofTrailers(new HeaderNames(), new HeldMemory(Long.MAX_VALUE), new HeaderMap());

        @Override
        public boolean readTrailers(ByteBuffer buffer) throws IOException {
            return reader.readTrailers(buffer) != null;
        }

        @Override
        public IOException malformed(String reason) {
            return new RejectedBodyException(Rejection.badRequest(reason));
        }
    }
}
