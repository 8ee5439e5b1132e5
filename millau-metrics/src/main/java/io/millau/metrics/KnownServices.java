package io.millau.metrics;

import io.millau.core.Service;
import io.millau.core.Ticker;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * The metrics of services, by name. They outlive a change of the service, and are removed when no service has had the
 * name for a minute; the router remembers it as long. Safe for use by several threads. Requests take no lock.
 */
final class KnownServices {

    private static final long REMEMBERED_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final Ticker ticker;
    private final Map<String, ServiceSeries> byName = new ConcurrentHashMap<>();

    /** Keyed by identity. Never modified, only replaced. */
    private volatile Map<Service, ServiceSeries> current = new IdentityHashMap<>();

    /** Names of removed services, with the time of removal. Guarded by this. */
    private final Map<String, Long> gone = new HashMap<>();

    KnownServices(Ticker ticker) {
        this.ticker = ticker;
    }

    /** The metrics of a request's service. */
    ServiceSeries of(Service service) {
        ServiceSeries found = current.get(service);
        return found != null ? found : named(service.name());
    }

    /** Finds by name: the request may have an older or newer version of the service than {@link #current}. */
    private ServiceSeries named(String name) {
        ServiceSeries known = byName.get(name);
        return known != null ? known : byName.computeIfAbsent(name, ServiceSeries::new);
    }

    synchronized void replace(List<Service> services) {
        Map<Service, ServiceSeries> next = new IdentityHashMap<>(services.size());
        for (Service service : services) {
            ServiceSeries series = named(service.name());
            series.declare();
            next.put(service, series);
        }
        current = next;
        forgetGone();
    }

    /** The current services and those removed in the last minute, sorted by name. */
    synchronized List<ServiceSeries> all() {
        forgetGone();
        return byName.values().stream()
                .sorted(Comparator.comparing(series -> series.name))
                .toList();
    }

    private void forgetGone() {
        long now = ticker.nanoTime();
        Set<String> present =
                current.values().stream().map(series -> series.name).collect(Collectors.toSet());
        gone.keySet().removeAll(present);
        for (String name : byName.keySet()) {
            if (!present.contains(name) && now - gone.computeIfAbsent(name, first -> now) > REMEMBERED_NANOS) {
                byName.remove(name);
                gone.remove(name);
            }
        }
    }
}
