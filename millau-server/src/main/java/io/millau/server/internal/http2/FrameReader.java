package io.millau.server.internal.http2;

import io.millau.server.internal.http2.Http2.ConnectionException;
import io.millau.server.internal.io.HeldMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads the frames that the peer sends over an HTTP/2 connection (RFC 9113, 4 and 6): checks their form, assembles header
 * blocks, and passes their content on. For one connection, on its I/O thread.
 *
 * <p>The payload of DATA is passed on as it arrives. Other frames are read when they are whole.
 */
public final class FrameReader {

    private static final byte[] NOTHING = {};

    private final FrameReceiver receiver;
    private final HeldMemory memory;
    private final int maxBlockBytes;
    private boolean first = true;
    private int frames;

    /** The beginning of a header block that is not complete. */
    private byte[] block = NOTHING;

    private int blockBytes;

    /** The stream of that block; 0 for none. */
    private int blockStream;

    private boolean blockEnds;
    private @Nullable String blockProblem;

    /** Whether a part of a DATA frame is still to come. */
    private boolean inData;

    private int dataStream;
    private boolean dataEnds;
    private int dataLeft;
    private int paddingLeft;

    /** Bytes that count against the windows and were not reported yet: the length of the padding. */
    private int dataCounted;

    /**
     * @param memory is asked for what a header block takes until it is complete
     * @param maxBlockBytes the longest header block that is accepted
     */
    public FrameReader(FrameReceiver receiver, HeldMemory memory, int maxBlockBytes) {
        this.memory = memory;
        this.receiver = receiver;
        this.maxBlockBytes = maxBlockBytes;
    }

    /** How many frames were read; those of a header block count as one, when it is complete. */
    public int frames() {
        return frames;
    }

    /** Whether a header block has begun and is not complete. */
    public boolean inBlock() {
        return blockStream != 0;
    }

    /** Reads a frame (RFC 9113, 4.1), or a part of the payload of DATA; false if more bytes are needed. */
    public boolean read(ByteBuffer buffer) throws IOException, ConnectionException {
        if (inData) {
            return readData(buffer);
        }
        if (buffer.remaining() < Http2.FRAME_HEAD_BYTES) {
            return false;
        }
        int at = buffer.position();
        int length = (buffer.get(at) & 0xff) << 16 | buffer.getShort(at + 1) & 0xffff;
        int type = buffer.get(at + 3) & 0xff;
        int flags = buffer.get(at + 4) & 0xff;
        int stream = buffer.getInt(at + 5) & Integer.MAX_VALUE;
        if (first && (type != Http2.SETTINGS || flags != 0 || stream != 0 || length > 6 * 256)) {
            throw new ConnectionException(Http2.PROTOCOL_ERROR, "no HTTP/2: " + shown(buffer));
        }
        if (length > Http2.MAX_PAYLOAD_BYTES) {
            throw new ConnectionException(Http2.FRAME_SIZE_ERROR, "frame of " + length + " bytes");
        }
        if (blockStream != 0 && (type != Http2.CONTINUATION || stream != blockStream)) {
            throw error("frame of type " + type + " in a header block");
        }
        if (type == Http2.DATA) {
            return beginData(flags, stream, length, buffer);
        }
        if (buffer.remaining() < Http2.FRAME_HEAD_BYTES + length) {
            return false;
        }
        first = false;
        int limit = buffer.limit();
        int end = at + Http2.FRAME_HEAD_BYTES + length;
        buffer.limit(end).position(at + Http2.FRAME_HEAD_BYTES);
        receiver.frame(type, length);
        take(type, flags, stream, buffer);
        frames += inBlock() ? 0 : 1;
        buffer.limit(limit).position(end);
        return true;
    }

    private void take(int type, int flags, int stream, ByteBuffer payload) throws IOException, ConnectionException {
        switch (type) {
            case Http2.HEADERS -> headers(flags, stream, payload);
            case Http2.PRIORITY -> priority(stream, payload);
            case Http2.RST_STREAM -> reset(stream, payload);
            case Http2.SETTINGS -> settings(flags, stream, payload);
            case Http2.PUSH_PROMISE -> throw error("PUSH_PROMISE, although push is disabled");
            case Http2.PING -> ping(flags, stream, payload);
            case Http2.GO_AWAY -> goneAway(stream, payload);
            case Http2.WINDOW_UPDATE -> windowUpdate(stream, payload);
            case Http2.CONTINUATION -> continuation(flags, payload);
            default -> {} // what extensions add (5.5)
        }
    }

    private boolean beginData(int flags, int stream, int length, ByteBuffer buffer)
            throws IOException, ConnectionException {
        expectStream(stream, "DATA");
        int padded = (flags & Http2.PADDED) == 0 ? 0 : 1;
        if (buffer.remaining() < Http2.FRAME_HEAD_BYTES + Math.min(length, padded)) {
            return false;
        }
        buffer.position(buffer.position() + Http2.FRAME_HEAD_BYTES);
        int padding = padded == 0 ? 0 : length == 0 ? 256 : buffer.get() & 0xff;
        expect(padding + padded <= length, "padding of " + padding + " bytes in a frame of " + length);
        receiver.frame(Http2.DATA, length);
        inData = true;
        dataStream = stream;
        dataEnds = (flags & Http2.END_STREAM) != 0;
        dataLeft = length - padded - padding;
        paddingLeft = padding;
        dataCounted = padded;
        return readData(buffer);
    }

    private boolean readData(ByteBuffer buffer) throws IOException, ConnectionException {
        int limit = buffer.limit();
        int part = Math.min(dataLeft, buffer.remaining());
        int end = buffer.position() + part;
        dataLeft -= part;
        int skipped = dataLeft > 0 ? 0 : Math.min(paddingLeft, limit - end);
        paddingLeft -= skipped;
        inData = dataLeft > 0 || paddingLeft > 0;
        frames += inData ? 0 : 1;
        int counted = dataCounted + part + skipped;
        dataCounted = 0;
        if (counted > 0 || !inData) {
            buffer.limit(end);
            receiver.data(dataStream, buffer, counted, dataEnds && !inData);
        }
        buffer.limit(limit).position(end + skipped);
        return !inData;
    }

    private void headers(int flags, int stream, ByteBuffer payload) throws IOException, ConnectionException {
        expectStream(stream, "HEADERS");
        if ((flags & Http2.PADDED) != 0) {
            int padding = payload.hasRemaining() ? payload.get() & 0xff : 256;
            expect(padding <= payload.remaining(), "padding of " + padding + " bytes in a frame of less");
            payload.limit(payload.limit() - padding);
        }
        blockProblem = null;
        if ((flags & Http2.HAS_PRIORITY) != 0) {
            expect(payload.remaining() >= 5, "HEADERS without its priority");
            blockProblem = dependsOnItself(stream, payload) ? "stream that depends on itself" : null;
            payload.get(); // the weight
        }
        blockStream = stream;
        blockEnds = (flags & Http2.END_STREAM) != 0;
        continuation(flags, payload);
    }

    private void continuation(int flags, ByteBuffer payload) throws IOException, ConnectionException {
        expect(blockStream != 0, "CONTINUATION without HEADERS");
        boolean whole = (flags & Http2.END_HEADERS) != 0;
        if (!whole || blockBytes > 0) {
            append(payload);
        }
        if (!whole) {
            return;
        }
        ByteBuffer complete = blockBytes > 0 ? ByteBuffer.wrap(block, 0, blockBytes) : payload;
        int stream = blockStream;
        forgetBlock();
        blockStream = 0;
        receiver.headers(stream, complete, blockEnds, blockProblem);
    }

    private void append(ByteBuffer payload) throws ConnectionException {
        int part = payload.remaining();
        if (blockBytes + part > maxBlockBytes) {
            throw new ConnectionException(
                    Http2.ENHANCE_YOUR_CALM, "header block of more than " + maxBlockBytes + " bytes");
        }
        if (block.length < blockBytes + part) {
            int next = Math.max(blockBytes + part, Math.min(2 * block.length, maxBlockBytes));
            if (!memory.take(next - block.length)) {
                throw new ConnectionException(Http2.ENHANCE_YOUR_CALM, "no memory for a header block");
            }
            block = Arrays.copyOf(block, next);
        }
        payload.get(block, blockBytes, part);
        blockBytes += part;
    }

    /** Gives back the memory of an incomplete header block; to be called at the end of the connection. */
    public void forgetBlock() {
        memory.free(block.length);
        block = NOTHING;
        blockBytes = 0;
    }

    private void priority(int stream, ByteBuffer payload) throws IOException, ConnectionException {
        expectStream(stream, "PRIORITY");
        if (payload.remaining() != 5) {
            receiver.streamError(stream, Http2.FRAME_SIZE_ERROR, "PRIORITY of " + payload.remaining() + " bytes");
        } else if (dependsOnItself(stream, payload)) {
            receiver.streamError(stream, Http2.PROTOCOL_ERROR, "stream that depends on itself");
        }
    }

    /** RFC 7540, 5.3.1; priorities have no other effect. */
    private static boolean dependsOnItself(int stream, ByteBuffer payload) {
        return (payload.getInt() & Integer.MAX_VALUE) == stream;
    }

    private void reset(int stream, ByteBuffer payload) throws IOException, ConnectionException {
        expectStream(stream, "RST_STREAM");
        expectLength(payload, 4);
        receiver.reset(stream, payload.getInt());
    }

    private void settings(int flags, int stream, ByteBuffer payload) throws IOException, ConnectionException {
        expect(stream == 0, "SETTINGS for stream " + stream);
        if ((flags & Http2.ACK) != 0) {
            expectLength(payload, 0);
            return;
        }
        readSettings(payload);
        receiver.settingsReceived();
    }

    /** Reads the payload of a SETTINGS frame. */
    public void readSettings(ByteBuffer payload) throws ConnectionException {
        if (payload.remaining() % 6 != 0) {
            throw new ConnectionException(Http2.FRAME_SIZE_ERROR, "SETTINGS of " + payload.remaining() + " bytes");
        }
        while (payload.hasRemaining()) {
            setting(payload.getShort() & 0xffff, payload.getInt() & 0xffffffffL);
        }
    }

    private void setting(int name, long value) throws ConnectionException {
        switch (name) {
            case Http2.ENABLE_PUSH, Http2.ENABLE_CONNECT_PROTOCOL ->
                expect(value <= 1, "setting " + name + " of " + value);
            case Http2.INITIAL_WINDOW_SIZE -> {
                if (value > Integer.MAX_VALUE) {
                    throw new ConnectionException(Http2.FLOW_CONTROL_ERROR, "initial window of " + value);
                }
            }
            case Http2.MAX_FRAME_SIZE ->
                expect(value >= Http2.MAX_PAYLOAD_BYTES && value < 1 << 24, "frame size of " + value);
            default -> {}
        }
        receiver.setting(name, value);
    }

    private void ping(int flags, int stream, ByteBuffer payload) throws IOException, ConnectionException {
        expectLength(payload, 8);
        expect(stream == 0, "PING for stream " + stream);
        if ((flags & Http2.ACK) == 0) {
            receiver.ping(payload);
        } else {
            receiver.pingAcknowledged();
        }
    }

    private void goneAway(int stream, ByteBuffer payload) throws ConnectionException {
        expect(stream == 0, "GOAWAY for stream " + stream);
        expect(payload.remaining() >= 8, "GOAWAY of " + payload.remaining() + " bytes");
        int last = payload.getInt() & Integer.MAX_VALUE;
        int code = payload.getInt();
        receiver.goneAway(last, code);
    }

    private void windowUpdate(int stream, ByteBuffer payload) throws IOException, ConnectionException {
        expectLength(payload, 4);
        receiver.windowUpdate(stream, payload.getInt() & Integer.MAX_VALUE);
    }

    private static void expectStream(int stream, String frame) throws ConnectionException {
        expect(stream != 0, frame + " for stream 0");
    }

    private static void expect(boolean holds, String otherwise) throws ConnectionException {
        if (!holds) {
            throw error(otherwise);
        }
    }

    private static void expectLength(ByteBuffer payload, int length) throws ConnectionException {
        if (payload.remaining() != length) {
            throw new ConnectionException(
                    Http2.FRAME_SIZE_ERROR, "frame of " + payload.remaining() + " bytes (expected " + length + ")");
        }
    }

    private static ConnectionException error(String message) {
        return new ConnectionException(Http2.PROTOCOL_ERROR, message);
    }

    private static String shown(ByteBuffer buffer) {
        byte[] start = new byte[Math.min(80, buffer.remaining())];
        buffer.get(buffer.position(), start);
        return "“" + new String(start, StandardCharsets.ISO_8859_1).replaceAll("[^ -~]", "?") + "”";
    }
}
