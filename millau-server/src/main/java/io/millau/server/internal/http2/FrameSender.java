package io.millau.server.internal.http2;

import java.io.IOException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends the frames of an HTTP/2 connection: bodies within its window, credit for what was received (RFC 9113, 6.9), resets and
 * GOAWAY. For one I/O thread.
 */
public final class FrameSender {

    private static final Logger LOG = LoggerFactory.getLogger(FrameSender.class);

    /** Where messages are written to; {@link #flush} sends them. */
    public final FrameWriter frames;

    private final StreamNotifier notifier;
    private final int receiveWindow;
    private final Consumer<IOException> failed;
    private long window = Http2.INITIAL_WINDOW_BYTES;
    private int uncredited;
    private boolean held;
    private boolean closed;

    /**
     * @param receiveWindow how many bytes of bodies the peer may send before it gets credit
     * @param failed called if the connection can't be written to
     */
    public FrameSender(FrameWriter frames, StreamNotifier notifier, int receiveWindow, Consumer<IOException> failed) {
        this.frames = frames;
        this.notifier = notifier;
        this.receiveWindow = receiveWindow;
        this.failed = failed;
    }

    /** Makes the connection's window for receiving as large as it is to be. */
    public void widenReceiveWindow() throws IOException {
        frames.number(Http2.WINDOW_UPDATE, 0, receiveWindow - Http2.INITIAL_WINDOW_BYTES);
    }

    /** The number of body bytes that the connection allows to send now; a stream's own window may allow less. */
    public int sendable() {
        return closed ? 0 : (int) Math.min(window, Math.min(frames.room(), Http2.MAX_PAYLOAD_BYTES));
    }

    public void sent(int bytes) {
        window -= bytes;
    }

    /** The peer allows to send more bytes; false if the window is too large then. */
    public boolean widen(int bytes) {
        window += bytes;
        return window <= Integer.MAX_VALUE;
    }

    /** Credits bytes of bodies to the connection's window. */
    public void credit(int bytes) {
        uncredited += bytes;
        if (uncredited >= receiveWindow / 2 && number(Http2.WINDOW_UPDATE, 0, uncredited)) {
            uncredited = 0;
        }
    }

    /** Allows the peer to send more bytes on a stream; false if there is no room for the frame now. */
    public boolean credit(int stream, int bytes) {
        return !closed && frames.room() >= 0 && number(Http2.WINDOW_UPDATE, stream, bytes);
    }

    /** Ends a stream (RFC 9113, 7). */
    public void reset(int stream, int code) {
        number(Http2.RST_STREAM, stream, code);
    }

    private boolean number(int type, int stream, int number) {
        if (closed) {
            return false;
        }
        try {
            frames.number(type, stream, number);
        } catch (IOException e) {
            failed.accept(e);
            return false;
        }
        flush();
        return true;
    }

    /** Tries to send GOAWAY (RFC 9113, 6.8); a failure does not matter, since the connection ends. */
    public void goAway(int last, int code) {
        try {
            frames.frame(8, Http2.GO_AWAY, 0, 0).putInt(last).putInt(code);
            frames.flush();
        } catch (IOException e) {
            LOG.debug("The connection took no GOAWAY: {}", e.toString());
        }
    }

    /** Holds frames back while received ones are read, so that those that answer them are sent together. */
    public void hold(boolean hold) {
        held = hold;
    }

    /** Sends the written frames; the rest is sent when the socket accepts it. */
    public void flush() {
        if (!held) {
            flushNow();
        }
    }

    /** Sends the written frames, to make room for more. */
    public void flushNow() {
        try {
            if (!closed && frames.flush()) {
                notifier.writable();
            }
        } catch (IOException e) {
            failed.accept(e);
        }
    }

    /** Discards what was not sent. */
    public void close() {
        closed = true;
        frames.free();
    }
}
