package io.millau.testing.internal;

import io.millau.core.Endpoint;
import io.millau.server.internal.http2.Http2;
import io.millau.testing.ScriptedEndpoint;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The endpoint's side of an h2c connection, scripted by a test. */
public final class Http2Peer {

    private static final int PREFACE_BYTES = 24;

    private final ScriptedEndpoint.Connection connection;
    private final DataInputStream in;
    private final BlockReader blocks = new BlockReader();

    /** A received frame. */
    public record Frame(int type, int flags, int stream, String payload) {
        static final Frame NONE = new Frame(Http2.DATA, 0, 0, "");

        public boolean ends() {
            return (flags & Http2.END_STREAM) != 0;
        }
    }

    /** @param settings names and values in turn */
    public Http2Peer(ScriptedEndpoint.Connection connection, int... settings) throws IOException {
        this.connection = connection;
        this.in = new DataInputStream(connection.wire().in());
        String preface = connection.wire().readExactly(PREFACE_BYTES);
        if (!preface.startsWith("PRI * HTTP/2.0")) {
            throw new AssertionError("no preface: " + preface);
        }
        ByteBuffer payload = ByteBuffer.allocate(settings.length * 3);
        for (int i = 0; i < settings.length; i += 2) {
            payload.putShort((short) settings[i]).putInt(settings[i + 1]);
        }
        send(Http2.SETTINGS, 0, 0, payload.array());
    }

    /** The address of a scripted endpoint, as an h2c endpoint. */
    public static Endpoint endpoint(ScriptedEndpoint scripted) {
        Endpoint plain = scripted.endpoint();
        return Endpoint.h2c(plain.id(), plain.address(), plain.port());
    }

    /** The next frame. */
    public Frame next() throws IOException {
        int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
        int type = in.readUnsignedByte();
        int flags = in.readUnsignedByte();
        int stream = in.readInt();
        return new Frame(type, flags, stream, connection.wire().readExactly(length));
    }

    /** The next frame of a stream; other frames are skipped. */
    public Frame nextOfStream() throws IOException {
        while (true) {
            Frame frame = next();
            if (frame.stream() != 0 && frame.type() != Http2.WINDOW_UPDATE) {
                return frame;
            }
        }
    }

    /** The next request head; the body is still to be read. */
    public Frame request() throws IOException {
        while (true) {
            Frame frame = nextOfStream();
            if (frame.type() == Http2.HEADERS) {
                return frame;
            }
        }
    }

    public List<String> fields(Frame head) throws IOException {
        return blocks.read(head.payload());
    }

    /** Reads a request to its end. */
    public Frame wholeRequest() throws IOException {
        Frame head = request();
        for (Frame frame = head; !frame.ends(); frame = nextOfStream()) {
            if (frame.type() == Http2.RST_STREAM) {
                throw new EOFException("reset");
            }
        }
        return head;
    }

    public void respond(int stream, String body) throws IOException {
        headers(stream, false, ":status", "200");
        send(Http2.DATA, Http2.END_STREAM, stream, body.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Sends a head or trailers, as names and values in turn, each literally. */
    public void headers(int stream, boolean end, String... fields) throws IOException {
        send(Http2.HEADERS, Http2.END_HEADERS | (end ? Http2.END_STREAM : 0), stream, block(fields));
    }

    public static byte[] block(String... fields) throws IOException {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        for (int i = 0; i < fields.length; i += 2) {
            block.write(0);
            for (String text : new String[] {fields[i], fields[i + 1]}) {
                if (text.length() < 127) {
                    block.write(text.length());
                } else { // RFC 7541, 5.1
                    block.write(127);
                    int rest = text.length() - 127;
                    for (; rest >= 128; rest >>= 7) {
                        block.write(rest & 127 | 128);
                    }
                    block.write(rest);
                }
                block.write(text.getBytes(StandardCharsets.ISO_8859_1));
            }
        }
        return block.toByteArray();
    }

    public void data(int stream, boolean end, String bytes) throws IOException {
        send(Http2.DATA, end ? Http2.END_STREAM : 0, stream, bytes.getBytes(StandardCharsets.ISO_8859_1));
    }

    public void reset(int stream, int code) throws IOException {
        send(Http2.RST_STREAM, 0, stream, ByteBuffer.allocate(4).putInt(code).array());
    }

    public void goAway(int lastStream, int code) throws IOException {
        send(
                Http2.GO_AWAY,
                0,
                0,
                ByteBuffer.allocate(8).putInt(lastStream).putInt(code).array());
    }

    public void windowUpdate(int stream, int bytes) throws IOException {
        send(
                Http2.WINDOW_UPDATE,
                0,
                stream,
                ByteBuffer.allocate(4).putInt(bytes).array());
    }

    public synchronized void send(int type, int flags, int stream, byte[] payload) throws IOException {
        ByteBuffer frame = ByteBuffer.allocate(9 + payload.length);
        frame.put((byte) (payload.length >> 16)).putShort((short) payload.length);
        frame.put((byte) type).put((byte) flags).putInt(stream).put(payload);
        connection.wire().out().write(frame.array());
        connection.wire().out().flush();
    }
}
