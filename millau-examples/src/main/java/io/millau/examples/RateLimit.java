package io.millau.examples;

import io.millau.core.FilterRequest;
import io.millau.core.Ticker;
import io.millau.core.Verdict;
import io.millau.server.Filter;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Limits how many requests a client may make: each address has a bucket of tokens, which is full at first and fills evenly. A
 * request takes a token; without one it is a {@code 429}, with the seconds until there is one in {@code Retry-After}.
 *
 * <p>A bucket is one number, the time at which it is full, and a full bucket is the same as none: so it takes no thread to fill
 * them, and those that are full are forgotten when there are too many. If none is, clients that are new share one bucket until some
 * are. Safe for use by several threads; a request of a client that is known takes no lock.
 */
final class RateLimit implements Filter {

    private static final long FORGOTTEN = -1;

    private final long nanosPerToken;
    private final long nanosPerBucket;
    private final int maxClients;
    private final Ticker ticker;
    private final long start;
    private final ConcurrentHashMap<String, AtomicLong> fullAt = new ConcurrentHashMap<>();
    private final AtomicLong newcomersFullAt = new AtomicLong();
    private final AtomicLong nextSweep = new AtomicLong();

    /** @param maxClients how many buckets are kept, or somewhat more if several threads add one at once */
    RateLimit(int requests, Duration per, int maxClients, Ticker ticker) {
        if (requests < 1 || per.toNanos() < requests) {
            throw new IllegalArgumentException(
                    requests + " requests per " + per + ": expected at least one, and at most one per nanosecond");
        }
        this.nanosPerToken = per.toNanos() / requests;
        this.nanosPerBucket = nanosPerToken * requests;
        this.maxClients = maxClients;
        this.ticker = ticker;
        this.start = ticker.nanoTime();
    }

    /** So many requests at once, and so many in each period; the buckets of 10,000 clients are kept. */
    static RateLimit of(int requests, Duration per, Ticker ticker) {
        return new RateLimit(requests, per, 10_000, ticker);
    }

    @Override
    public Verdict filter(FilterRequest request) {
        long wait = take(request.clientAddress());
        return wait == 0
                ? request.proceed()
                : request.respond(429, "Too many requests\n").header("Retry-After", Long.toString(seconds(wait)));
    }

    /** Rounds up: who waits for so long gets a token. */
    private static long seconds(long nanos) {
        long second = Duration.ofSeconds(1).toNanos();
        return (nanos + second - 1) / second;
    }

    /** Takes a token; returns 0, or, if there is none, the nanoseconds until there is one. */
    long take(String client) {
        long now = ticker.nanoTime() - start;
        while (true) {
            AtomicLong bucket = bucket(client, now);
            long full = bucket.get();
            if (full == FORGOTTEN) {
                continue;
            }
            long then = Math.max(full, now) + nanosPerToken;
            if (then - now > nanosPerBucket) {
                return then - now - nanosPerBucket;
            }
            if (bucket.compareAndSet(full, then)) {
                return 0;
            }
        }
    }

    private AtomicLong bucket(String client, long now) {
        AtomicLong known = fullAt.get(client);
        if (known != null) {
            return known;
        }
        if (fullAt.mappingCount() >= maxClients) {
            forgetFullBuckets(now);
            if (fullAt.mappingCount() >= maxClients) {
                return newcomersFullAt;
            }
        }
        return fullAt.computeIfAbsent(client, c -> new AtomicLong());
    }

    /** At most once in the time in which a bucket fills, as it looks at all of them. */
    private void forgetFullBuckets(long now) {
        long due = nextSweep.get();
        if (now < due || !nextSweep.compareAndSet(due, now + nanosPerBucket)) {
            return;
        }
        fullAt.forEach((client, bucket) -> {
            long full = bucket.get();
            if (full <= now && bucket.compareAndSet(full, FORGOTTEN)) {
                fullAt.remove(client, bucket);
            }
        });
    }

    /** The number of buckets that are kept. */
    int clients() {
        return fullAt.size();
    }
}
