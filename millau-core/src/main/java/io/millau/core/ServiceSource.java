package io.millau.core;

import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where services come from: a Docker Engine, a file, code.
 *
 * <p>A source has threads of its own and never blocks a request. Its {@link Object#toString()} names it to the operator.
 */
@FunctionalInterface
public interface ServiceSource {

    /**
     * Starts to deliver. The consumer is called serially, from a thread of the source or from this call, with a whole
     * snapshot each time; the first one as soon as the source has seen everything once. A source whose origin is away
     * keeps quiet and tries for ever: what was delivered last stays in force.
     *
     * @return ends the deliveries and frees what they needed
     */
    Subscription subscribe(Consumer<Snapshot> consumer);

    /** A running delivery. */
    @FunctionalInterface
    interface Subscription extends AutoCloseable {

        /** Ends the delivery; returns when the consumer is not called any more. Further calls have no effect. */
        @Override
        void close();

        /** How the source fares; null if it has nothing to tell but its snapshots. Never blocks; any thread. */
        default @Nullable SourceStatus status() {
            return null;
        }

        /** Asks the source to look at its origin at once, since something moves. Never blocks; any thread. */
        default void lookNow() {}
    }

    /** Services declared in code, to be changed at any time. */
    static InMemoryServices of(Service... services) {
        return new InMemoryServices(services);
    }

    /** The services of a properties file; saved changes apply within two seconds. */
    static ServicesFile file(Path file) {
        return new ServicesFile(file);
    }
}
