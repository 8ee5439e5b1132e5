package io.millau.server.internal.upstream;

import io.millau.server.internal.http.Http2;
import io.millau.server.internal.http.ResponseHead;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads the frames that an endpoint sends over an HTTP/2 connection (RFC 9113, 4 and 6): checks their form, assembles header
 * blocks, and passes their content on. For one connection, on its I/O thread.
 */
final class Http2FrameReader {

    private static final int MAX_BLOCK_BYTES = ResponseHead.MAX_BYTES;

    private final Http2UpstreamConnection connection;
    private final ResponseHeaderDecoder decoder = new ResponseHeaderDecoder();

    /** The beginning of a header block that is not complete. */
    private byte[] block = new byte[0];

    /** The stream of that block; 0 for none. */
    private int blockStream;

    private boolean blockEnds;

    Http2FrameReader(Http2UpstreamConnection connection) {
        this.connection = connection;
    }

    /** Reads a frame (RFC 9113, 4.1); false if it isn't whole yet. */
    boolean readFrame(ByteBuffer buffer) throws IOException, Http2.ConnectionException {
        if (buffer.remaining() < Http2.FRAME_HEAD_BYTES) {
            return false;
        }
        int at = buffer.position();
        int length = (buffer.get(at) & 0xff) << 16 | buffer.getShort(at + 1) & 0xffff;
        int type = buffer.get(at + 3) & 0xff;
        int flags = buffer.get(at + 4) & 0xff;
        int stream = buffer.getInt(at + 5) & Integer.MAX_VALUE;
        if (!connection.settled() && (type != Http2.SETTINGS || flags != 0 || stream != 0 || length > 6 * 256)) {
            throw new Http2.ConnectionException(Http2.PROTOCOL_ERROR, "no HTTP/2: " + shown(buffer));
        }
        if (length > Http2.MAX_PAYLOAD_BYTES) {
            throw new Http2.ConnectionException(Http2.FRAME_SIZE_ERROR, "frame of " + length + " bytes");
        }
        if (buffer.remaining() < Http2.FRAME_HEAD_BYTES + length) {
            return false;
        }
        if (blockStream != 0 && (type != Http2.CONTINUATION || stream != blockStream)) {
            throw error("frame of type " + type + " in a header block");
        }
        int limit = buffer.limit();
        int end = at + Http2.FRAME_HEAD_BYTES + length;
        buffer.limit(end).position(at + Http2.FRAME_HEAD_BYTES);
        take(type, flags, stream, buffer);
        buffer.limit(limit).position(end);
        return true;
    }

    private void take(int type, int flags, int stream, ByteBuffer payload)
            throws IOException, Http2.ConnectionException {
        switch (type) {
            case Http2.DATA -> data(flags, stream, payload);
            case Http2.HEADERS -> headers(flags, stream, payload);
            case Http2.CONTINUATION -> continuation(flags, stream, payload);
            case Http2.RST_STREAM -> reset(stream, payload);
            case Http2.SETTINGS -> settings(flags, stream, payload);
            case Http2.PING -> ping(flags, stream, payload);
            case Http2.GO_AWAY -> goneAway(payload);
            case Http2.WINDOW_UPDATE -> windowUpdate(stream, payload);
            case Http2.PUSH_PROMISE -> throw error("PUSH_PROMISE, although push is disabled");
            default -> {} // priorities, and what extensions add (5.5)
        }
    }

    private void data(int flags, int id, ByteBuffer payload) throws IOException, Http2.ConnectionException {
        int whole = payload.remaining();
        Http2UpstreamStream stream = connection.dataReceived(id, whole);
        unpad(flags, payload);
        if (stream != null) {
            stream.source().data(payload, whole, (flags & Http2.END_STREAM) != 0);
        }
    }

    private static void unpad(int flags, ByteBuffer payload) throws Http2.ConnectionException {
        if ((flags & Http2.PADDED) == 0) {
            return;
        }
        int padding = payload.hasRemaining() ? payload.get() & 0xff : 256;
        if (padding > payload.remaining()) {
            throw error("padding of " + padding + " bytes in a frame of less");
        }
        payload.limit(payload.limit() - padding);
    }

    private void headers(int flags, int id, ByteBuffer payload) throws IOException, Http2.ConnectionException {
        connection.stream(id);
        unpad(flags, payload);
        if ((flags & Http2.PRIORITY) != 0) {
            expect(payload.remaining() >= 5, "HEADERS without its priority");
            payload.position(payload.position() + 5);
        }
        blockStream = id;
        blockEnds = (flags & Http2.END_STREAM) != 0;
        continuation(flags, id, payload);
    }

    private void continuation(int flags, int id, ByteBuffer payload) throws IOException, Http2.ConnectionException {
        expect(blockStream != 0, "CONTINUATION without HEADERS");
        boolean whole = (flags & Http2.END_HEADERS) != 0;
        if (!whole || block.length > 0) {
            append(payload);
        }
        if (!whole) {
            return;
        }
        decoder.read(block.length > 0 ? ByteBuffer.wrap(block) : payload);
        block = new byte[0];
        blockStream = 0;
        Http2UpstreamStream stream = connection.stream(id);
        if (stream != null) {
            stream.source().block(decoder, blockEnds);
        }
    }

    private void append(ByteBuffer payload) throws Http2.ConnectionException {
        int before = block.length;
        int after = before + payload.remaining();
        if (after > MAX_BLOCK_BYTES) {
            throw new Http2.ConnectionException(
                    Http2.ENHANCE_YOUR_CALM, "header block of more than " + MAX_BLOCK_BYTES + " bytes");
        }
        block = Arrays.copyOf(block, after);
        payload.get(block, before, after - before);
    }

    private void reset(int id, ByteBuffer payload) throws Http2.ConnectionException {
        expectLength(payload, 4);
        Http2UpstreamStream stream = connection.stream(id);
        if (stream != null) {
            stream.reset(payload.getInt());
        }
    }

    private void settings(int flags, int id, ByteBuffer payload) throws IOException, Http2.ConnectionException {
        expect(
                id == 0 && payload.remaining() % 6 == 0,
                "SETTINGS of " + payload.remaining() + " bytes for stream " + id);
        if ((flags & Http2.ACK) != 0) {
            return;
        }
        while (payload.hasRemaining()) {
            connection.setting(payload.getShort(), payload.getInt() & 0xffffffffL);
        }
        connection.settingsReceived();
    }

    private void ping(int flags, int id, ByteBuffer payload) throws IOException, Http2.ConnectionException {
        expectLength(payload, 8);
        expect(id == 0, "PING for stream " + id);
        if ((flags & Http2.ACK) == 0) {
            connection.frames.frame(8, Http2.PING, Http2.ACK, 0).put(payload);
        } else {
            connection.pingAcknowledged();
        }
    }

    private void goneAway(ByteBuffer payload) throws Http2.ConnectionException {
        expect(payload.remaining() >= 8, "GOAWAY of " + payload.remaining() + " bytes");
        int last = payload.getInt() & Integer.MAX_VALUE;
        int code = payload.getInt();
        connection.goneAway(last, code);
    }

    private void windowUpdate(int id, ByteBuffer payload) throws IOException, Http2.ConnectionException {
        expectLength(payload, 4);
        connection.windowUpdate(id, payload.getInt() & Integer.MAX_VALUE);
    }

    private static void expect(boolean holds, String otherwise) throws Http2.ConnectionException {
        if (!holds) {
            throw error(otherwise);
        }
    }

    private static void expectLength(ByteBuffer payload, int length) throws Http2.ConnectionException {
        if (payload.remaining() != length) {
            throw new Http2.ConnectionException(
                    Http2.FRAME_SIZE_ERROR, "frame of " + payload.remaining() + " bytes (expected " + length + ")");
        }
    }

    static Http2.ConnectionException error(String message) {
        return new Http2.ConnectionException(Http2.PROTOCOL_ERROR, message);
    }

    private static String shown(ByteBuffer buffer) {
        byte[] first = new byte[Math.min(80, buffer.remaining())];
        buffer.get(buffer.position(), first);
        return "“" + new String(first, StandardCharsets.ISO_8859_1).replaceAll("[^ -~]", "?") + "”";
    }
}
