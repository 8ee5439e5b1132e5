package io.millau.server.internal.frontend;

import java.nio.ByteBuffer;

/** The head of the HTTP/2 frame that comes in (RFC 9113, 4.1), which Undertow reads too, but keeps to itself. */
final class FrameHeader {

    /** What a client's connection begins with (3.4). */
    private static final int PREFACE_BYTES = 24;

    private final byte[] bytes = new byte[9];
    private int skip = PREFACE_BYTES;
    private int count;

    /** Takes what is still missing of it, and leaves the buffer as it was. */
    void read(ByteBuffer from) {
        int skipped = Math.min(skip, from.remaining());
        int taken = Math.min(bytes.length - count, from.remaining() - skipped);
        from.get(from.position() + skipped, bytes, count, taken);
        skip -= skipped;
        count += taken;
    }

    /** The frame was read. */
    void next() {
        count = 0;
    }

    int type() {
        return bytes[3];
    }

    /** Of the payload, in bytes. */
    int length() {
        return (bytes[0] & 0xff) << 16 | (bytes[1] & 0xff) << 8 | bytes[2] & 0xff;
    }
}
