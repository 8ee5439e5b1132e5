package io.millau.server;

import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.SourceStatus;
import io.millau.core.internal.LogText;
import io.millau.core.internal.ResolvedSource;
import io.millau.core.internal.SourceStats;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Merges the snapshots of all sources and passes on the whole. Safe for use by several threads. */
final class SourceAggregator implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(SourceAggregator.class);

    private final List<ServiceSource> sources;
    private final ServicesConsumer consumer;
    private final Consumer<List<Problem>> problemConsumer;
    private final List<ServiceSource.Subscription> subscriptions = new ArrayList<>();

    /** The status, as seen from here, of sources whose subscriptions have no status of their own. */
    private final Map<ServiceSource, SourceStats> deliveries = new LinkedHashMap<>();

    /** Takes the services of all sources. */
    @FunctionalInterface
    interface ServicesConsumer {

        /** @param first whether a source has delivered for the first time: what is new was there before */
        void accept(List<Service> services, boolean first);
    }

    private final CountDownLatch first;

    // Guarded by this.
    private final Map<ServiceSource, Snapshot> delivered = new LinkedHashMap<>();
    private boolean replacing;

    private volatile Snapshot current = Snapshot.EMPTY;
    private volatile boolean anyDelivered;

    SourceAggregator(List<ServiceSource> sources, ServicesConsumer consumer, Consumer<List<Problem>> problemConsumer) {
        this.sources = List.copyOf(sources);
        this.consumer = consumer;
        this.problemConsumer = problemConsumer;
        this.first = new CountDownLatch(this.sources.size());
        sources.forEach(source -> deliveries.put(source, new SourceStats(source.toString())));
    }

    void start() {
        for (ServiceSource source : sources) {
            subscriptions.add(new ResolvedSource(source).subscribe(snapshot -> deliver(source, snapshot)));
        }
    }

    void awaitFirst(Duration atMost) {
        try {
            if (!first.await(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
                synchronized (this) {
                    sources.stream()
                            .filter(source -> !delivered.containsKey(source))
                            .forEach(source -> LOG.warn("Waits for services source={}", LogText.value(source)));
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void deliver(ServiceSource source, Snapshot snapshot) {
        if (replacing) { // by this thread
            throw new IllegalStateException(
                    "services were replaced while they are replaced, by a listener for instance: expected that later,"
                            + " or by another thread");
        }
        SourceStats delivery = deliveries.get(source);
        if (delivery != null) {
            delivery.heard();
            delivery.looked(Duration.ZERO);
        }
        boolean isFirst = delivered.put(source, snapshot) == null;
        Snapshot merged = merged();
        replacing = true;
        try {
            consumer.accept(merged.services(), isFirst);
        } finally {
            replacing = false;
        }
        current = merged;
        anyDelivered = true;
        problemConsumer.accept(merged.problems());
        if (isFirst) {
            first.countDown();
        }
    }

    /** In the order of the sources, so that it doesn't depend on which delivers first. */
    private Snapshot merged() {
        List<Map.Entry<String, Snapshot>> parts = new ArrayList<>();
        for (ServiceSource source : sources) {
            Snapshot part = delivered.get(source);
            if (part != null) {
                parts.add(Map.entry(source.toString(), part));
            }
        }
        return MergedSources.of(parts);
    }

    Snapshot current() {
        return current;
    }

    /** The status of each source. */
    List<SourceStatus> sources() {
        List<SourceStatus> all = new ArrayList<>();
        for (int i = 0; i < subscriptions.size(); i++) {
            SourceStatus own = subscriptions.get(i).status();
            SourceStats seen = deliveries.get(sources.get(i));
            if (own != null) {
                all.add(own);
            } else if (seen != null) {
                all.add(seen.status());
            }
        }
        return all;
    }

    boolean anyDelivered() {
        return anyDelivered;
    }

    void lookNow() {
        subscriptions.forEach(ServiceSource.Subscription::lookNow);
    }

    /** Ends all subscriptions. What one of them throws is logged, since the proxy ends all the same. */
    @Override
    public void close() {
        for (int i = 0; i < subscriptions.size(); i++) {
            try {
                subscriptions.get(i).close();
            } catch (RuntimeException | Error e) {
                LOG.error("Could not end the subscription of source={}", LogText.value(sources.get(i)), e);
            }
        }
    }
}
