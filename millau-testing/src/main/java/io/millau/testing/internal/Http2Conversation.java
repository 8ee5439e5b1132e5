package io.millau.testing.internal;

import io.millau.server.internal.http2.Http2;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The endpoint's side of an h2c connection, with one request at a time. Keeps to the windows of the proxy. For one thread.
 */
public final class Http2Conversation {

    private static final int WINDOW = 4 * 1024 * 1024;
    private static final int PART = 16_000;

    /** What is sent and received. */
    public final Http2Peer frames;

    /** Heads that arrived before the request before them was over here. */
    private final Deque<Http2Peer.Frame> heads = new ArrayDeque<>();

    private final StringBuilder body = new StringBuilder();
    private Http2Peer.Frame head = Http2Peer.Frame.NONE;
    private int stream;
    private boolean bodyEnded;
    private long connectionWindow = Http2.INITIAL_WINDOW_BYTES;
    private long streamWindow;

    /** The proxy has reset the stream: its request is over. */
    public static final class StreamEndedException extends IOException {
        private static final long serialVersionUID = 1;
    }

    /** Sends the settings: one stream at a time. */
    public Http2Conversation(ScriptedEndpoint.Connection connection) throws IOException {
        frames = new Http2Peer(connection, Http2.MAX_CONCURRENT_STREAMS, 1, Http2.INITIAL_WINDOW_SIZE, WINDOW);
        frames.windowUpdate(0, WINDOW);
    }

    /** Waits for the head of the next request, and returns its fields, each as {@code name: value}. */
    public List<String> nextRequest() throws IOException {
        stream = 0;
        while (heads.isEmpty()) {
            takeFrame();
        }
        head = heads.remove();
        stream = head.stream();
        streamWindow = Http2.INITIAL_WINDOW_BYTES;
        body.setLength(0);
        bodyEnded = head.ends();
        return frames.fields(head);
    }

    /** The frame of the request's head; one that ends the stream if the body was read. */
    Http2Peer.Frame head() {
        return bodyEnded && !head.ends() ? new Http2Peer.Frame(Http2.DATA, Http2.END_STREAM, stream, "") : head;
    }

    /** The stream of the request. */
    public int stream() {
        return stream;
    }

    /** Reads the rest of the request's body and returns all of it. */
    public String readBody() throws IOException {
        while (!bodyEnded) {
            takeFrame();
        }
        return body.toString();
    }

    /** Reads so many bytes of it, or to its end. */
    public void readBody(int atLeast) throws IOException {
        while (!bodyEnded && body.length() < atLeast) {
            takeFrame();
        }
    }

    /** Sends a part of the response's body as fast as the proxy's windows allow. */
    public void send(String bytes, boolean end) throws IOException {
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
