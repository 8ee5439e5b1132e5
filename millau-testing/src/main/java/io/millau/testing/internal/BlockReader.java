package io.millau.testing.internal;

import io.undertow.protocols.http2.HpackDecoder;
import io.undertow.protocols.http2.HpackException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Decodes the header blocks of one direction of an HTTP/2 connection, in the order they arrived. */
public final class BlockReader {

    private final HpackDecoder decoder = new HpackDecoder();
    private final List<String> fields = new ArrayList<>();

    public BlockReader() {
        decoder.setHeaderEmitter((name, value, neverIndex) -> fields.add(name + ": " + value));
    }

    /** The decoded fields, each as {@code name: value}. */
    public List<String> read(String payload) throws IOException {
        fields.clear();
        try {
            decoder.decode(ByteBuffer.wrap(payload.getBytes(StandardCharsets.ISO_8859_1)), false);
        } catch (HpackException e) {
            throw new IOException(e);
        }
        return List.copyOf(fields);
    }
}
