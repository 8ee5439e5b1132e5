package io.millau.core;

import java.util.List;

/**
 * The services and problems of a source at one moment. Immutable. The same state must make equal snapshots, so sources
 * sort the lists.
 *
 * <pre>{@code
 * Snapshot snapshot = millau.snapshot();
 * List<String> idle = snapshot.services().stream()
 *         .filter(service -> service.endpoints().isEmpty())
 *         .map(Service::name)
 *         .toList();
 * boolean isGood = idle.isEmpty() && snapshot.problems().isEmpty();
 * }</pre>
 *
 * @param services every service, including disabled ones and those without a running instance
 * @param problems what is wrong with the configuration
 */
public record Snapshot(List<Service> services, List<Problem> problems) {

    /** A snapshot without services and problems. */
    public static final Snapshot EMPTY = new Snapshot(List.of(), List.of());

    /** Copies both lists. */
    public Snapshot {
        services = List.copyOf(services);
        problems = List.copyOf(problems);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Snapshot that && services.equals(that.services) && problems.equals(that.problems);
    }

    @Override
    public int hashCode() {
        return services.hashCode() * 31 + problems.hashCode();
    }
}
