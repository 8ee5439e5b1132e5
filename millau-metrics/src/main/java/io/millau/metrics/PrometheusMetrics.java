package io.millau.metrics;

import io.millau.core.Endpoint;
import io.millau.core.Overview;
import io.millau.core.Request;
import io.millau.core.Service;
import io.millau.core.Ticker;
import io.millau.core.TrafficListener;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Prometheus metrics of one {@code Millau}: counts requests, and writes the metrics page, which also has the state of
 * services, sources, certificates, the process and the JVM. {@code docs/reference/metrics.md} lists all metrics. Safe for use by
 * several threads.
 *
 * <p>Counting a request takes no lock, allocates nothing and compares no texts: the counters are found by the identity of
 * the service, the method and the port. Clients can't create time series. Those of a service vanish a minute after it
 * was removed.
 *
 * <pre>{@code
 * PrometheusMetrics metrics = new PrometheusMetrics();
 * builder.listener(metrics).telemetry(":9100").metrics(metrics::page);
 * }</pre>
 */
public final class PrometheusMetrics implements TrafficListener {

    private final KnownServices services;
    private final MetricsPage page;

    /** In the order of listening. */
    private volatile IngressSeries[] ingresses = {};

    private volatile @Nullable Overview overview;

    /** Creates metrics that are all 0. Register them as a listener of one {@code Millau}. */
    public PrometheusMetrics() {
        this(Ticker.system(), Clock.systemUTC());
    }

    PrometheusMetrics(Ticker ticker, Clock clock) {
        services = new KnownServices(ticker);
        page = new MetricsPage(clock);
    }

    @Override
    public void started(Overview overview) {
        this.overview = overview;
        overview.ingresses().forEach(this::series);
    }

    @Override
    public void servicesReplaced(List<Service> services) {
        this.services.replace(services);
    }

    @Override
    public void connectionBusy(Ingress ingress) {
        series(ingress).busy(1);
    }

    @Override
    public void connectionIdle(Ingress ingress) {
        series(ingress).busy(-1);
    }

    @Override
    public void requestBegan(Ingress ingress, Request request) {
        series(ingress).methods.get(Method.of(request.method())).began();
    }

    @Override
    public void attemptFailed(Failed attempt) {
        if (attempt.retried()) {
            services.of(attempt.service()).retries.increment();
        }
    }

    @Override
    public void endpointEjected(Service service, Endpoint endpoint, String reason) {
        services.of(service).ejections.increment();
    }

    @Override
    public void retriesExhausted(Service service) {
        services.of(service).budgetExhausted.increment();
    }

    @Override
    public void malformed(Ingress ingress) {
        series(ingress).malformed();
    }

    @Override
    public void requestEnded(Ended request) {
        IngressSeries ingress = series(request.ingress());
        Method method = Method.of(request.method());
        int copy = Counters.copy();
        ingress.ended(copy, request);
        ingress.methods.get(method).ended(copy, request);
        Service service = request.service();
        if (service != null) {
            services.of(service).ended(copy, request, method, ingress.portIndex);
        }
    }

    /** Addresses with the same port and protocol are counted together. */
    private IngressSeries series(Ingress ingress) {
        for (IngressSeries known : ingresses) {
            if (known.ingress.equals(ingress)) {
                return known;
            }
        }
        return add(ingress);
    }

    private synchronized IngressSeries add(Ingress ingress) {
        IngressSeries[] known = ingresses;
        int portIndex = 0;
        for (IngressSeries one : known) {
            if (one.ingress.equals(ingress)) {
                return one; // added by another thread meanwhile
            }
        }
        for (IngressSeries one : known) {
            if (one.ingress.port() == ingress.port()) {
                portIndex = one.portIndex;
                break;
            }
            portIndex = Math.max(portIndex, one.portIndex + 1);
        }
        IngressSeries[] more = Arrays.copyOf(known, known.length + 1);
        IngressSeries made = new IngressSeries(ingress, portIndex);
        more[known.length] = made;
        ingresses = more;
        return made;
    }

    /**
     * Returns all metrics in Prometheus' text format. Takes milliseconds: don't call it on I/O threads. A part that
     * fails is left out, so it doesn't throw.
     */
    public String page() {
        return page.write(List.of(ingresses), services.all(), overview);
    }
}
