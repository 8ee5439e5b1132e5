package io.millau.core.internal;

import io.millau.core.ServiceSource;
import io.millau.core.SourceStatus;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What a source notes of its own work, so that {@link ServiceSource.Subscription#status} can tell it. Safe for use by several
 * threads.
 */
public final class SourceStats {

    private final String name;
    private final Clock clock;
    private final AtomicLong events = new AtomicLong();
    private final AtomicLong errors = new AtomicLong();
    private volatile @Nullable Look last;
    private volatile @Nullable String trouble;

    private record Look(Instant at, Duration took) {}

    /**
     * Notes of a source that has not looked yet.
     *
     * @param name what the source is called
     */
    public SourceStats(String name) {
        this(name, Clock.systemUTC());
    }

    SourceStats(String name, Clock clock) {
        this.name = name;
        this.clock = clock;
    }

    /** Something happened at the origin. */
    public void heard() {
        events.getAndIncrement();
    }

    /** The origin was looked at, and all of it seen. */
    public void looked(Duration took) {
        last = new Look(clock.instant(), took);
        trouble = null;
    }

    /**
     * The origin could not be looked at.
     *
     * @param why for a person
     */
    public void failed(String why) {
        errors.getAndIncrement();
        trouble = why;
    }

    /** How the source fares now. */
    public SourceStatus status() {
        Look look = last;
        return new SourceStatus(
                name,
                look == null ? null : look.at(),
                trouble,
                events.get(),
                errors.get(),
                look == null ? Duration.ZERO : look.took());
    }
}
