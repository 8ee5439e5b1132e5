package io.millau.server.internal.frontend;

import io.millau.server.internal.io.Deadlines;
import io.millau.server.internal.io.EventLoop;
import io.undertow.connector.PooledByteBuffer;
import java.io.IOException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;

/**
 * Closes a connection whose client may still send: its output is ended, and its input discarded for a while. If it were closed
 * at once, the client would get a reset, which can overtake what was sent last (RFC 9112, 9.6). For its I/O thread alone.
 */
final class LingeringClose extends Deadlines.Deadline {

    private static final Logger LOG = LoggerFactory.getLogger(LingeringClose.class);

    static final Duration MAX_TIME = Duration.ofSeconds(2);
    static final int MAX_BYTES = 1024 * 1024;

    private final StreamConnection socket;
    private final EventLoop loop;
    private int discarded;

    private LingeringClose(StreamConnection socket, EventLoop loop) {
        this.socket = socket;
        this.loop = loop;
    }

    static void close(StreamConnection socket, EventLoop loop) {
        LingeringClose closing = new LingeringClose(socket, loop);
        loop.longDeadlines.set(closing, MAX_TIME.toNanos());
        socket.setCloseListener(closed -> loop.longDeadlines.cancel(closing));
        socket.getSourceChannel().setReadListener(channel -> closing.discard());
        socket.getSinkChannel().setWriteListener(channel -> closing.endOutput());
        socket.getSourceChannel().resumeReads();
        closing.endOutput();
    }

    private void endOutput() {
        try {
            socket.getSinkChannel().shutdownWrites();
            if (socket.getSinkChannel().flush()) {
                socket.getSinkChannel().suspendWrites();
            } else {
                socket.getSinkChannel().resumeWrites();
            }
        } catch (IOException e) {
            gone(e);
        }
    }

    private void discard() {
        try (PooledByteBuffer pooled = loop.buffers.allocate()) {
            int count = socket.getSourceChannel().read(pooled.getBuffer());
            discarded += Math.max(0, count);
            if (count < 0 || discarded > MAX_BYTES) {
                IoUtils.safeClose(socket);
            }
        } catch (IOException e) {
            gone(e);
        }
    }

    private void gone(IOException reason) {
        LOG.debug("Client {} is gone: {}", socket.getPeerAddress(), reason.toString());
        IoUtils.safeClose(socket);
    }

    @Override
    public void passed() {
        IoUtils.safeClose(socket);
    }
}
