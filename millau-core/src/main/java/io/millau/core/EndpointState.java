package io.millau.core;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** An endpoint with what is known of it; one per endpoint, however many snapshots and services it is part of. */
final class EndpointState {

    private static final int TOKEN_BYTES = 12;
    private static final long STARTING_NANOS = TimeUnit.SECONDS.toNanos(10);

    final Endpoint endpoint;
    final Health health;
    final AtomicInteger openRequests = new AtomicInteger();

    private final long seenSince;
    private final boolean joined;
    private volatile boolean proven;
    private @Nullable String token;

    /** @param joined whether it appeared after the router's first services */
    EndpointState(Endpoint endpoint, long now, boolean joined) {
        this.endpoint = endpoint;
        this.health = new Health(now);
        this.seenSince = now;
        this.joined = joined;
    }

    /** It answered. */
    void prove() {
        if (!proven) {
            proven = true;
        }
    }

    /** Whether it is known for a short time and has not answered yet: it may run without listening already. */
    boolean starting(long now) {
        return !proven && now - seenSince < STARTING_NANOS;
    }

    /** Whether a request is to wait for it: what the router began with is more likely not to be there at all. */
    boolean worthWaiting(long now) {
        return joined && starting(now);
    }

    /**
     * What tells it from all others to a client that is to come back: the same in every proxy and after a restart. A hash:
     * who knows the endpoint's id can tell its address from it, and only where the id is an address can it be guessed.
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
