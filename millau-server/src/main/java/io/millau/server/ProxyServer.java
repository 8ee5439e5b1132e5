package io.millau.server;

import io.millau.core.Problem;
import io.millau.core.Router;
import io.millau.core.Service;
import io.millau.core.Snapshot;
import io.millau.core.SourceStatus;
import io.millau.core.TrafficListener;
import io.millau.core.internal.HostNames;
import io.millau.server.internal.frontend.DateField;
import io.millau.server.internal.frontend.Listener;
import io.millau.server.internal.io.BlockedThreads;
import io.millau.server.internal.io.Buffers;
import io.millau.server.internal.io.EventLoops;
import io.millau.server.internal.proxy.DebugHeaders;
import io.millau.server.internal.proxy.Filters;
import io.millau.server.internal.proxy.HttpsRules;
import io.millau.server.internal.proxy.ProxyHandler;
import io.millau.server.internal.proxy.ProxyThread;
import io.millau.server.internal.status.ChangeHistory;
import io.millau.server.internal.status.Changes;
import io.millau.server.internal.status.ExplainHandler;
import io.millau.server.internal.status.RequestUrl;
import io.millau.server.internal.status.Status;
import io.millau.server.internal.status.Telemetry;
import io.millau.server.internal.status.UrlExplanation;
import io.millau.server.internal.text.Trust;
import io.millau.server.internal.tls.Certificates;
import io.millau.server.internal.tls.Tls;
import io.millau.server.internal.tls.TlsThreads;
import io.millau.server.internal.upstream.HealthChecks;
import io.millau.server.internal.upstream.UpstreamPools;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/**
 * The parts of a running proxy and how they are connected: sources deliver services to the router, listeners accept requests.
 * Safe for use by several threads.
 */
final class ProxyServer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Millau.class);

    /** The longest wait for the first snapshots: a source that is slow must not delay the services of the other sources. */
    private static final Duration FIRST_SNAPSHOTS = Duration.ofSeconds(3);

    private final List<XnioWorker> workers;
    private final EventLoops loops;
    private final BlockedThreads blockedThreads;
    private final TlsThreads tlsThreads = new TlsThreads();
    private final UpstreamPools upstreams;
    private final DateField date;
    private final Buffers buffers = new Buffers(Buffers.CLIENT_BYTES);
    private final Router router;
    private final SourceAggregator services;
    private final HealthChecks healthChecks;
    private final GuardedListeners traffic;
    private final Changes changes;
    private final @Nullable Status status;
    private final @Nullable AccessLog accessLog;
    private final List<Listener> listeners = new ArrayList<>();
    private final List<ProxyHandler> handlers = new ArrayList<>();
    private final @Nullable Certificates certificates;
    private final @Nullable Listener telemetry;
    private final boolean redirectAll;
    private final boolean filtered;
    private final int publishedHttpsPort;
    private final Trust trust;
    private final Duration grace;
    private final Duration drain;
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile boolean listening;
    private boolean closing;

    ProxyServer(Millau.Builder builder) throws IOException {
        redirectAll = builder.redirectToHttps;
        publishedHttpsPort = builder.publishedHttpsPort;
        filtered = !builder.filters.isEmpty();
        trust = new Trust(builder.trusted, builder.proxyProtocol);
        grace = builder.grace;
        drain = builder.drain;
        router = new Router(builder.retryPolicy, builder.balancer, builder.ticker);
        loops = new EventLoops(builder.ticker);
        upstreams = new UpstreamPools(loops, tlsThreads);
        date = new DateField(builder.wallClock);
        ChangeHistory history = new ChangeHistory(builder.wallClock);
        changes = new Changes(history, builder.ticker);
        status = builder.telemetry == null
                ? null
                : new Status(history, builder.wallClock, builder.ticker, builder.hostName, trust, this::up);
        accessLog = builder.accessLog;
        traffic = new GuardedListeners(listeners(builder.trafficListeners));
        healthChecks = new HealthChecks(router, loops, upstreams, traffic);
        certificates =
                builder.secureAddresses.isEmpty() ? null : new Certificates(builder.certificates, builder.wallClock);
        services = new SourceAggregator(builder.sources, this::replace, changes::problemsReplaced);
        BoundSockets sockets;
        try {
            services.start(); // first: the response of a Docker Engine takes as long as everything below
            sockets = builder.sockets == null ? new BoundSockets(builder) : builder.sockets;
        } catch (IOException | RuntimeException | Error e) {
            services.close();
            throw e;
        }
        workers = sockets.workers();
        workers.forEach(loops::mayRunOn);
        blockedThreads = new BlockedThreads(loops);
        try {
            sockets.http.forEach(socket -> listeners.add(Listener.http(socket, buffers, loops, trust)));
            if (certificates != null) {
                Tls tls = new Tls(certificates, router::clientCa, builder.tlsProvider);
                sockets.https.forEach(
                        socket -> listeners.add(Listener.https(socket, buffers, loops, trust, tls, tlsThreads)));
            }
            telemetry =
                    sockets.telemetry == null ? null : Listener.http(sockets.telemetry, buffers, loops, Trust.NOBODY);
            if (telemetry != null && status != null) {
                telemetry.open(
                        new Telemetry(
                                this::up,
                                status,
                                new ExplainHandler(this::explain),
                                builder.telemetryHosts,
                                builder.metrics),
                        date);
            }
            services.awaitFirst(FIRST_SNAPSHOTS);
            open(builder);
        } catch (RuntimeException | Error e) {
            release();
            throw e;
        }
    }

    private List<TrafficListener> listeners(List<TrafficListener> configured) {
        List<TrafficListener> all = new ArrayList<>();
        all.add(changes);
        if (status != null) {
            all.addAll(status.listeners());
        }
        if (accessLog != null) {
            all.add(accessLog);
        }
        all.addAll(configured);
        return all;
    }

    private void open(Millau.Builder builder) {
        List<TrafficListener.Ingress> ingresses = listeners.stream()
                .map(listener -> new TrafficListener.Ingress(listener.address().getPort(), listener.scheme()))
                .toList();
        traffic.started(new ProxyOverview(listeners, ingresses, router, upstreams, services, certificates, accessLog));
        int httpsPort = ingresses.stream()
                .filter(ingress -> ingress.protocol().equals("https"))
                .mapToInt(TrafficListener.Ingress::port)
                .findFirst()
                .orElse(0);
        HttpsRules https = new HttpsRules(router, redirectAll, httpsPort, publishedHttpsPort);
        DebugHeaders debugHeaders = builder.debugHeaders ? new DebugHeaders(builder.hostName) : null;
        Filters filters = new Filters(builder.filters, builder.failurePage);
        ThreadLocal<ProxyThread> threads = ProxyThread.each(loops, upstreams, router, date);
        for (int i = 0; i < listeners.size(); i++) {
            ProxyHandler handler = new ProxyHandler(
                    router,
                    https,
                    certificates,
                    threads,
                    traffic,
                    ingresses.get(i),
                    filters,
                    builder.application,
                    debugHeaders,
                    services::lookNow);
            handlers.add(handler);
            listeners.get(i).open(handler, handler::malformed);
        }
        healthChecks.start(workers.get(0).getIoThread());
        if (certificates != null) {
            certificates.start();
        }
        listening = true;
    }

    private void replace(List<Service> all, boolean atStart) {
        if (certificates != null) {
            certificates.replace(all); // first: a new host must have its certificate before requests can reach it
        }
        upstreams.replace(all, () -> {
            if (atStart) {
                router.replaceAtStart(all);
            } else {
                router.replace(all);
            }
        });
        healthChecks.replace(all);
        traffic.servicesReplaced(all.stream().filter(Service::enabled).toList());
    }

    /** See {@link Millau#addresses}. */
    List<InetSocketAddress> addresses() {
        return listeners.stream().map(Listener::address).toList();
    }

    /** See {@link Millau#telemetryPort}. */
    int telemetryPort() {
        return telemetry == null ? 0 : telemetry.address().getPort();
    }

    /** See {@link Millau#snapshot}. */
    Snapshot snapshot() {
        return services.current();
    }

    UrlExplanation explain(RequestUrl url) {
        List<Problem> problems = new ArrayList<>();
        for (SourceStatus source : services.sources()) {
            String trouble = source.trouble();
            if (trouble != null) {
                problems.add(new Problem(source.name(), trouble));
            }
        }
        problems.addAll(services.current().problems());
        if (certificates != null) {
            problems.addAll(certificates.problemsOf(HostNames.name(url.host()), url.secure()));
        }
        return UrlExplanation.of(url, router, problems, redirectAll, filtered, trust);
    }

    /** See {@link Millau#up}. */
    boolean up() {
        return listening && services.anyDelivered();
    }

    /** See {@link Millau#buffersTaken}. */
    int buffersTaken() {
        return buffers.taken() + buffersTakenByRequests();
    }

    /** See {@link Millau#buffersTakenByRequests}. */
    int buffersTakenByRequests() {
        return loops.buffersTaken();
    }

    /** See {@link Millau#close}. */
    @Override
    public void close() {
        if (Thread.currentThread() instanceof XnioIoThread thread && workers.contains(thread.getWorker())) {
            throw new IllegalStateException("close was called on an I/O thread of this proxy, " + thread.getName()
                    + ", for whose requests it waits: expected another thread; start one for it");
        }
        if (Thread.holdsLock(services)) {
            throw new IllegalStateException(
                    "close was called within servicesReplaced: expected that later, or by another thread");
        }
        synchronized (this) {
            if (closing) {
                awaitClosed();
                return;
            }
            closing = true;
        }
        try {
            end();
        } finally {
            closed.countDown();
        }
    }

    private void end() {
        LOG.info("Down listens={}s inProgress={}", grace.toSeconds(), inProgress());
        handlers.forEach(ProxyHandler::drain);
        listeners.forEach(Listener::announceEnd);
        listening = false; // last: who sees that it is down sees all of this
        boolean interrupted = !waitFor(grace, () -> false);
        listeners.forEach(Listener::stopAccepting);
        interrupted |= !waitFor(drain, () -> inProgress() == 0);
        int open = inProgress();
        if (open > 0 && !drain.isZero()) { // without time to end they were to be cut off
            LOG.warn("Ended inProgress={} after={}s", open, drain.toSeconds());
        }
        release();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private int inProgress() {
        return handlers.stream().mapToInt(ProxyHandler::inProgress).sum();
    }

    /**
     * Waits for a condition. Polls it, so that requests need not signal their end.
     *
     * @return false if the thread was interrupted
     */
    private static boolean waitFor(Duration atMost, BooleanSupplier condition) {
        long began = System.nanoTime();
        long nanos = TimeUnit.NANOSECONDS.convert(atMost); // does not overflow
        try {
            while (!condition.getAsBoolean() && System.nanoTime() - began < nanos) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
            return true;
        } catch (InterruptedException e) {
            return false;
        }
    }

    private void awaitClosed() {
        try {
            closed.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void release() {
        services.close();
        if (status != null) {
            status.close();
        }
        listeners.forEach(Listener::stopAccepting);
        listeners.forEach(Listener::closeConnections);
        if (telemetry != null) {
            telemetry.stopAccepting();
            telemetry.closeConnections();
        }
        blockedThreads.close();
        workers.forEach(XnioWorker::shutdown);
        try {
            for (XnioWorker worker : workers) {
                if (!worker.awaitTermination(2, TimeUnit.SECONDS)) {
                    worker.shutdownNow();
                }
            }
        } catch (InterruptedException e) {
            workers.forEach(XnioWorker::shutdownNow);
            Thread.currentThread().interrupt();
        }
        if (certificates != null) {
            certificates.close();
        }
    }
}
