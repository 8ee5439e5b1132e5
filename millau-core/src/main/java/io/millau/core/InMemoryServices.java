package io.millau.core;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Services declared in code. Safe for use by several threads; a change is in force when the call returns. */
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
