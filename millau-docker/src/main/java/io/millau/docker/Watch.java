package io.millau.docker;

import com.fasterxml.jackson.databind.JsonNode;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.SourceStatus;
import io.millau.core.internal.SourceStats;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loop of one subscription: subscribes to events, then reads everything. Reads again after each event, often for
 * services that are changing, and at intervals in any case. After a failure it starts again, without end.
 */
final class Watch implements ServiceSource.Subscription {

    private static final Logger LOG = LoggerFactory.getLogger(DockerSource.class);

    /** How often everything is read without an event, in case one was missed. */
    private static final long FULL_READ_INTERVAL = Duration.ofSeconds(15).toNanos();

    /** A change causes several events: wait for the others. */
    private static final long BURST = Duration.ofMillis(30).toMillis();

    /** Failing connections may ask for a read many times a second. */
    private static final long MIN_SUSPICION_INTERVAL = Duration.ofMillis(250).toNanos();

    /** A proxy may end every event stream at once: limits how often we connect. */
    private static final long MIN_SESSION_INTERVAL = Duration.ofSeconds(1).toNanos();

    private static final Duration CLOSE = Duration.ofSeconds(10);

    private static final String EVENTS = DockerApi.filtered(
            "/events",
            Map.of(
                    "type", List.of("container", "network", "service", "node"),
                    "event",
                            List.of(
                                    "create",
                                    "start",
                                    "die",
                                    "died", // Podman's
                                    "cleanup", // Podman's
                                    "health_status",
                                    "rename",
                                    "update",
                                    "pause",
                                    "unpause",
                                    "destroy",
                                    "remove",
                                    "connect",
                                    "disconnect")));

    private final Supplier<DockerApi> connection;
    private final Supplier<Interfaces> interfaces;
    private final Consumer<Snapshot> consumer;
    private final PendingEvents pending = new PendingEvents();
    private final PollSchedule schedule = new PollSchedule();
    private final SnapshotBuilder builder;
    private final Outage outage;
    private final SourceStats discovery;
    private final Thread thread;
    private volatile boolean closed;
    private @Nullable Snapshot delivered;

    Watch(String engine, Supplier<DockerApi> connection, Supplier<Interfaces> interfaces, Consumer<Snapshot> consumer) {
        this.connection = connection;
        this.interfaces = interfaces;
        this.consumer = consumer;
        this.builder = new SnapshotBuilder("Docker " + engine);
        this.discovery = new SourceStats("Docker " + engine);
        this.outage = new Outage(engine, discovery);
        this.thread = new Thread(this::run, "millau-docker");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    @Override
    public void lookNow() {
        pending.suspicion();
    }

    @Override
    public SourceStatus status() {
        return discovery.status();
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        if (thread == Thread.currentThread()) {
            return;
        }
        try {
            thread.join(CLOSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        while (!closed) {
            long start = System.nanoTime();
            try {
                session();
                TimeUnit.NANOSECONDS.sleep(start + MIN_SESSION_INTERVAL - System.nanoTime());
            } catch (InterruptedException e) {
                // The loop ends if closed.
            } catch (Throwable e) {
                // Errors too: discovery must go on.
                failed(e);
            }
        }
    }

    private void failed(Throwable failure) {
        if (closed) {
            return;
        }
        try {
            outage.failed(failure, System.nanoTime());
            TimeUnit.NANOSECONDS.sleep(outage.pause(System.nanoTime()));
        } catch (InterruptedException e) {
            // The loop ends if closed.
        }
    }

    /** Runs until the event stream ends. */
    private void session() throws IOException, InterruptedException {
        try (DockerApi api = connection.get()) {
            pending.take();
            try (DockerApi.Events events = api.events(EVENTS, this::heard, pending::streamEnded)) {
                follow(new EngineReader(api), events);
            }
        }
    }

    private void heard(JsonNode event) {
        discovery.heard();
        switch (event.path("Type").asText()) {
            case "node" -> pending.nodesChanged();
            case "service" -> pending.swarmChanged();
            default -> heardLocally(event);
        }
    }

    private void heardLocally(JsonNode event) {
        JsonNode attributes = event.path("Actor").path("Attributes");
        if (attributes.has(Container.SWARM_TASK)) {
            pending.taskChanged(attributes.path("com.docker.swarm.service.id").asText());
        } else {
            pending.changed();
        }
    }

    /** Reads and delivers snapshots until the event stream ends. */
    private void follow(EngineReader reader, DockerApi.Events events) throws IOException, InterruptedException {
        reader.findRole();
        EngineView view = everything(reader);
        outage.over(System.nanoTime());
        long looked = System.nanoTime();
        long next = looked + FULL_READ_INTERVAL;
        while (!closed && !events.ended()) {
            long now = System.nanoTime();
            pending.await(Math.min(next - now, schedule.pause(now)));
            PendingEvents.Taken taken = pending.take();
            if (taken.changed()) {
                Thread.sleep(BURST);
                taken = taken.and(pending.take());
            }
            now = System.nanoTime();
            if (taken.suspicion()) {
                schedule.suspicious(now);
                next = Math.min(next, looked + MIN_SUSPICION_INTERVAL);
            }
            if (taken.changed() || now >= next) {
                if (taken.nodesChanged() || now >= next || (taken.swarmChanged() && !reader.isManager())) {
                    reader.findRole();
                }
                view = everything(reader);
                looked = System.nanoTime();
                next = looked + FULL_READ_INTERVAL;
                schedule.heardOf(taken.services(), looked);
                if (taken.nodesChanged()) {
                    schedule.nodesChanged(looked);
                }
            } else if (schedule.pause(now) == 0) {
                view = reader.tasksOf(schedule.moving(now), view);
                seen(view);
            }
        }
    }

    private EngineView everything(EngineReader reader) throws IOException, InterruptedException {
        long start = System.nanoTime();
        EngineView view = reader.everything();
        seen(view);
        discovery.looked(Duration.ofNanos(System.nanoTime() - start));
        return view;
    }

    private void seen(EngineView view) {
        schedule.looked(view, System.nanoTime());
        Snapshot snapshot = builder.build(view, interfaces.get());
        if (snapshot.equals(delivered)) {
            return;
        }
        delivered = snapshot;
        try {
            consumer.accept(snapshot);
        } catch (RuntimeException e) {
            LOG.error("A snapshot of the services in Docker could not be used", e);
        }
    }
}
