package io.millau.core;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The state of an endpoint. There is one per endpoint, shared by all snapshots and services that contain it. Safe for
 * use by several threads.
 */
final class EndpointState {

    private static final int TOKEN_BYTES = 12;
    private static final long STARTING_NANOS = TimeUnit.SECONDS.toNanos(10);

    final Endpoint endpoint;
    final Health health;
    final AtomicInteger openRequests = new AtomicInteger();
    final RecentTime recentTime = new RecentTime();

    private final long seenSince;
    private final boolean joined;
    private volatile boolean proven;

    /** The lines of requests that may wait for a place here; null if no service limits its requests. */
    private volatile WaitingLine @Nullable [] lines;

    private @Nullable String token;

    /** @param joined whether it appeared after the first services of its source */
    EndpointState(Endpoint endpoint, long now, boolean joined) {
        this.endpoint = endpoint;
        this.health = new Health(now);
        this.seenSince = now;
        this.joined = joined;
    }

    /** See {@link #leave}. Few services set a limit, so a line is rarely there. */
    void awaitedBy(WaitingLine @Nullable [] lines) {
        this.lines = lines;
    }

    /**
     * Counts a request if fewer than so many are in progress.
     *
     * @return whether it got a place
     */
    boolean takePlace(int most) {
        int open = openRequests.get();
        while (open < most) {
            if (openRequests.compareAndSet(open, open + 1)) {
                return true;
            }
            open = openRequests.get();
        }
        return false;
    }

    /** A request is no longer in progress: another one may take its place. */
    void leave() {
        openRequests.getAndDecrement();
        wakeWaiting();
    }

    /** Wakes the first of each line: a place may be free. */
    void wakeWaiting() {
        WaitingLine[] waiting = lines;
        if (waiting != null) {
            for (WaitingLine line : waiting) {
                line.wake();
            }
        }
    }

    /** Call when the endpoint responded. */
    void prove() {
        if (!proven) {
            proven = true;
        }
    }

    /** Whether it was added recently and has not responded yet, so that it may not listen yet. */
    boolean starting(long now) {
        return !proven && now - seenSince < STARTING_NANOS;
    }

    /**
     * Whether a request should wait for it. Not if the router started with it, as it is then more likely to be down.
     */
    boolean joinedAndStarting(long now) {
        return joined && starting(now);
    }

    /**
     * Identifies it in the cookie of a sticky client; the same in every proxy and after a restart. A hash, so that the
     * cookie doesn't reveal the address; it can be guessed only if the id is an address.
     */
    String token() {
        String known = token;
        if (known == null) {
            try {
                byte[] digest = MessageDigest.getInstance("SHA-256")
                        .digest((endpoint.id() + " " + endpoint).getBytes(StandardCharsets.UTF_8));
                known = Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(digest, TOKEN_BYTES));
            } catch (NoSuchAlgorithmException e) {
                throw new AssertionError("every Java runtime has SHA-256", e);
            }
            token = known;
        }
        return known;
    }

    EndpointStatus status(long now) {
        return health.status(endpoint, openRequests.get(), now);
    }

    int load(long now) {
        return health.load(openRequests.get(), now);
    }
}
