package io.millau.server.internal.io;

import java.util.ArrayDeque;

/**
 * Arrays of one size that are used again: what is kept of bodies would otherwise be the most of all garbage, and pushes everything else
 * into the old generation. For one I/O thread.
 */
public final class Pieces {

    /** The size of a piece. */
    public static final int BYTES = 4 * 1024;

    private static final int MAX_FREE =
            (int) Math.min(4 << 20, Runtime.getRuntime().maxMemory() / 64) / BYTES;

    private final ArrayDeque<byte[]> free = new ArrayDeque<>();

    /** Returns a piece, with whatever is in it. */
    public byte[] take() {
        byte[] used = free.pollFirst();
        return used == null ? new byte[BYTES] : used;
    }

    public void giveBack(byte[] piece) {
        if (free.size() < MAX_FREE) {
            free.addFirst(piece);
        }
    }
}
