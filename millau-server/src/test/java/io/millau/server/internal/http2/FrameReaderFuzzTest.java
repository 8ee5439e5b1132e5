package io.millau.server.internal.http2;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.Fuzz;
import io.millau.server.internal.io.HeldMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The frames of a connection are read alike in any pieces, and what a reader keeps has a limit. */
class FrameReaderFuzzTest {

    private static final int MAX_BLOCK_BYTES = 200;

    @Test
    void framesAreReadAlikeInAnyPieces() throws Exception {
        Fuzz.of(
                        "frames",
                        "\0\0\0",
                        "\0\0\u0004\u0008\0\0\0\0\0\0\0\u0001\0",
                        "\0\0\0\u0009\u0004\0\0\0\u0003",
                        "\0\0\0\u0001\u0004\0\0\0\u0001",
                        "\u0000\u0040\u0000",
                        "\u0080",
                        "\u00ff\u00ff\u00ff\u00ff")
                .check((input, random) -> assertThat(read(input, Fuzz.cuts(input.length, random)))
                        .isEqualTo(read(input, List.of(input.length))));
    }

    private static String read(byte[] input, List<Integer> cuts) throws IOException {
        Recorder recorder = new Recorder();
        FrameReader reader = new FrameReader(recorder, new HeldMemory(Long.MAX_VALUE), MAX_BLOCK_BYTES);
        byte[] kept = {};
        int from = 0;
        try {
            for (int cut : cuts) {
                ByteBuffer buffer = ByteBuffer.allocate(kept.length + cut - from);
                buffer.put(kept).put(input, from, cut - from).flip();
                from = cut;
                int steps = 0;
                while (reader.read(buffer)) {
                    assertThat(++steps).as("frames in %d bytes", input.length).isLessThanOrEqualTo(input.length);
                }
                kept = new byte[buffer.remaining()];
                buffer.get(kept);
                assertThat(kept.length).isLessThan(Http2.FRAME_HEAD_BYTES + Http2.MAX_PAYLOAD_BYTES);
            }
        } catch (Http2.ConnectionException e) {
            assertThat(e.getMessage()).as("a reason").isNotBlank();
            recorder.events.add("error " + e.code);
        }
        recorder.endData();
        return String.join("\n", recorder.events) + "\n" + reader.frames() + " " + reader.inBlock();
    }

    private static final class Recorder implements FrameReceiver {
        final List<String> events = new ArrayList<>();
        private @Nullable StringBuilder data;
        private int counted;

        @Override
        public void frame(int type, int length) {
            endData();
            events.add("frame " + type + " " + length);
        }

        @Override
        public void data(int stream, ByteBuffer bytes, int counted, boolean ends) {
            StringBuilder all = data == null ? new StringBuilder("data " + stream + " ") : data;
            data = all.append(StandardCharsets.ISO_8859_1.decode(bytes)).append(ends ? " ends" : "");
            this.counted += counted;
        }

        /** Pieces of one frame are one. */
        void endData() {
            if (data != null) {
                events.add(data + " " + counted);
            }
            data = null;
            counted = 0;
        }

        @Override
        public void headers(int stream, ByteBuffer block, boolean ends, @Nullable String problem) {
            endData();
            assertThat(block.remaining()).isLessThanOrEqualTo(Math.max(MAX_BLOCK_BYTES, Http2.MAX_PAYLOAD_BYTES));
            events.add("headers " + stream + " " + StandardCharsets.ISO_8859_1.decode(block) + ends + problem);
        }

        @Override
        public void reset(int stream, int code) {
            events.add("reset " + stream + " " + code);
        }

        @Override
        public void streamError(int stream, int code, String problem) {
            events.add("stream error " + stream + " " + code + " " + problem);
        }

        @Override
        public void setting(int name, long value) {
            events.add("setting " + name + " " + value);
        }

        @Override
        public void settingsReceived() {
            events.add("settings");
        }

        @Override
        public void ping(ByteBuffer payload) {
            events.add("ping " + payload.getLong());
        }

        @Override
        public void pingAcknowledged() {
            events.add("pong");
        }

        @Override
        public void goneAway(int last, int code) {
            events.add("gone " + last + " " + code);
        }

        @Override
        public void windowUpdate(int stream, int more) {
            events.add("window " + stream + " " + more);
        }
    }
}
