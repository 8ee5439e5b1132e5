package io.millau.server.internal.frontend;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.Buffers;
import org.xnio.conduits.AbstractStreamSinkConduit;
import org.xnio.conduits.StreamSinkConduit;

/**
 * Inserts a GOAWAY (RFC 9113, 6.8) between the frames of an HTTP/2 connection that stays open: the client is asked to send no
 * further requests, but all that arrive are served. Undertow's own GOAWAY ends the connection. For its I/O thread alone.
 *
 * <p>Undertow writes whole frames. When everything it has written was sent, the connection is therefore between two frames.
 */
final class GoAwayConduit extends AbstractStreamSinkConduit<StreamSinkConduit> {

    private static final Logger LOG = LoggerFactory.getLogger(GoAwayConduit.class);

    /** Length 8, type 7, no flags, stream 0; the last stream is the last there can be; NO_ERROR. */
    private static final byte[] FRAME = {0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, -1, -1, -1, 0, 0, 0, 0};

    private final ByteBuffer frame = ByteBuffer.wrap(FRAME).asReadOnlyBuffer();
    private boolean wanted;

    /** Whether a frame can be inserted now. False before the first frame, which has to be SETTINGS (RFC 9113, 3.4). */
    private boolean betweenFrames;

    GoAwayConduit(StreamSinkConduit next) {
        super(next);
    }

    /** Sends the GOAWAY, once, as soon as the current frame has ended. */
    void send() {
        wanted = true;
        try {
            if (!sendIfDue()) {
                resumeWrites(); // the next write or flush sends the rest
            }
        } catch (IOException e) {
            LOG.debug("A client is gone: {}", e.toString()); // reading from the connection fails, too
        }
    }

    /** Sends the GOAWAY if it is due; returns whether the next frame can be written. */
    private boolean sendIfDue() throws IOException {
        if (!wanted || !betweenFrames) {
            return true;
        }
        while (frame.hasRemaining()) {
            if (next.write(frame) == 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        if (!sendIfDue()) {
            return 0;
        }
        int count = next.write(source);
        betweenFrames = !source.hasRemaining();
        sendIfDue();
        return count;
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        if (!sendIfDue()) {
            return 0;
        }
        long count = next.write(sources, offset, length);
        betweenFrames = !Buffers.hasRemaining(sources, offset, length);
        sendIfDue();
        return count;
    }

    @Override
    public boolean flush() throws IOException {
        return sendIfDue() && next.flush();
    }
}
