package io.millau.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A source of services declared in code. Safe for use by several threads. A change has been delivered when the call
 * returns; it may block while consumers work, and while new host names of endpoints are resolved.
 *
 * <pre>{@code
 * InMemoryServices services =
 *         ServiceSource.of(Service.named("blue").endpoints(endpoint).build());
 * builder.source(services);
 * // later, while the proxy runs
 * services.replace(Service.named("green").endpoints(endpoint).build());
 * }</pre>
 */
public final class InMemoryServices implements ServiceSource {

    private final List<Consumer<Snapshot>> consumers = new ArrayList<>();
    private Snapshot current;
    private boolean replacing;

    InMemoryServices(Service... services) {
        current = snapshot(Arrays.asList(services));
    }

    private static Snapshot snapshot(List<Service> services) {
        Set<String> ids = new HashSet<>();
        Set<String> names = new HashSet<>();
        for (Service service : services) {
            if (!ids.add(Objects.requireNonNull(service, "service").id())) {
                throw new IllegalArgumentException("two services have the id " + service.id()
                        + ", which is the name if none is set: expected different names, or ids");
            }
            if (!names.add(service.name())) {
                throw new IllegalArgumentException("two services have the name " + service.name()
                        + ", by which logs and metrics tell them apart: expected different names");
            }
        }
        return new Snapshot(services, List.of());
    }

    /**
     * Replaces all services.
     *
     * @throws IllegalArgumentException if two have the same {@link Service#name} or {@link Service#id}
     */
    public void replace(Service... services) {
        replace(Arrays.asList(Objects.requireNonNull(services, "services")));
    }

    /**
     * Replaces all services.
     *
     * @throws IllegalArgumentException if two have the same {@link Service#name} or {@link Service#id}
     */
    public synchronized void replace(List<Service> services) {
        Snapshot next = snapshot(Objects.requireNonNull(services, "services"));
        if (replacing) { // by this thread
            throw new IllegalStateException(
                    "services were replaced while they are replaced, by a listener for instance:"
                            + " expected that later, or by another thread");
        }
        current = next;
        deliver(List.copyOf(consumers)); // a listener may end the proxy of another one
    }

    private void deliver(List<Consumer<Snapshot>> to) {
        boolean before = replacing;
        replacing = true;
        try {
            to.forEach(consumer -> consumer.accept(current));
        } finally {
            replacing = before;
        }
    }

    @Override
    public synchronized Subscription subscribe(Consumer<Snapshot> consumer) {
        consumers.add(consumer);
        deliver(List.of(consumer));
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
