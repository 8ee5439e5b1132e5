package io.millau.core.internal;

import io.millau.core.Endpoint;
import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.SourceStatus;
import io.millau.core.Ticker;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A source with an endpoint for each address of a host name, in place of the endpoints that have host names. A new name is
 * resolved by the thread that delivers it, and all names every 30 s by a thread of its own, which there is only if there are
 * names. Immutable; safe for use by several threads.
 */
public final class ResolvedSource implements ServiceSource {

    private static final Logger LOG = LoggerFactory.getLogger(ResolvedSource.class);

    private static final long LOOK_MILLIS = 500;
    private static final long RESOLVE_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final ServiceSource source;
    private final HostAddresses.Resolver resolver;
    private final Ticker ticker;

    /** Resolves names as the system does. */
    public ResolvedSource(ServiceSource source) {
        this(source, InetAddress::getAllByName, Ticker.system());
    }

    /** Resolves names in a way of its own. */
    public ResolvedSource(ServiceSource source, HostAddresses.Resolver resolver, Ticker ticker) {
        this.source = source;
        this.resolver = resolver;
        this.ticker = ticker;
    }

    @Override
    public Subscription subscribe(Consumer<Snapshot> consumer) {
        Watch watch = new Watch(consumer);
        Subscription of = Objects.requireNonNull(
                source.subscribe(watch::accept), () -> source + ": subscribe returned null: expected a subscription");
        return new Subscription() {
            @Override
            public void close() {
                try {
                    of.close();
                } finally {
                    watch.close();
                }
            }

            @Override
            public @Nullable SourceStatus status() {
                return of.status();
            }

            @Override
            public void lookNow() {
                of.lookNow();
            }
        };
    }

    @Override
    public String toString() {
        return source.toString();
    }

    /** The state of one subscription. Names are resolved outside its lock, which may take long. */
    private final class Watch {
        private final Consumer<Snapshot> consumer;

        // Guarded by this.
        private final HostAddresses addresses = new HostAddresses();
        private final Set<String> unresolved = new HashSet<>();
        private Snapshot latest = Snapshot.EMPTY;
        private @Nullable Snapshot delivered;
        private @Nullable ScheduledExecutorService thread;
        private long resolvedAt;
        private boolean closed;

        Watch(Consumer<Snapshot> consumer) {
            this.consumer = consumer;
        }

        /** Called by one thread at a time. */
        void accept(Snapshot snapshot) {
            Set<String> names = names(snapshot);
            Map<String, List<InetAddress>> found = resolve(unknown(names));
            synchronized (this) {
                if (closed) {
                    return;
                }
                latest = snapshot;
                addresses.retain(names);
                unresolved.retainAll(names);
                remember(found);
                if (!names.isEmpty() && thread == null) {
                    thread = newThread();
                    resolvedAt = ticker.nanoTime();
                    thread.scheduleWithFixedDelay(this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
                }
                deliver();
            }
        }

        private ScheduledExecutorService newThread() {
            return Executors.newSingleThreadScheduledExecutor(task -> {
                Thread t = new Thread(task, "millau-resolver");
                t.setDaemon(true);
                return t;
            });
        }

        private synchronized Set<String> unknown(Set<String> names) {
            Set<String> unknown = new TreeSet<>(names);
            unknown.removeIf(name -> !addresses.of(name).isEmpty());
            return unknown;
        }

        private void look() {
            try {
                Set<String> names;
                synchronized (this) {
                    if (ticker.nanoTime() - resolvedAt < RESOLVE_NANOS) {
                        return;
                    }
                    resolvedAt = ticker.nanoTime();
                    names = names(latest);
                }
                Map<String, List<InetAddress>> found = resolve(names);
                synchronized (this) {
                    found.keySet().retainAll(names(latest));
                    remember(found);
                    if (!closed && !resolved().equals(delivered)) {
                        deliver();
                    }
                }
            } catch (RuntimeException e) {
                // An exception would end the scheduled task.
                LOG.error("Host names of source={} could not be resolved", LogText.value(source), e);
            }
        }

        /** The addresses of each name; none for one that can't be resolved. */
        private Map<String, List<InetAddress>> resolve(Set<String> names) {
            Map<String, List<InetAddress>> found = new HashMap<>();
            for (String name : names) {
                try {
                    found.put(name, HostAddresses.resolve(resolver, name));
                } catch (UnknownHostException e) {
                    found.put(name, List.of());
                }
            }
            return found;
        }

        private void remember(Map<String, List<InetAddress>> found) {
            found.forEach((name, of) -> {
                if (of.isEmpty()) {
                    unresolved.add(name);
                } else {
                    unresolved.remove(name);
                    addresses.put(name, of);
                }
            });
        }

        private void deliver() {
            Snapshot next = resolved();
            delivered = next;
            consumer.accept(next);
        }

        private Snapshot resolved() {
            if (names(latest).isEmpty()) {
                return latest;
            }
            List<Problem> problems = new ArrayList<>(latest.problems());
            List<Service> services = latest.services().stream()
                    .map(service -> resolved(service, problems))
                    .toList();
            return new Snapshot(services, problems);
        }

        private Service resolved(Service service, List<Problem> problems) {
            if (service.endpoints().stream().allMatch(Endpoint::isResolved)) {
                return service;
            }
            List<Endpoint> endpoints = new ArrayList<>();
            for (Endpoint endpoint : service.endpoints()) {
                if (endpoint.isResolved()) {
                    endpoints.add(endpoint);
                    continue;
                }
                List<InetAddress> of = addresses.of(endpoint.host());
                of.forEach(address -> endpoints.add(endpoint.at(address)));
                if (unresolved.contains(endpoint.host())) {
                    problems.add(new Problem(
                            service.name(),
                            "endpoint " + endpoint + ": the name can't be resolved; "
                                    + (of.isEmpty() ? "it is left out" : "its last addresses stay")
                                    + ", and it is retried every 30 s"));
                }
            }
            return service.withEndpoints(endpoints.stream().distinct().toList());
        }

        private Set<String> names(Snapshot snapshot) {
            Set<String> names = new TreeSet<>();
            for (Service service : snapshot.services()) {
                for (Endpoint endpoint : service.endpoints()) {
                    if (!endpoint.isResolved()) {
                        names.add(endpoint.host());
                    }
                }
            }
            return names;
        }

        /** Waits for a call of the consumer to end; a name that is being resolved is let go. */
        synchronized void close() {
            closed = true;
            if (thread != null) {
                thread.shutdownNow();
            }
        }
    }
}
