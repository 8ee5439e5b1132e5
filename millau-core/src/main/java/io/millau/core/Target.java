package io.millau.core;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** An endpoint with what is known of it; one per endpoint, however many snapshots and services it is part of. */
final class Target {

    private static final long STARTING_NANOS = TimeUnit.SECONDS.toNanos(10);

    final Endpoint endpoint;
    final Health health = new Health();
    final AtomicInteger openRequests = new AtomicInteger();

    private final long joinedAt;
    private volatile boolean proven;

    /** @param proven whether it is known, or to be assumed, to have started */
    Target(Endpoint endpoint, long joinedAt, boolean proven) {
        this.endpoint = endpoint;
        this.joinedAt = joinedAt;
        this.proven = proven;
    }

    /** It answered. */
    void prove() {
        if (!proven) {
            proven = true;
        }
    }

    /** Whether it joined a short time ago and has not answered yet: it may run without listening already. */
    boolean starting(long now) {
        return !proven && now - joinedAt < STARTING_NANOS;
    }

    int load(long now) {
        return health.load(openRequests.get(), now);
    }
}
