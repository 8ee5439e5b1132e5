package io.millau.server.internal.http2;

import io.millau.server.internal.io.EventLoop;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notifies the streams of an HTTP/2 connection that there is something to read or room to write. It does so only after
 * everything received was read, since streams may change the connection's state then. For the connection's I/O thread alone.
 */
public final class StreamNotifier {

    private static final Logger LOG = LoggerFactory.getLogger(StreamNotifier.class);

    private final EventLoop loop;

    /** The streams that wait to write, the longest wait first. */
    private final Set<Http2Stream> blocked = new LinkedHashSet<>();

    private final Deque<Http2Stream> toTell = new ArrayDeque<>();
    private boolean tellsLater;

    public StreamNotifier(EventLoop loop) {
        this.loop = loop;
    }

    /** Adds a stream that waits to write. */
    public void block(Http2Stream stream) {
        blocked.add(stream);
        if (stream.sink().canWrite()) {
            writable();
        }
    }

    public void unblock(Http2Stream stream) {
        blocked.remove(stream);
    }

    /** Called when there may be room again: notifies the streams that can write. */
    public void writable() {
        for (Http2Stream stream : blocked) {
            if (stream.sink().canWrite()) {
                tellLater(stream);
            }
        }
    }

    public void tellLater(Http2Stream stream) {
        if (stream.notifying) {
            return;
        }
        stream.notifying = true;
        toTell.add(stream);
        if (tellsLater) {
            return;
        }
        tellsLater = true;
        try {
            loop.execute(this::tell);
        } catch (RejectedExecutionException e) {
            LOG.debug("Streams are not notified any more: the proxy stops");
        }
    }

    public void tell() {
        tellsLater = false;
        for (int count = toTell.size(); count > 0; count--) {
            Http2Stream stream = toTell.remove();
            stream.notifying = false;
            stream.tell();
        }
    }

    /** Forgets the streams that wait to write. */
    public void clear() {
        blocked.clear();
    }
}
