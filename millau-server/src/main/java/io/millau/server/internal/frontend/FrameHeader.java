package io.millau.server.internal.frontend;

import java.nio.ByteBuffer;

/**
 * The head of the HTTP/2 frame that is received (RFC 9113, 4.1). Undertow reads it too, but does not expose it. For one thread.
 */
final class FrameHeader {

    /** The length of the preface that begins a client's connection (RFC 9113, 3.4). */
    private static final int PREFACE_BYTES = 24;

    private final byte[] bytes = new byte[9];
    private int skip = PREFACE_BYTES;
    private int count;

    /** Reads the missing bytes of the head; the buffer is not changed. */
    void read(ByteBuffer from) {
        int skipped = Math.min(skip, from.remaining());
        int taken = Math.min(bytes.length - count, from.remaining() - skipped);
        from.get(from.position() + skipped, bytes, count, taken);
        skip -= skipped;
        count += taken;
    }

    /** Prepares for the next frame. */
    void next() {
        count = 0;
    }

    int type() {
        return bytes[3];
    }

    /** The length of the payload, in bytes. */
    int length() {
        return (bytes[0] & 0xff) << 16 | (bytes[1] & 0xff) << 8 | bytes[2] & 0xff;
    }
}
