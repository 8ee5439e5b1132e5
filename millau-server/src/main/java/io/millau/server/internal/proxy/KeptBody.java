package io.millau.server.internal.proxy;

import io.millau.server.internal.io.HeldMemory;
import io.millau.server.internal.io.Pieces;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The beginning of a request's body, as long as the request might be retried. For the request's I/O thread alone. */
final class KeptBody {

    private final HeldMemory memory;
    private final Pieces stock;
    private final int most;

    /** The first bytes, which no memory has to be taken for. */
    private final byte[] first;

    private final List<byte[]> pieces = new ArrayList<>();
    private int size;
    private int held;

    private KeptBody(HeldMemory memory, Pieces stock, int most, int first) {
        this.memory = memory;
        this.stock = stock;
        this.most = most;
        this.first = new byte[first];
    }

    /**
     * Takes the memory for the body if all of it can be kept.
     *
     * @param length of the body; negative if it is not known
     * @param most how many bytes may be kept
     * @return null if there is not enough memory
     */
    static @Nullable KeptBody of(HeldMemory memory, Pieces stock, long length, int most) {
        int known = length < 0 ? most : (int) Math.min(length, most);
        KeptBody kept = new KeptBody(memory, stock, most, Math.min(known, HeldMemory.FREE_BYTES));
        boolean whole = length >= 0 && length <= most;
        return !whole || kept.hold(known) ? kept : null;
    }

    int size() {
        return size;
    }

    /**
     * Keeps more bytes.
     *
     * @return false if they are too many, or there is no memory for them
     */
    boolean add(ByteBuffer from, int index, int count) {
        if (size + count > most || !hold(size + count)) {
            return false;
        }
        int at = index;
        int end = index + count;
        while (at < end) {
            byte[] piece = piece(size);
            int offset = offset(size);
            int part = Math.min(end - at, piece.length - offset);
            from.get(at, piece, offset, part);
            at += part;
            size += part;
        }
        return true;
    }

    /**
     * Copies kept bytes, as many as there is room for.
     *
     * @param from the index of the first one
     * @return how many were copied
     */
    int copy(int from, ByteBuffer to) {
        int at = from;
        int end = Math.min(size, from + to.remaining());
        while (at < end) {
            byte[] piece = piece(at);
            int offset = offset(at);
            int part = Math.min(end - at, piece.length - offset);
            to.put(piece, offset, part);
            at += part;
        }
        return end - from;
    }

    void free() {
        pieces.forEach(stock::giveBack);
        pieces.clear();
        memory.free(held);
        held = 0;
        size = 0;
    }

    /** Takes memory for the first so many bytes, unless it is taken already. */
    private boolean hold(int bytes) {
        int needed = (bytes - first.length + Pieces.BYTES - 1) / Pieces.BYTES * Pieces.BYTES;
        if (needed > held) {
            if (!memory.take(needed - held)) {
                return false;
            }
            held = needed;
        }
        return true;
    }

    private byte[] piece(int at) {
        if (at < first.length) {
            return first;
        }
        int index = (at - first.length) / Pieces.BYTES;
        if (index == pieces.size()) {
            pieces.add(stock.take());
        }
        return pieces.get(index);
    }

    private int offset(int at) {
        return at < first.length ? at : (at - first.length) % Pieces.BYTES;
    }
}
