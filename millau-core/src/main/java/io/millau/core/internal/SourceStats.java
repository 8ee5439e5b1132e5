package io.millau.core.internal;

import io.millau.core.ServiceSource;
import io.millau.core.SourceStatus;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Counts the reads and events of a source, for {@link ServiceSource.Subscription#status}. Safe for use by several
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
     * Statistics of a source that has not been read yet.
     *
     * @param name the source's name
     */
    public SourceStats(String name) {
        this(name, Clock.systemUTC());
    }

    SourceStats(String name, Clock clock) {
        this.name = name;
        this.clock = clock;
    }

    /** The source received an event. */
    public void heard() {
        events.getAndIncrement();
    }

    /** The source read all its services. */
    public void looked(Duration took) {
        last = new Look(clock.instant(), took);
        trouble = null;
    }

    /** The source read what had changed. */
    public void lookedAgain() {
        Look look = last;
        looked(look == null ? Duration.ZERO : look.took());
    }

    /**
     * A read failed.
     *
     * @param why the reason, as text for the user
     */
    public void failed(String why) {
        errors.getAndIncrement();
        trouble = why;
    }

    /** The current status. */
    public SourceStatus status() {
        Look look = last;
        return SourceStatus.of(
                name,
                look == null ? null : look.at(),
                trouble,
                events.get(),
                errors.get(),
                look == null ? Duration.ZERO : look.took());
    }
}
