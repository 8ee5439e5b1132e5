package io.millau.server.internal.http2;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.Fuzz;
import io.millau.server.internal.http2.Http2.ConnectionException;
import io.undertow.protocols.http2.HpackDecoder;
import io.undertow.protocols.http2.HpackException;
import io.undertow.util.HttpString;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Header blocks are read as Undertow's decoder reads them, or one of both refuses them. */
class HeaderBlockFuzzTest {

    /** An input is blocks of one connection, each after a byte with its length. */
    @Test
    void blocksAreReadAsUndertowReadsThem() throws Exception {
        Fuzz.of(
                        "header-blocks",
                        "\u0001\u0082",
                        "\u0001\u00be",
                        "\u0040\u0001x\u0001y",
                        "\u0000\u0000\u0000",
                        "\u0000\u0003x\ry\u0000",
                        "\u003f\u00e1\u001f",
                        "\u0020",
                        "\u0040\u0081\u00f3\u0081\u0007",
                        "\u007f\u00ff\u00ff\u00ff\u00ff\u000f",
                        "\u00ff\u0000")
                .check((input, random) -> {
                    List<String> ours = new ArrayList<>();
                    HeaderBlockReader reader = new HeaderBlockReader((name, value) -> ours.add(text(name, value)));
                    List<String> undertows = new ArrayList<>();
                    HpackDecoder decoder = new HpackDecoder();
                    decoder.setHeaderEmitter((name, value, never) -> undertows.add(text(name, value)));
                    for (int at = 0; at < input.length; ) {
                        int length = Math.min(input[at++] & 0xff, input.length - at);
                        ByteBuffer block = ByteBuffer.wrap(input, at, length);
                        ByteBuffer direct = ByteBuffer.allocateDirect(length).put(block.duplicate());
                        at += length;
                        if (!reads(reader, direct.flip()) || !reads(decoder, block)) {
                            return;
                        }
                        assertThat(ours).isEqualTo(undertows);
                    }
                });
    }

    private static String text(HttpString name, String value) {
        byte[] bytes = new byte[name.length()];
        name.copyTo(bytes, 0);
        return new String(bytes, StandardCharsets.ISO_8859_1) + ": " + value;
    }

    private static boolean reads(HeaderBlockReader reader, ByteBuffer block) {
        try {
            reader.read(block);
            return true;
        } catch (ConnectionException e) {
            assertThat(e.code).isEqualTo(Http2.COMPRESSION_ERROR);
            return false;
        }
    }

    /** Undertow leaves a field that is cut off for later. */
    private static boolean reads(HpackDecoder decoder, ByteBuffer block) {
        try {
            decoder.decode(block, false);
            return !block.hasRemaining();
        } catch (HpackException | RuntimeException e) {
            return false;
        }
    }
}
