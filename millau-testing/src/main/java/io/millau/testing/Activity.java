package io.millau.testing;

import io.millau.core.Endpoint;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Whether the threads of scripted endpoints have something to do. They have, unless each waits for bytes that are not there, for time to
 * pass, or for the test. Safe for use by several threads.
 */
final class Activity {

    /** What {@link #look} returns while somebody has something to do. */
    static final long BUSY = -1;

    private final Set<ScriptedEndpoint> endpoints = ConcurrentHashMap.newKeySet();
    private final AtomicInteger busy = new AtomicInteger();
    private final AtomicLong begun = new AtomicLong();

    /** How many threads are not waited for any more: they write what nobody reads, for instance. */
    private volatile int given;

    void add(ScriptedEndpoint endpoint) {
        endpoints.add(endpoint);
    }

    void remove(ScriptedEndpoint endpoint) {
        endpoints.remove(endpoint);
    }

    /** Whether this knows what it does. */
    boolean has(Endpoint endpoint) {
        return endpoints.stream()
                .anyMatch(scripted -> scripted.endpoint().socketAddress().equals(endpoint.socketAddress()));
    }

    /** A thread has something to do. */
    void begins() {
        begun.incrementAndGet();
        busy.incrementAndGet();
    }

    /** A thread waits, or has ended. */
    void ends() {
        busy.decrementAndGet();
    }

    /** Returns {@link #BUSY}, or a number that is another one if somebody has done something since it was returned last. */
    long look() {
        long before = begun.get();
        for (ScriptedEndpoint endpoint : endpoints) {
            if (endpoint.hasUnread()) {
                return BUSY;
            }
        }
        int now = busy.get();
        if (now > given) {
            return BUSY;
        }
        given = now;
        return before;
    }

    /** Waits no more for those who are busy now, until they are done. */
    void giveUp() {
        given = busy.get();
    }
}
