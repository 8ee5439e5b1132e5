package io.millau.server;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** An HTTP/2 client that sends any frame, also what no library would send (RFC 9113, 4 and 6). */
final class RawHttp2Client implements Closeable {

    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int GO_AWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;

    static final int END_STREAM = 1;
    private static final int END_HEADERS = 4;
    private static final int ACK = 1;
    private static final int MAX_FRAME_BYTES = 16_384;

    private final Socket socket;
    private final DataInputStream in;
    private boolean began;
    private final Credit credit = new Credit();

    /** A received frame. */
    record Frame(int type, int flags, int stream, String payload) {}

    RawHttp2Client(int port) throws IOException {
        this(port, 65_535);
    }

    /** @param window the initial window of a stream, in bytes (RFC 9113, 6.9.2) */
    RawHttp2Client(int port, int window) throws IOException {
        this(new Socket(InetAddress.getLoopbackAddress(), port), window);
    }

    RawHttp2Client(Socket socket, int window) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(60_000);
        socket.setTcpNoDelay(true);
        in = new DataInputStream(socket.getInputStream());
        socket.getOutputStream().write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        send(
                SETTINGS,
                0,
                0,
                ByteBuffer.allocate(6).putShort((short) 4).putInt(window).array());
    }

    /** Sends a head, as names and values in turn, each literally (RFC 7541, 6.2.2), in as many frames as it takes. */
    void headers(int stream, boolean end, String... fields) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < fields.length; i += 2) {
            out.write(0);
            for (String text : new String[] {fields[i], fields[i + 1]}) {
                writeLength(out, text.length());
                out.write(text.getBytes(StandardCharsets.ISO_8859_1));
            }
        }
        byte[] block = out.toByteArray();
        for (int from = 0; from == 0 || from < block.length; from += MAX_FRAME_BYTES) {
            int to = Math.min(from + MAX_FRAME_BYTES, block.length);
            int flags = (to == block.length ? END_HEADERS : 0) | (from == 0 && end ? END_STREAM : 0);
            send(from == 0 ? HEADERS : CONTINUATION, flags, stream, Arrays.copyOfRange(block, from, to));
        }
    }

    /** An integer with a prefix of 7 bits (RFC 7541, 5.1). */
    private static void writeLength(ByteArrayOutputStream out, int length) {
        if (length < 127) {
            out.write(length);
            return;
        }
        out.write(127);
        int rest = length - 127;
        while (rest >= 128) {
            out.write(rest & 127 | 128);
            rest >>= 7;
        }
        out.write(rest);
    }

    synchronized void send(int type, int flags, int stream, byte[] payload) throws IOException {
        ByteBuffer frame = ByteBuffer.allocate(9 + payload.length);
        frame.put((byte) 0).putShort((short) payload.length).put((byte) type).put((byte) flags);
        frame.putInt(stream).put(payload);
        socket.getOutputStream().write(frame.array());
    }

    /**
     * Sends a part of a body as fast as the windows allow (RFC 9113, 6.9), while another thread calls {@link #next}. The
     * server's initial windows must have the default size of the RFC.
     */
    void upload(int stream, byte[] bytes, boolean end) throws IOException {
        int sent = 0;
        while (sent < bytes.length) {
            int length = credit.take(stream, Math.min(MAX_FRAME_BYTES, bytes.length - sent));
            byte[] part = Arrays.copyOfRange(bytes, sent, sent + length);
            sent += length;
            send(DATA, end && sent == bytes.length ? END_STREAM : 0, stream, part);
        }
    }

    /** How many bytes the windows of the connection and its streams still allow. */
    private static final class Credit {
        private static final int INITIAL = 65_535;

        private final Map<Integer, Integer> streams = new HashMap<>();
        private final Set<Integer> ended = new HashSet<>();
        private int connection = INITIAL;
        private boolean over;

        synchronized int take(int stream, int most) throws IOException {
            int allowed = allowed(stream);
            try {
                while (!over && !ended.contains(stream) && allowed <= 0) {
                    wait();
                    allowed = allowed(stream);
                }
            } catch (InterruptedException e) {
                throw new InterruptedIOException();
            }
            if (over || ended.contains(stream)) {
                throw new IOException("the stream is over");
            }
            int taken = Math.min(most, allowed);
            add(0, -taken);
            add(stream, -taken);
            return taken;
        }

        private int allowed(int stream) {
            return Math.min(connection, streams.getOrDefault(stream, INITIAL));
        }

        synchronized void add(int toStream, int bytes) {
            if (toStream == 0) {
                connection += bytes;
            } else {
                streams.put(toStream, streams.getOrDefault(toStream, INITIAL) + bytes);
            }
            notifyAll();
        }

        synchronized void end(int stream) {
            ended.add(stream);
            streams.remove(stream);
            notifyAll();
        }

        synchronized void end() {
            over = true;
            notifyAll();
        }
    }

    /** The next HEADERS, DATA or RST_STREAM frame of a stream. */
    Frame next(int stream) throws IOException {
        return next(frame -> frame.stream == stream && frame.type <= RST_STREAM);
    }

    /** The last stream that the next GOAWAY frame names (RFC 9113, 6.8). */
    int lastStreamOfGoAway() throws IOException {
        Frame frame = next(candidate -> candidate.type == GO_AWAY);
        return ByteBuffer.wrap(frame.payload.getBytes(StandardCharsets.ISO_8859_1))
                .getInt();
    }

    private Frame next(Predicate<Frame> wanted) throws IOException {
        while (true) {
            Frame frame = next();
            if (wanted.test(frame)) {
                return frame;
            }
        }
    }

    /** The next frame. */
    Frame next() throws IOException {
        int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
        Frame frame = new Frame(
                in.readUnsignedByte(),
                in.readUnsignedByte(),
                in.readInt(),
                new String(in.readNBytes(length), StandardCharsets.ISO_8859_1));
        if (!began && (frame.type != SETTINGS || (frame.flags & ACK) != 0)) {
            throw new AssertionError("the first frame is not SETTINGS (RFC 9113, 3.4): " + frame);
        }
        began = true;
        if (frame.type == SETTINGS && (frame.flags & ACK) == 0) {
            acknowledgeSettings();
        } else if (frame.type == WINDOW_UPDATE) {
            byte[] increment = frame.payload.getBytes(StandardCharsets.ISO_8859_1);
            credit.add(frame.stream, ByteBuffer.wrap(increment).getInt());
        } else if (frame.type == RST_STREAM) {
            credit.end(frame.stream);
        }
        return frame;
    }

    /** A connection that the peer has ended meanwhile does not take it; what came before can still be read. */
    private void acknowledgeSettings() {
        try {
            send(SETTINGS, ACK, 0, new byte[0]);
        } catch (IOException e) {
            // whoever goes on reading notices
        }
    }

    /** Resets a stream with CANCEL (RFC 9113, 7). */
    void cancel(int stream) throws IOException {
        credit.end(stream);
        send(RST_STREAM, 0, stream, new byte[] {0, 0, 0, 8});
    }

    /** Reads a response and returns its body, followed by {@code (reset)} if the stream was reset. */
    String body(int stream) throws IOException {
        StringBuilder body = new StringBuilder();
        while (true) {
            Frame frame = next(stream);
            if (frame.type == RST_STREAM) {
                return body + "(reset)";
            }
            body.append(frame.type == DATA ? frame.payload : "");
            if ((frame.flags & END_STREAM) != 0) {
                return body.toString();
            }
        }
    }

    /** Fails all running uploads. */
    void endUploads() {
        credit.end();
    }

    @Override
    public void close() throws IOException {
        endUploads();
        socket.close();
    }
}
