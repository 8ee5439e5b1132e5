package io.millau.core;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How a source of services fares.
 *
 * @param name what it is called
 * @param lastSuccess when it last looked at its origin and saw all of it; null if it never did
 * @param trouble why it can't look at it now; null if it can
 * @param events how many it heard of that may have changed something
 * @param errors how many looks failed
 * @param buildTime how long the last look took, from the first question to the snapshot
 */
public record SourceStatus(
        String name,
        @Nullable Instant lastSuccess,
        @Nullable String trouble,
        long events,
        long errors,
        Duration buildTime) {}
