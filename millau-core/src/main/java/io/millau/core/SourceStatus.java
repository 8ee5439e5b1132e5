package io.millau.core;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The status of a source of services at one moment. Immutable.
 *
 * <pre>{@code
 * List<String> alerts = new ArrayList<>();
 * for (SourceStatus source : overview.sources()) {
 *     if (source.trouble() != null) {
 *         alerts.add(source.name() + ": " + source.trouble() + ", last read " + source.lastSuccess());
 *     }
 * }
 * }</pre>
 */
public interface SourceStatus {

    /** The source's name. */
    String name();

    /** When it last read all its services; null if it never did. */
    @Nullable
    Instant lastSuccess();

    /** Why it can't read them now; null if it can. */
    @Nullable
    String trouble();

    /** The number of change events it received. */
    long events();

    /** The number of failed reads. */
    long errors();

    /** How long the last read took, from the first request to the snapshot; zero before the first. */
    Duration buildTime();

    /** A status with these values; statuses made here are equal if their values are. */
    static SourceStatus of(
            String name,
            @Nullable Instant lastSuccess,
            @Nullable String trouble,
            long events,
            long errors,
            Duration buildTime) {
        return new Statuses.OfSource(name, lastSuccess, trouble, events, errors, buildTime);
    }
}
