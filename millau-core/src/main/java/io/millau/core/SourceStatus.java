package io.millau.core;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The status of a source of services. Immutable.
 *
 * @param name the source's name
 * @param lastSuccess when it last read all its services; null if it never did
 * @param trouble why it can't read them now; null if it can
 * @param events the number of change events it received
 * @param errors the number of failed reads
 * @param buildTime how long the last read took, from the first request to the snapshot; zero before the first
 */
public record SourceStatus(
        String name,
        @Nullable Instant lastSuccess,
        @Nullable String trouble,
        long events,
        long errors,
        Duration buildTime) {}
