package io.millau.core;

import java.util.List;

/**
 * All that a source knows at one moment. Immutable; snapshots of the same state are equal whatever order the source's
 * origin listed it in, so sources sort.
 *
 * @param services every service, disabled ones and those with nothing running too
 * @param problems what is wrong with the configuration
 */
public record Snapshot(List<Service> services, List<Problem> problems) {

    /** A source that knows nothing. */
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
