package io.millau.core;

import java.util.concurrent.atomic.AtomicInteger;

/** An endpoint with what is known of it; one per endpoint, however many snapshots and services it is part of. */
final class Target {

    final Endpoint endpoint;
    final Health health = new Health();
    final AtomicInteger openRequests = new AtomicInteger();

    Target(Endpoint endpoint) {
        this.endpoint = endpoint;
    }

    int load(long now) {
        return health.load(openRequests.get(), now);
    }
}
