package io.millau.server.internal.status;

import io.millau.core.Endpoint;
import io.millau.core.Overview;
import io.millau.core.Service;
import io.millau.core.Ticker;
import io.millau.core.TrafficListener;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the status page shows: a thread of its own looks at everything each second, and sends it to those who look at the page,
 * changes at once.
 */
public final class Status implements TrafficListener, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Status.class);

    private static final long TICK_NANOS = Duration.ofMillis(200).toNanos();
    private static final long SECOND_NANOS = Duration.ofSeconds(1).toNanos();

    /** What is large is sent more rarely: so many bytes a second to each viewer. */
    private static final int BYTES_A_SECOND = 500_000;

    private final LiveTraffic traffic = new LiveTraffic();
    private final StatusStream stream;
    private final ChangeHistory history;
    private final OverviewChanges overviewChanges;
    private final Clock clock;
    private final Ticker ticker;
    private final String host;
    private final BooleanSupplier up;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread t = new Thread(task, "millau-status");
        t.setDaemon(true);
        return t;
    });

    private volatile @Nullable Overview overview;
    private volatile @Nullable StatusJson json;
    private volatile boolean changed;

    // For the thread alone.
    private long counted;
    private long sent;
    private int length;
    private boolean failed;

    public Status(ChangeHistory history, Clock clock, Ticker ticker, String host, BooleanSupplier up) {
        this.history = history;
        this.overviewChanges = new OverviewChanges(history);
        this.clock = clock;
        this.ticker = ticker;
        this.host = host;
        this.up = up;
        this.stream = new StatusStream(ticker);
        this.counted = ticker.nanoTime();
        this.sent = counted;
    }

    /** To be told of all that is counted. */
    public List<TrafficListener> listeners() {
        return List.of(traffic, this);
    }

    StatusStream stream() {
        return stream;
    }

    /** What {@code /status.json} says; null before Millau listens. */
    @Nullable
    String text() {
        StatusJson known = json;
        return known == null ? null : known.text(up.getAsBoolean());
    }

    @Override
    public void started(Overview overview) {
        this.overview = overview;
        json = new StatusJson(overview, traffic, history, clock, host);
        thread.scheduleWithFixedDelay(this::look, 0, TICK_NANOS, TimeUnit.NANOSECONDS);
    }

    @Override
    public void servicesReplaced(List<Service> services) {
        changed = true;
    }

    @Override
    public void endpointEjected(Service service, Endpoint endpoint, String reason) {
        changed = true;
    }

    @Override
    public void endpointReturned(Service service, Endpoint endpoint) {
        changed = true;
    }

    private void look() {
        try {
            long now = ticker.nanoTime();
            Overview known = overview;
            if (known != null && now - counted >= SECOND_NANOS) {
                traffic.tick((now - counted) / (double) SECOND_NANOS);
                counted = now;
                overviewChanges.compare(known);
            }
            if (stream.isWatched()) {
                show(now);
            }
            failed = false;
        } catch (RuntimeException | Error e) {
            // It would end the schedule.
            if (!failed) {
                LOG.error("The status can't be shown, tried again until it can", e);
            }
            failed = true;
        }
    }

    private void show(long now) {
        long pause = Math.max(SECOND_NANOS, SECOND_NANOS / BYTES_A_SECOND * length);
        boolean isNews = changed && length < BYTES_A_SECOND;
        if (isNews || stream.hasNewcomers() || now - sent >= pause) {
            changed = false;
            String text = text();
            if (text != null) {
                length = text.length();
                sent = now;
                stream.send(text);
            }
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
