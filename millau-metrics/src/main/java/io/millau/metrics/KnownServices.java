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
 * The series of services. Those of a name outlive a change of the service, and vanish when the name has been gone for a minute,
 * as long as the router remembers it. Safe for use by several threads; for requests there is no lock.
 */
final class KnownServices {

    private static final long REMEMBERED_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final Ticker ticker;
    private final Map<String, ServiceSeries> byName = new ConcurrentHashMap<>();

    /** By identity; never changed, but replaced. */
    private volatile Map<Service, ServiceSeries> current = new IdentityHashMap<>();

    /** Names that are gone, and since when; guarded by this. */
    private final Map<String, Long> gone = new HashMap<>();

    KnownServices(Ticker ticker) {
        this.ticker = ticker;
    }

    /** The series of a request's service. */
    ServiceSeries of(Service service) {
        ServiceSeries found = current.get(service);
        return found != null ? found : named(service.name());
    }

    /** For a request that was opened with the service as it was before; or as it will be known in a moment. */
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

    /** Those that are there, and those that were a minute ago, by name. */
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
