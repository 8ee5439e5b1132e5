package io.millau.server;

import io.millau.server.internal.http2.Http2;
import io.millau.server.testing.ScriptedEndpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The endpoint's side of an h2c connection of a random run, with one request at a time. Keeps to the windows of the proxy. For one
 * thread.
 */
final class RunHttp2Peer {

    private static final int WINDOW = 4 * 1024 * 1024;
    private static final int PART = 16_000;

    final Http2Peer frames;

    /** Heads that arrived before the request before them was over here. */
    private final Deque<Http2Peer.Frame> heads = new ArrayDeque<>();

    private final StringBuilder body = new StringBuilder();
    private int stream;
    private boolean bodyEnded;
    private long connectionWindow = Http2.INITIAL_WINDOW_BYTES;
    private long streamWindow;

    /** The proxy has reset the stream: its request is over. */
    static final class StreamEndedException extends IOException {
        private static final long serialVersionUID = 1;
    }

    RunHttp2Peer(ScriptedEndpoint.Connection connection) throws IOException {
        frames = new Http2Peer(connection, Http2.MAX_CONCURRENT_STREAMS, 1, Http2.INITIAL_WINDOW_SIZE, WINDOW);
        frames.windowUpdate(0, WINDOW);
    }

    /** Waits for the next request, and returns its id. */
    String nextRequest() throws IOException {
        stream = 0;
        while (heads.isEmpty()) {
            takeFrame();
        }
        Http2Peer.Frame head = heads.remove();
        stream = head.stream();
        streamWindow = Http2.INITIAL_WINDOW_BYTES;
        body.setLength(0);
        bodyEnded = head.ends();
        return frames.fields(head).stream()
                .filter(field -> field.startsWith("x-request: "))
                .map(field -> field.substring("x-request: ".length()))
                .findAny()
                .orElseThrow();
    }

    int stream() {
        return stream;
    }

    /** Reads the rest of the request's body and returns all of it. */
    String readBody() throws IOException {
        while (!bodyEnded) {
            takeFrame();
        }
        return body.toString();
    }

    void readBody(int atLeast) throws IOException {
        while (!bodyEnded && body.length() < atLeast) {
            takeFrame();
        }
    }

    /** Sends a part of the response's body as fast as the proxy's windows allow. */
    void send(String bytes, boolean end) throws IOException {
        int from = 0;
        while (from < bytes.length()) {
            long room = Math.min(Math.min(connectionWindow, streamWindow), PART);
            if (room <= 0) {
                takeFrame();
                continue;
            }
            int to = (int) Math.min(from + room, bytes.length());
            frames.data(stream, end && to == bytes.length(), bytes.substring(from, to));
            connectionWindow -= to - from;
            streamWindow -= to - from;
            from = to;
        }
        if (bytes.isEmpty() && end) {
            frames.data(stream, true, "");
        }
    }

    private void takeFrame() throws IOException {
        Http2Peer.Frame frame = frames.next();
        byte[] payload = frame.payload().getBytes(StandardCharsets.ISO_8859_1);
        switch (frame.type()) {
            case Http2.HEADERS -> heads.add(frame);
            case Http2.PING -> frames.send(Http2.PING, Http2.ACK, 0, payload);
            case Http2.WINDOW_UPDATE -> {
                int more = ByteBuffer.wrap(payload).getInt();
                connectionWindow += frame.stream() == 0 ? more : 0;
                streamWindow += frame.stream() == stream ? more : 0;
            }
            case Http2.DATA -> {
                if (payload.length > 0) {
                    frames.windowUpdate(0, payload.length);
                }
                if (frame.stream() == stream) {
                    body.append(frame.payload());
                    bodyEnded = frame.ends();
                }
            }
            case Http2.RST_STREAM -> {
                if (frame.stream() == stream) {
                    throw new StreamEndedException();
                }
                heads.removeIf(head -> head.stream() == frame.stream());
            }
            default -> {}
        }
    }
}
