package io.millau.core;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Provides services: from a Docker Engine, a file or code.
 *
 * <p>A source works on its own threads and never blocks a request. Its {@link Object#toString()} is its name in logs.
 * Its methods may be called by any thread.
 *
 * <pre>{@code
 * ServiceSource source = consumer -> {
 *     Service app = Service.named("app").path("/app/").endpoints(endpoint).build();
 *     consumer.accept(new Snapshot(List.of(app), List.of())); // and again whenever something changes
 *     return () -> {}; // ends the delivery
 * };
 * builder.source(source);
 * }</pre>
 */
@FunctionalInterface
public interface ServiceSource {

    /**
     * Starts to deliver snapshots. The consumer is called with one complete snapshot at a time, by a thread of the
     * source or within this call; first when the source has read everything once. If a source fails, it keeps retrying
     * and delivers nothing meanwhile, so the last snapshot stays in use.
     *
     * @return close it to end the delivery and to free its resources
     */
    Subscription subscribe(Consumer<Snapshot> consumer);

    /** A delivery in progress. Safe for use by several threads. */
    @FunctionalInterface
    interface Subscription extends AutoCloseable {

        /**
         * Ends the delivery. Waits some seconds at most for a call of the consumer to end. Further calls have no
         * effect.
         */
        @Override
        void close();

        /** The status of the source; null if it has none. Never blocks. */
        default @Nullable SourceStatus status() {
            return null;
        }

        /** Asks the source to read its services soon, because they may have changed. Never blocks. */
        default void lookNow() {}
    }

    /**
     * Services declared in code, which may be changed at any time.
     *
     * @throws IllegalArgumentException if two have the same {@link Service#name} or {@link Service#id}
     */
    static InMemoryServices of(Service... services) {
        return new InMemoryServices(Objects.requireNonNull(services, "services"));
    }

    /**
     * The services in a properties file. Changes of the file apply within two seconds, the removal of a service within
     * seven. Doesn't read it yet.
     */
    static ServicesFile file(Path file) {
        return new ServicesFile(Objects.requireNonNull(file, "file"), Ticker.system());
    }

    /**
     * The services in all properties files of a folder. Changes apply as those of {@link #file}. Doesn't read it yet.
     */
    static ServicesFolder folder(Path folder) {
        return new ServicesFolder(Objects.requireNonNull(folder, "folder"), Ticker.system());
    }

    /**
     * Services that are read again and again. Doesn't read them yet.
     *
     * @param name its name in logs, metrics and on the status page
     * @param pause how long to wait after each reading
     * @param reading called by a thread of the source, so it may block; returns all services and problems. While it throws, the
     *     services stay as they are
     */
    static PolledServices polling(String name, Duration pause, Callable<Snapshot> reading) {
        return new PolledServices(name, Objects.requireNonNull(pause, "pause"), reading);
    }
}
