package io.millau.core.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.security.SecureRandom;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Buckets of tokens, one for each client. A bucket is a number: the time at which it is full again; a full one is the same as
 * none, and is forgotten. Safe for use by several threads, without locks.
 *
 * <p>A table with room for few clients is replaced by a larger one when it has no room left, up to a limit. Beyond that, a
 * newcomer takes the place of the client whose bucket is the fullest of a few.
 */
final class ClientTimes {

    private static final int SLOTS = 8;
    private static final int FIRST_BITS = 4;
    private static final int MOST_BITS = 18;
    private static final int GROWTH_BITS = 3;

    private static final long NOBODY = 0;

    /** In place of a client: a thread is about to give the place to another. */
    private static final long BUSY = -1;

    /** In place of a client that happens to have one of these numbers. */
    private static final long OTHER = 1;

    /** In place of a time: it counts in a larger table. */
    private static final long MOVED = Long.MIN_VALUE;

    /** In place of a time to wait: another thread was faster. */
    private static final long AGAIN = -1;

    private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);

    private final long nanosPerToken;
    private final long nanosPerBucket;
    private final int lastBits;

    /** So that nobody can choose addresses that share places. */
    private final long secret = new SecureRandom().nextLong() | 1;

    private final AtomicReference<Table> table = new AtomicReference<>(new Table(FIRST_BITS, null, 0));

    /** Clients by 8 places each, and when their buckets are full. */
    private static final class Table {
        final int bits;
        final long[] clients;
        final long[] fullAt;

        /** Where clients were kept before; null if all their buckets are full by now. */
        volatile @Nullable Table before;

        /** When {@link #before} is not needed any more. */
        final long beforeUntil;

        Table(int bits, @Nullable Table before, long beforeUntil) {
            this.bits = bits;
            this.clients = new long[SLOTS << bits];
            this.fullAt = new long[SLOTS << bits];
            this.before = before;
            this.beforeUntil = beforeUntil;
        }
    }

    /** @param maxBytes how large the table may become; two million clients have room in 32 MiB */
    ClientTimes(long nanosPerToken, long nanosPerBucket, long maxBytes) {
        this.nanosPerToken = nanosPerToken;
        this.nanosPerBucket = nanosPerBucket;
        long sets = Math.max(1 << FIRST_BITS, maxBytes / (2 * Long.BYTES * SLOTS));
        this.lastBits = Math.min(MOST_BITS, 63 - Long.numberOfLeadingZeros(sets));
    }

    /**
     * Takes a token.
     *
     * @param client its number
     * @param now in nanoseconds; may overflow
     * @return 0; or, if there is no token, the nanoseconds until there is one
     */
    long take(long client, long now) {
        long number = client == NOBODY || client == BUSY ? OTHER : client;
        while (true) {
            Table in = Objects.requireNonNull(table.get());
            int place = find(in, number);
            long wait = place < 0 ? enter(in, number, now) : takeAt(in, place, number, now);
            if (wait >= 0) {
                return wait;
            }
            Thread.onSpinWait();
        }
    }

    /** As {@link #take}; negative if it has to be tried again. */
    private long takeAt(Table in, int place, long client, long now) {
        long full = (long) LONGS.getAcquire(in.fullAt, place);
        if (full == MOVED) {
            return AGAIN;
        }
        long taken = Math.max(full - now, 0) + nanosPerToken;
        if (taken > nanosPerBucket) {
            return taken - nanosPerBucket;
        }
        boolean took = (long) LONGS.getAcquire(in.clients, place) == client
                && LONGS.compareAndSet(in.fullAt, place, full, now + taken);
        return took && counts(in, place) ? 0 : AGAIN;
    }

    /** Whether a token counts that was just taken. Otherwise it is given back: the table was replaced before. */
    private boolean counts(Table in, int place) {
        if (table.get() == in) {
            return true;
        }
        while (true) {
            long full = (long) LONGS.getAcquire(in.fullAt, place);
            if (full == MOVED) {
                return true; // with the token
            }
            if (LONGS.compareAndSet(in.fullAt, place, full, full - nanosPerToken)) {
                return false;
            }
        }
    }

    private int start(Table in, long client) {
        long mixed = client * secret;
        mixed = (mixed ^ mixed >>> 32) * secret;
        return (int) (mixed >>> 64 - in.bits) * SLOTS;
    }

    private int find(Table in, long client) {
        int start = start(in, client);
        for (int i = start; i < start + SLOTS; i++) {
            if ((long) LONGS.getAcquire(in.clients, i) == client) {
                return i;
            }
        }
        return -1;
    }

    /** Gives a client a place, and takes a token; negative if it has to be tried again. */
    private long enter(Table in, long client, long now) {
        int start = start(in, client);
        int best = start;
        long there = BUSY;
        long fullest = Long.MAX_VALUE;
        for (int i = start; i < start + SLOTS; i++) {
            long candidate = (long) LONGS.getAcquire(in.clients, i);
            long left = candidate == NOBODY ? Long.MIN_VALUE : (long) LONGS.getAcquire(in.fullAt, i) - now;
            if (left < fullest) {
                fullest = left;
                best = i;
                there = candidate;
            }
        }
        if (fullest > 0 && in.bits < lastBits) {
            int bits = Math.min(lastBits, in.bits + GROWTH_BITS);
            table.compareAndSet(in, new Table(bits, in, now + nanosPerBucket));
            return AGAIN;
        }
        if (there == BUSY || there == client || !LONGS.compareAndSet(in.clients, best, there, BUSY)) {
            return AGAIN;
        }
        long itsFull = (long) LONGS.getAndSet(in.fullAt, best, MOVED);
        boolean isUsedAgain = there != NOBODY && itsFull - now > 0 && fullest <= 0;
        boolean mayEnter = !isUsedAgain && table.get() == in && !isThereOrMayCome(in, client, start, best);
        long full = mayEnter ? before(in, client, now) : MOVED;
        if (full == MOVED) {
            LONGS.setRelease(in.fullAt, best, itsFull);
            LONGS.setVolatile(in.clients, best, there);
            return AGAIN;
        }
        long taken = Math.max(full - now, 0) + nanosPerToken;
        boolean takes = taken <= nanosPerBucket;
        LONGS.setRelease(in.fullAt, best, takes ? now + taken : full);
        LONGS.setVolatile(in.clients, best, client);
        if (!takes) {
            return taken - nanosPerBucket;
        }
        return counts(in, best) ? 0 : AGAIN;
    }

    /** Whether another thread gave the client a place, or may be about to. */
    private static boolean isThereOrMayCome(Table in, long client, int start, int own) {
        for (int i = start; i < start + SLOTS; i++) {
            long there = (long) LONGS.getVolatile(in.clients, i);
            if (there == client || there == BUSY && i != own) {
                return true;
            }
        }
        return false;
    }

    /**
     * Moves a client's time out of the tables before; the time now if they have none, and {@link #MOVED} if another thread may be
     * about to move it.
     */
    private long before(Table in, long client, long now) {
        Table before = in.before;
        if (before == null) {
            return now;
        }
        if (now - in.beforeUntil >= 0) {
            in.before = null;
            return now;
        }
        int start = start(before, client);
        for (int i = start; i < start + SLOTS; i++) {
            long there = (long) LONGS.getVolatile(before.clients, i);
            if (there == client) {
                long full = (long) LONGS.getAndSet(before.fullAt, i, MOVED);
                return full == MOVED ? now : full;
            }
            if (there == BUSY) {
                return MOVED;
            }
        }
        return before(before, client, now);
    }
}
