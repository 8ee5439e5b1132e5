package io.millau.server.internal.frontend;

import io.millau.server.internal.http.Http2;
import java.nio.ByteBuffer;

/**
 * The head of the HTTP/2 frame that was received last (RFC 9113, 4.1). Undertow reads it too, but does not expose it. For one thread.
 */
final class FrameHeader {

    /** The length of the preface that begins a client's connection (RFC 9113, 3.4). */
    private static final int PREFACE_BYTES = 24;

    private final byte[] bytes = new byte[Http2.FRAME_HEAD_BYTES];
    private int count;
    private int skip = PREFACE_BYTES;
    private int type;
    private int flags;
    private int length;
    private int stream;

    /** Reads bytes that Undertow has read: frames with their payload, except for DATA, whose payload it reads elsewhere. */
    void read(ByteBuffer from, int start, int end) {
        int at = start;
        while (at < end) {
            int skipped = Math.min(skip, end - at);
            skip -= skipped;
            at += skipped;
            int taken = Math.min(bytes.length - count, end - at);
            from.get(at, bytes, count, taken);
            count += taken;
            at += taken;
            if (count == bytes.length) {
                count = 0;
                parse();
            }
        }
    }

    private void parse() {
        length = (bytes[0] & 0xff) << 16 | (bytes[1] & 0xff) << 8 | bytes[2] & 0xff;
        type = bytes[3] & 0xff;
        flags = bytes[4] & 0xff;
        stream = (bytes[5] & 0x7f) << 24 | (bytes[6] & 0xff) << 16 | (bytes[7] & 0xff) << 8 | bytes[8] & 0xff;
        skip = type == Http2.DATA ? 0 : length;
    }

    /** Called after Undertow has read a whole frame, so that the next byte begins another. */
    void next() {
        count = 0;
        skip = 0;
    }

    int type() {
        return type;
    }

    /** Whether it is a part of a header block that another frame follows. */
    boolean isUnfinishedBlock() {
        return (type == Http2.HEADERS || type == Http2.CONTINUATION) && (flags & Http2.END_HEADERS) == 0;
    }

    /** The length of the payload, in bytes. */
    int length() {
        return length;
    }

    int stream() {
        return stream;
    }
}
