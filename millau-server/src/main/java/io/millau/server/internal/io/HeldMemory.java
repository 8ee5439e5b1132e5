package io.millau.server.internal.io;

/**
 * The part of the heap that what clients have sent may take on one I/O thread: heads, from their first byte to the end of their
 * request, and bodies that are kept for a retry. A sixth of the largest heap is for all threads. What is small is not counted.
 * For that thread alone.
 */
public final class HeldMemory {

    /** What nobody has to ask for, in bytes. */
    public static final int FREE_BYTES = 1024;

    private static final long LIMIT = Runtime.getRuntime().maxMemory() / 6;

    private final long limit;
    private long taken;

    /** @param limit in bytes */
    public HeldMemory(long limit) {
        this.limit = limit;
    }

    /** The share of one of several threads. */
    static HeldMemory ofThread(int threads) {
        return new HeldMemory(LIMIT / threads);
    }

    /** Takes some bytes, to be given back by {@link #free}; false if there are not so many left. */
    public boolean take(int bytes) {
        if (taken + bytes > limit) {
            return false;
        }
        taken += bytes;
        return true;
    }

    public void free(int bytes) {
        taken -= bytes;
    }

    /** How many bytes are taken. */
    public long taken() {
        return taken;
    }
}
