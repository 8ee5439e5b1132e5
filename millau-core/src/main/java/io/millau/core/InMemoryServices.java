package io.millau.core;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * A source of services declared in code. Safe for use by several threads. A change has been delivered when the call
 * returns; it may block while consumers work.
 */
public final class InMemoryServices implements ServiceSource {

    private final List<Consumer<Snapshot>> consumers = new ArrayList<>();
    private Snapshot current;

    InMemoryServices(Service... services) {
        current = new Snapshot(List.of(services), List.of());
    }

    /** Replaces all services. */
    public void replace(Service... services) {
        replace(List.of(services));
    }

    /** Replaces all services. */
    public synchronized void replace(List<Service> services) {
        current = new Snapshot(services, List.of());
        consumers.forEach(consumer -> consumer.accept(current));
    }

    @Override
    public synchronized Subscription subscribe(Consumer<Snapshot> consumer) {
        consumers.add(consumer);
        consumer.accept(current);
        return () -> {
            synchronized (this) {
                consumers.remove(consumer);
            }
        };
    }

    @Override
    public String toString() {
        return "code";
    }
}
