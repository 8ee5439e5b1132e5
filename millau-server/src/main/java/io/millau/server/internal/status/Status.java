package io.millau.server.internal.status;

import io.millau.core.Endpoint;
import io.millau.core.Overview;
import io.millau.core.Service;
import io.millau.core.Ticker;
import io.millau.core.TrafficListener;
import io.millau.server.internal.text.Trust;
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
 * The data of the status page. Its own thread collects it every second, and sends it to the page's viewers; it sends
 * changes sooner. Call {@link #close} to stop the thread.
 */
public final class Status implements TrafficListener, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Status.class);

    private static final long TICK_NANOS = Duration.ofMillis(200).toNanos();
    private static final long SECOND_NANOS = Duration.ofSeconds(1).toNanos();

    /** The maximum rate for each viewer; large data is sent less often. */
    private static final int BYTES_PER_SECOND = 500_000;

    private final LiveTraffic traffic = new LiveTraffic();
    private final StatusStream stream;
    private final ChangeHistory history;
    private final OverviewChanges overviewChanges;
    private final Clock clock;
    private final Ticker ticker;
    private final String host;
    private final Trust trust;
    private final SoleClient soleClient = new SoleClient();
    private final BooleanSupplier up;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread t = new Thread(task, "millau-status");
        t.setDaemon(true);
        return t;
    });

    private volatile @Nullable Overview overview;
    private volatile @Nullable StatusJson json;
    private volatile boolean changed;

    // Only used by the thread.
    private long counted;
    private long sent;
    private int length;
    private boolean failed;

    public Status(ChangeHistory history, Clock clock, Ticker ticker, String host, Trust trust, BooleanSupplier up) {
        this.history = history;
        this.overviewChanges = new OverviewChanges(history);
        this.clock = clock;
        this.ticker = ticker;
        this.host = host;
        this.trust = trust;
        this.up = up;
        this.stream = new StatusStream(ticker);
        this.counted = ticker.nanoTime();
        this.sent = counted;
    }

    /** The listeners to register. */
    public List<TrafficListener> listeners() {
        return trust.isEmpty() ? List.of(traffic, soleClient, this) : List.of(traffic, this);
    }

    StatusStream stream() {
        return stream;
    }

    /** The content of {@code /status.json}; null before Millau listens. */
    @Nullable
    String text() {
        StatusJson known = json;
        return known == null ? null : known.text(up.getAsBoolean());
    }

    @Override
    public void started(Overview overview) {
        this.overview = overview;
        json = new StatusJson(overview, traffic, history, clock, host, trust, soleClient);
        thread.scheduleWithFixedDelay(this::update, 0, TICK_NANOS, TimeUnit.NANOSECONDS);
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

    private void update() {
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
            // An exception would end the scheduled task.
            if (!failed) {
                LOG.error("The status can't be shown; retried until it can", e);
            }
            failed = true;
        }
    }

    private void show(long now) {
        long pause = Math.max(SECOND_NANOS, SECOND_NANOS / BYTES_PER_SECOND * length);
        boolean isNews = changed && length < BYTES_PER_SECOND;
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
