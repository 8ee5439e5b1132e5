package io.millau.server.internal.proxy;

import io.millau.server.internal.io.EventLoop;
import io.undertow.connector.PooledByteBuffer;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;

/** Compresses a body in the format of gzip (RFC 1952), bit by bit. For the request's I/O thread alone. */
final class Gzip {

    /** How much of a body may be compressed before others get their turn: about 0.1 ms of work. */
    private static final int TURN_BYTES = 16 * 1024;

    /** Deflate, no name and no time, compressed fast, of an unknown system. */
    private static final byte[] HEADER = {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 4, (byte) 0xff};

    private static final int TRAILER_BYTES = 8;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final GzipPool pool;
    private final EventLoop loop;
    private final Deflater deflater;
    private final CRC32 checksum = new CRC32();
    private @Nullable PooledByteBuffer compressed;
    private int turnBytes = TURN_BYTES;
    private boolean waitsForTurn;
    private boolean begun;
    private boolean holdsBack;
    private boolean flushing;
    private boolean complete;
    private boolean ended;

    /** Is made by {@link GzipPool#take}. */
    Gzip(GzipPool pool, EventLoop loop, Deflater deflater) {
        this.pool = pool;
        this.loop = loop;
        this.deflater = deflater;
    }

    /** What is compressed and was not written yet. */
    ByteBuffer output() {
        return compressed == null ? NOTHING : compressed.getBuffer();
    }

    /** Whether the output has the end of the body. */
    boolean complete() {
        return complete;
    }

    /**
     * Makes what was compressed readable for the client, since nothing more may come for long.
     *
     * @return whether there is anything that the client does not have
     */
    boolean flush() {
        flushing |= holdsBack;
        holdsBack = false;
        return flushing;
    }

    /** Whether {@link #compress} has more to put out. */
    boolean flushing() {
        return flushing;
    }

    /**
     * Compresses what the turn allows. To be called when all of the output was written.
     *
     * @param last whether no bytes follow those of the buffer
     */
    void compress(ByteBuffer from, boolean last) {
        PooledByteBuffer holder = compressed == null ? loop.buffers.allocate() : compressed;
        compressed = holder;
        ByteBuffer to = holder.getBuffer().clear();
        if (!begun) {
            begun = true;
            to.put(HEADER);
        }
        int start = from.position();
        int end = from.limit();
        from.limit(Math.min(end, start + turnBytes));
        deflater.setInput(from);
        if (last && from.limit() == end) {
            deflater.finish();
        }
        to.limit(to.capacity() - TRAILER_BYTES);
        deflater.deflate(to, flushing ? Deflater.SYNC_FLUSH : Deflater.NO_FLUSH);
        flushing &= !to.hasRemaining();
        int taken = from.position() - start;
        checksum.update(from.duplicate().flip().position(start));
        holdsBack |= taken > 0;
        turnBytes -= taken;
        from.limit(end);
        to.limit(to.capacity());
        if (deflater.finished()) {
            complete = true;
            to.putInt(Integer.reverseBytes((int) checksum.getValue()));
            to.putInt(Integer.reverseBytes((int) deflater.getBytesRead()));
        }
        to.flip();
    }

    /** Frees the buffer of the output, which was written. */
    void freeOutput() {
        if (compressed != null) {
            compressed.close();
            compressed = null;
        }
    }

    /** Moves output that waits for the client to a small buffer if many bodies wait. */
    void shrink() {
        if (compressed != null && compressed.getBuffer().hasRemaining()) {
            compressed = loop.shrink(compressed);
        }
    }

    void beginTurn() {
        turnBytes = TURN_BYTES;
    }

    /** Whether other work has to get its turn before more is compressed. */
    boolean turnIsOver() {
        return turnBytes == 0;
    }

    /** Whether something was compressed in this turn. */
    boolean tookBytes() {
        return turnBytes < TURN_BYTES;
    }

    /** Goes on with a piece after other work of the thread had its turn. */
    void awaitTurn(Runnable piece) {
        waitsForTurn = true;
        pool.turns().await(() -> {
            waitsForTurn = false;
            piece.run();
        });
    }

    boolean waitsForTurn() {
        return waitsForTurn;
    }

    /** Frees what it holds, in any state. */
    void end() {
        if (!ended) {
            ended = true;
            freeOutput();
            pool.giveBack(deflater);
        }
    }
}
