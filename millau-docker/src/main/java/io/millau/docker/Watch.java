package io.millau.docker;

import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.SourceStatus;
import io.millau.core.internal.SourceStats;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loop of one subscription: subscribes to events, then reads everything. After an event it reads what that concerns,
 * services that are changing often, and everything at intervals. After a failure it starts again, without end.
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

    /** Reading all of a big Swarm, or polling many of its services, takes at most a fifth of the time. */
    private static final int REST = 4;

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
    private final CrashLoops crashLoops = new CrashLoops();
    private final SnapshotBuilder builder;
    private final Outage outage;
    private final SourceStats discovery;
    private final Thread thread;
    private volatile boolean closed;
    private @Nullable Seen seen;
    private @Nullable Snapshot delivered;

    /** What a snapshot is made of. */
    private record Seen(EngineView view, Interfaces own) {}

    Watch(
            String engine,
            RequiredLabel required,
            Supplier<DockerApi> connection,
            Supplier<Interfaces> interfaces,
            Consumer<Snapshot> consumer) {
        this.connection = connection;
        this.interfaces = interfaces;
        this.consumer = consumer;
        this.builder = new SnapshotBuilder("Docker " + engine, required);
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
                new Session(new EngineReader(api)).follow(events);
            }
        }
    }

    private void heard(Json event) {
        discovery.heard();
        switch (event.path("Type").asText()) {
            case "node" -> pending.nodesChanged();
            case "service" ->
                pending.serviceChanged(event.path("Actor").path("ID").asText());
            default -> heardLocally(event);
        }
    }

    private void heardLocally(Json event) {
        Json attributes = event.path("Actor").path("Attributes");
        if (attributes.has(Container.SWARM_TASK)) {
            pending.taskChanged(attributes.path("com.docker.swarm.service.id").asText());
        } else {
            pending.containersChanged();
        }
    }

    /** What was read since an event stream began, and when to read again. All times are of {@link System#nanoTime}. */
    private final class Session {
        private final EngineReader reader;
        private EngineView view = EngineView.NOTHING;
        private long readAll;
        private long readAllTook;
        private long nextRead;
        private long polled = System.nanoTime();
        private long pollTook;
        private boolean nodesChanged;

        Session(EngineReader reader) {
            this.reader = reader;
        }

        /** Reads and delivers snapshots until the event stream ends. */
        void follow(DockerApi.Events events) throws IOException, InterruptedException {
            everything();
            outage.over(System.nanoTime());
            while (!closed && !events.ended()) {
                long now = System.nanoTime();
                pending.await(Math.min(Math.min(nextRead - now, untilPoll(now)), crashLoops.pause(now)));
                PendingEvents.Taken taken = pending.take();
                if (taken.changed()) {
                    Thread.sleep(BURST);
                    taken = taken.and(pending.take());
                }
                now = System.nanoTime();
                plan(taken, now);
                if (now - nextRead >= 0) {
                    everything();
                } else {
                    some(taken);
                }
                schedule.heardOf(taken.tasks(), System.nanoTime());
            }
        }

        /** Brings the next read of everything forward. */
        private void plan(PendingEvents.Taken taken, long now) {
            if (taken.suspicion()) {
                schedule.suspicious(now);
                nextRead = Math.min(nextRead, readAll + MIN_SUSPICION_INTERVAL);
            }
            if (taken.nodes() || !taken.services().isEmpty() && !reader.isManager()) {
                nextRead = now;
            }
            nodesChanged |= taken.nodes();
            nextRead = Math.max(nextRead, readAll + REST * readAllTook);
        }

        private void everything() throws IOException, InterruptedException {
            reader.findRole();
            long start = System.nanoTime();
            view = reader.everything(view);
            schedule.looked(view, System.nanoTime());
            seen(view);
            readAll = System.nanoTime();
            readAllTook = readAll - start;
            nextRead = readAll + FULL_READ_INTERVAL;
            discovery.looked(Duration.ofNanos(readAllTook));
            if (nodesChanged) {
                nodesChanged = false;
                schedule.nodesChanged(readAll);
            }
        }

        /** Reads what the events concern, and the services that are changing if it is time for that. */
        private void some(PendingEvents.Taken taken) throws IOException, InterruptedException {
            if (taken.containers()) {
                view = reader.containersAgain(view);
            }
            if (reader.isManager()) {
                someOfTheSwarm(taken);
            }
            seen(view);
            if (taken.changed()) {
                discovery.lookedAgain();
            }
        }

        private void someOfTheSwarm(PendingEvents.Taken taken) throws IOException, InterruptedException {
            if (!taken.services().isEmpty()) {
                view = reader.servicesAgain(taken.services(), view);
                schedule.looked(view, taken.services(), System.nanoTime());
            }
            if (!taken.tasks().isEmpty()) {
                view = reader.tasksAgain(taken.tasks(), view);
                schedule.looked(view, taken.tasks(), System.nanoTime());
            }
            poll();
        }

        private void poll() throws IOException, InterruptedException {
            long start = System.nanoTime();
            if (untilPoll(start) > 0) {
                return;
            }
            Set<String> moving = schedule.moving(start);
            view = reader.tasksAgain(moving, view);
            polled = System.nanoTime();
            pollTook = polled - start;
            schedule.looked(view, moving, polled);
        }

        private long untilPoll(long now) {
            return Math.max(schedule.pause(now), polled + REST * pollTook - now);
        }
    }

    private void seen(EngineView view) {
        Seen now = new Seen(crashLoops.applyTo(view, System.nanoTime()), interfaces.get());
        if (now.equals(seen)) {
            return;
        }
        seen = now;
        Snapshot snapshot = builder.build(now.view(), now.own());
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
