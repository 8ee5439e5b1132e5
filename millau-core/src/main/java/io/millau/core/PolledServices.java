package io.millau.core;

import io.millau.core.internal.FirstFailures;
import io.millau.core.internal.LogText;
import io.millau.core.internal.SourceStats;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Services that are read again and again: from a database, a registry, a remote configuration. Made by {@link
 * ServiceSource#polling}.
 *
 * <p>While reading fails, the services stay as they are. That is logged once, and so is the end of it; the status page and the
 * metrics show it, too.
 *
 * <p>Safe for use by several threads. Each subscription reads on a daemon thread of its own.
 *
 * <pre>{@code
 * PolledServices routes = ServiceSource.polling("database", Duration.ofSeconds(2), () -> {
 *     List<Service> services = new ArrayList<>(); // of the rows of a table
 *     services.add(Service.named("orders").path("/orders/").endpoints(endpoint).build());
 *     return new Snapshot(services, List.of());
 * });
 * builder.source(routes);
 * routes.readNow(); // after a change by this program
 * }</pre>
 */
public final class PolledServices implements ServiceSource {

    private static final Logger LOG = LoggerFactory.getLogger(PolledServices.class);

    private final String name;
    private final Duration pause;
    private final Callable<Snapshot> reading;
    private final Function<? super IOException, String> reason;
    private final FirstFailures failures = new FirstFailures(LOG);
    private final List<Poll> polls = new CopyOnWriteArrayList<>();

    PolledServices(String name, Duration pause, Callable<Snapshot> reading) {
        this(name, pause, reading, Throwable::toString);
    }

    /** @param reason what is said of a failure to read */
    PolledServices(
            String name, Duration pause, Callable<Snapshot> reading, Function<? super IOException, String> reason) {
        if (pause.isNegative() || pause.isZero()) {
            throw new IllegalArgumentException("pause " + pause + ": expected more than 0 seconds");
        }
        this.name = Objects.requireNonNull(name, "name");
        this.pause = pause;
        this.reading = Objects.requireNonNull(reading, "reading");
        this.reason = reason;
    }

    /** Has the services read soon, for a program that has changed them. Returns at once. */
    public void readNow() {
        polls.forEach(Poll::lookNow);
    }

    @Override
    public Subscription subscribe(Consumer<Snapshot> consumer) {
        Poll poll = new Poll(consumer);
        polls.add(poll);
        poll.start();
        return poll;
    }

    /** Its name. */
    @Override
    public String toString() {
        return name;
    }

    private final class Poll implements Subscription {
        private final Consumer<Snapshot> consumer;
        private final SourceStats stats = new SourceStats(name);
        private final AtomicBoolean asked = new AtomicBoolean();
        private final ScheduledExecutorService thread = new ScheduledThreadPoolExecutor(1, task -> {
            Thread t = new Thread(task, "millau-" + name);
            t.setDaemon(true);
            return t;
        });

        // For its thread alone.
        private @Nullable Snapshot delivered;
        private @Nullable String trouble;
        private int inARow;

        Poll(Consumer<Snapshot> consumer) {
            this.consumer = consumer;
        }

        void start() {
            thread.scheduleWithFixedDelay(this::read, 0, pause.toNanos(), TimeUnit.NANOSECONDS);
        }

        @Override
        public void lookNow() {
            if (asked.compareAndSet(false, true)) {
                try {
                    thread.execute(this::read);
                } catch (RejectedExecutionException closed) {
                    // nobody is interested any more
                }
            }
        }

        /** An exception would end the scheduled task, and with it all changes. */
        private void read() {
            asked.set(false);
            long start = System.nanoTime();
            try {
                deliver(Objects.requireNonNull(reading.call(), "snapshot"));
                stats.looked(Duration.ofNanos(System.nanoTime() - start));
                if (trouble != null) {
                    LOG.info("Back source={} failures={}", LogText.value(name), inARow);
                }
                trouble = null;
                inARow = 0;
            } catch (Exception | Error e) {
                if (!thread.isShutdown()) {
                    failed(e);
                }
            }
        }

        private void deliver(Snapshot snapshot) {
            if (!snapshot.equals(delivered)) {
                stats.heard();
                consumer.accept(snapshot);
                delivered = snapshot;
            }
        }

        private void failed(Throwable failure) {
            String why = failure instanceof IOException io ? reason.apply(io) : failure.toString();
            stats.failed(why);
            inARow++;
            if (!why.equals(trouble)) {
                LOG.error(
                        "Away source={} reason={} meanwhile=\"its services stay as they are; retried until it is back\"",
                        LogText.value(name),
                        LogText.value(why),
                        mayBeABug(failure) && failures.isFirst(reading, failure) ? failure : null);
            }
            trouble = why;
        }

        /** Whether the place matters where it was thrown. */
        private static boolean mayBeABug(Throwable failure) {
            return failure instanceof RuntimeException || failure instanceof Error;
        }

        @Override
        public SourceStatus status() {
            return stats.status();
        }

        @Override
        public void close() {
            polls.remove(this);
            thread.shutdownNow();
            try {
                thread.awaitTermination(5, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
