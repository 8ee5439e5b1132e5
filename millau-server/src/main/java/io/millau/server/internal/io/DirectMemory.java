package io.millau.server.internal.io;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory outside the heap that the buffers of this process take, and how much they may take: three quarters of the largest
 * heap, since the JVM allows as much outside the heap as in it. Safe for use by several threads.
 *
 * <p>Few bodies wait in large buffers, for speed; all others in small ones. Where memory is nearly used up, or more requests are in
 * progress than have room for their buffers, new requests are refused.
 */
public final class DirectMemory {

    /** The size of the buffers that bodies wait in while memory is scarce, in bytes. */
    static final int SMALL_BYTES = 4 * 1024;

    /** What a request in progress may take at most when memory is scarce: small buffers for both directions. */
    private static final int REQUEST_BYTES = 2 * SMALL_BYTES;

    /** How much of it the large buffers of one I/O thread may take while bodies wait in them. */
    private static final long MAX_LARGE_BYTES = 2 * 1024 * 1024;

    private static final long LIMIT = Runtime.getRuntime().maxMemory() / 4 * 3;

    /** What is beyond the limit is for buffers that are needed for a moment only, and for what the JVM itself needs. */
    private static final long HARD_LIMIT = LIMIT / 6 * 7;

    private static final AtomicLong TAKEN = new AtomicLong();

    private DirectMemory() {}

    /** @throws OutOfBuffersException if that were more than the JVM allows for */
    static void taken(int bytes) {
        if (TAKEN.addAndGet(bytes) > HARD_LIMIT) {
            freed(bytes);
            throw new OutOfBuffersException();
        }
    }

    static void freed(int bytes) {
        TAKEN.addAndGet(-bytes);
    }

    /** The most bytes of free buffers that a stock may keep. */
    static long maxKept() {
        return Math.min(4 * 1024 * 1024, LIMIT / 16);
    }

    /** How many large buffers, of this size, the bodies of one of several I/O threads may wait in. */
    static int maxLarge(int size, int threads) {
        return (int) (Math.min(MAX_LARGE_BYTES, LIMIT / 2 / threads) / size);
    }

    /** Whether there is room for another request. */
    public static boolean hasRoom(int requestsInProgress) {
        return requestsInProgress <= LIMIT / 2 / REQUEST_BYTES && TAKEN.get() <= LIMIT / 8 * 7;
    }
}
