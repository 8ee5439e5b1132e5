package io.millau.server.internal.proxy;

import io.millau.core.internal.LogText;
import io.millau.server.internal.io.EventLoop;
import io.millau.server.internal.io.Turns;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What compresses the bodies of one I/O thread. Each takes memory outside the heap, so there are only so many: further responses go
 * uncompressed. For that thread alone.
 */
final class GzipPool {

    private static final Logger LOG = LoggerFactory.getLogger(GzipPool.class);

    /** As nginx. Of JSON, level 6 leaves a fifth less to send, and takes two and a half times as long. */
    private static final int LEVEL = Deflater.BEST_SPEED;

    /** What zlib allocates for one: 256 KiB of tables and windows, and some more. */
    private static final int DEFLATER_BYTES = 270 * 1024;

    private static final int MOST = 64;

    private final EventLoop loop;
    private final int most;
    private final ArrayDeque<Deflater> idle = new ArrayDeque<>();
    private int inUse;
    private @Nullable Turns turns;

    GzipPool(EventLoop loop) {
        this.loop = loop;
        this.most = most(Runtime.getRuntime().maxMemory(), loop.threads());
    }

    /** How many bodies may be compressed at once on one of several threads: what an eighth of the largest heap has room for. */
    static int most(long heap, int threads) {
        return (int) Math.max(1, Math.min(MOST, heap / 8 / threads / DEFLATER_BYTES));
    }

    /** Begins a body; null if as many as possible are being compressed, or no file can be opened. */
    @Nullable
    Gzip take() {
        if (inUse >= most) {
            return null;
        }
        if (turns == null) {
            try {
                turns = new Turns(loop.thread());
            } catch (IOException e) {
                LOG.debug("Nothing is compressed reason={}", LogText.later(e::toString));
                return null;
            }
        }
        Deflater kept = idle.pollFirst();
        Gzip taken = new Gzip(this, loop, kept == null ? new Deflater(LEVEL, true) : kept);
        inUse++;
        return taken;
    }

    Turns turns() {
        return Objects.requireNonNull(turns);
    }

    void giveBack(Deflater deflater) {
        inUse--;
        if (idle.size() < Math.max(1, most / 4)) {
            deflater.reset();
            idle.addFirst(deflater);
        } else {
            deflater.end();
        }
    }
}
