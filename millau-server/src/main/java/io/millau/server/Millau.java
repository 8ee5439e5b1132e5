package io.millau.server;

import io.millau.core.CertificateSource;
import io.millau.core.CertificateStatus;
import io.millau.core.LoadBalancer;
import io.millau.core.Overview;
import io.millau.core.Problem;
import io.millau.core.RetryPolicy;
import io.millau.core.Router;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.ServiceStatus;
import io.millau.core.Snapshot;
import io.millau.core.SourceStatus;
import io.millau.core.Ticker;
import io.millau.core.TrafficListener;
import io.millau.server.internal.frontend.Listener;
import io.millau.server.internal.io.Buffers;
import io.millau.server.internal.io.EventLoops;
import io.millau.server.internal.proxy.HttpsRules;
import io.millau.server.internal.proxy.ProxyHandler;
import io.millau.server.internal.proxy.ProxyThread;
import io.millau.server.internal.status.Changes;
import io.millau.server.internal.status.ExplainHandler;
import io.millau.server.internal.status.RequestUrl;
import io.millau.server.internal.status.Status;
import io.millau.server.internal.status.Telemetry;
import io.millau.server.internal.status.UrlExplanation;
import io.millau.server.internal.text.ListenAddress;
import io.millau.server.internal.tls.Certificates;
import io.millau.server.internal.tls.Tls;
import io.millau.server.internal.tls.TlsThreads;
import io.millau.server.internal.upstream.HealthChecks;
import io.millau.server.internal.upstream.UpstreamPools;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.security.Provider;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;
import org.xnio.XnioWorker;

/**
 * A running proxy: listens, asks its sources for services, and passes requests on. Reads nothing from the environment, so
 * several can run in one JVM. Safe for use by several threads.
 *
 * <pre>{@code
 * ServicesInCode services = ServiceSource.of(Service.named("app").endpoints(endpoint).build());
 * try (Millau millau = Millau.builder().http("127.0.0.1:0").source(services).start()) {
 *     int port = millau.port();
 * }
 * }</pre>
 */
public final class Millau implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Millau.class);

    /** A source that has nothing to say by then must not keep the others' services from being reached. */
    private static final Duration FIRST_SNAPSHOTS = Duration.ofSeconds(3);

    private final XnioWorker worker;
    private final EventLoops loops;
    private final TlsThreads tlsThreads = new TlsThreads();
    private final UpstreamPools upstreams;
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
    private final Duration grace;
    private final Duration drain;
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile boolean listening;
    private volatile boolean closing;

    private Millau(Builder builder) throws IOException {
        redirectAll = builder.redirectToHttps;
        grace = builder.grace;
        drain = builder.drain;
        router = new Router(builder.retryPolicy, builder.balancer, builder.ticker);
        loops = new EventLoops(builder.ticker);
        upstreams = new UpstreamPools(loops, tlsThreads);
        changes = new Changes(builder.wallClock);
        status = builder.telemetry == null
                ? null
                : new Status(changes, builder.wallClock, builder.ticker, builder.hostName, this::up);
        accessLog = builder.accessLog;
        traffic = new GuardedListeners(listeners(builder.trafficListeners));
        healthChecks = new HealthChecks(router, loops, upstreams, traffic);
        certificates =
                builder.secureAddresses.isEmpty() ? null : new Certificates(builder.certificates, builder.wallClock);
        services = new SourceAggregator(builder.sources, this::replace, changes::problemsReplaced);
        services.start(); // first, since an engine takes as long to answer as all of the rest does
        worker = Xnio.getInstance(Millau.class.getClassLoader())
                .createWorker(OptionMap.builder()
                        .set(Options.WORKER_NAME, "millau")
                        .set(Options.WORKER_IO_THREADS, builder.ioThreads)
                        .set(Options.WORKER_TASK_CORE_THREADS, 1)
                        .set(Options.WORKER_TASK_MAX_THREADS, 1)
                        .set(Options.CONNECTION_HIGH_WATER, 1_000_000)
                        .set(Options.CONNECTION_LOW_WATER, 1_000_000)
                        .getMap());
        try {
            for (InetSocketAddress address : builder.addresses) {
                listeners.add(bind(address, () -> Listener.bind(worker, buffers, loops, address)));
            }
            if (certificates != null) {
                Tls tls = new Tls(certificates, router::clientCa, builder.tlsProvider);
                for (InetSocketAddress address : builder.secureAddresses) {
                    listeners.add(bind(address, () -> Listener.bind(worker, buffers, loops, address, tls, tlsThreads)));
                }
            }
            InetSocketAddress telemetryAddress = builder.telemetry;
            telemetry = telemetryAddress == null
                    ? null
                    : bind(telemetryAddress, () -> Listener.bind(worker, buffers, loops, telemetryAddress));
            if (telemetry != null && status != null) {
                telemetry.open(new Telemetry(this::up, status, new ExplainHandler(this::explain), builder.metrics));
            }
            services.awaitFirst(FIRST_SNAPSHOTS);
            open(builder);
        } catch (IOException | RuntimeException e) {
            release();
            throw e;
        }
    }

    private List<TrafficListener> listeners(List<TrafficListener> others) {
        List<TrafficListener> all = new ArrayList<>();
        all.add(changes);
        if (status != null) {
            all.addAll(status.listeners());
        }
        if (accessLog != null) {
            all.add(accessLog);
        }
        all.addAll(others);
        return all;
    }

    private interface Binding {
        Listener bind() throws IOException;
    }

    private static Listener bind(InetSocketAddress address, Binding binding) throws IOException {
        try {
            return binding.bind();
        } catch (IOException e) {
            throw new BindFailedException(address, e);
        }
    }

    private void open(Builder builder) {
        List<TrafficListener.Ingress> ingresses = listeners.stream()
                .map(listener -> new TrafficListener.Ingress(listener.address().getPort(), listener.scheme()))
                .toList();
        traffic.started(new View(ingresses));
        int httpsPort = ingresses.stream()
                .filter(ingress -> ingress.protocol().equals("https"))
                .mapToInt(TrafficListener.Ingress::port)
                .findFirst()
                .orElse(0);
        HttpsRules https = new HttpsRules(router, redirectAll, httpsPort);
        ThreadLocal<ProxyThread> threads = ProxyThread.each(loops, upstreams);
        for (int i = 0; i < listeners.size(); i++) {
            ProxyHandler handler = new ProxyHandler(
                    router,
                    https,
                    certificates,
                    threads,
                    traffic,
                    ingresses.get(i),
                    builder.hostName,
                    services::lookNow);
            handlers.add(handler);
            listeners.get(i).open(handler);
        }
        healthChecks.start(worker.getIoThread());
        if (certificates != null) {
            certificates.start();
        }
        listening = true;
    }

    private void replace(List<Service> all) {
        if (certificates != null) {
            certificates.replace(all); // first: a new host is not to be reached without its own
        }
        upstreams.replace(all, () -> router.replace(all));
        healthChecks.replace(all);
        traffic.servicesReplaced(all.stream().filter(Service::enabled).toList());
    }

    private final class View implements Overview {
        private final List<TrafficListener.Ingress> ingresses;

        View(List<TrafficListener.Ingress> ingresses) {
            this.ingresses = ingresses;
        }

        @Override
        public List<TrafficListener.Ingress> ingresses() {
            return ingresses;
        }

        @Override
        public List<ServiceStatus> services() {
            return router.status();
        }

        @Override
        public int openConnections(Service service) {
            return service.endpoints().stream().mapToInt(upstreams::connections).sum();
        }

        @Override
        public List<SourceStatus> sources() {
            return services.sources();
        }

        @Override
        public List<Problem> problems() {
            List<Problem> all = new ArrayList<>(services.current().problems());
            if (certificates != null) {
                all.addAll(certificates.problems());
            }
            return all;
        }

        @Override
        public List<CertificateStatus> certificates() {
            return certificates == null ? List.of() : certificates.status();
        }

        @Override
        public long droppedLogLines() {
            return accessLog == null ? 0 : accessLog.dropped();
        }
    }

    /** A builder. */
    public static Builder builder() {
        return new Builder();
    }

    /** The addresses it listens on, for HTTP first, then for HTTPS, with the ports that were bound where 0 was asked for. */
    public List<InetSocketAddress> addresses() {
        return listeners.stream().map(Listener::address).toList();
    }

    /** The addresses with what is spoken there, for people. */
    public List<String> ingresses() {
        return listeners.stream()
                .map(listener -> ListenAddress.show(listener.address())
                        + (listener.scheme().equals("https") ? " (HTTPS)" : " (HTTP)"))
                .toList();
    }

    /** The port of the first address. */
    public int port() {
        return listeners.get(0).address().getPort();
    }

    /** The port of the status page, health and metrics, or 0 if there is none. */
    public int telemetryPort() {
        return telemetry == null ? 0 : telemetry.address().getPort();
    }

    /** What all sources know together. */
    public Snapshot snapshot() {
        return services.current();
    }

    /**
     * Explains, in lines for a person, where a request for a URL goes now, why not to the other services, and which endpoints
     * are in rotation. Not for I/O threads.
     *
     * @param url such as {@code https://shop.example/api/x}
     * @throws IllegalArgumentException if it is no such URL
     */
    public String explain(URI url) {
        return explain(RequestUrl.parse(url.toString())).text();
    }

    private UrlExplanation explain(RequestUrl url) {
        return UrlExplanation.of(url, router, services.current().problems(), redirectAll);
    }

    /** Whether it listens and knows services: at least one source has delivered a snapshot. */
    public boolean up() {
        return listening && !closing && services.anyDelivered();
    }

    /** Buffers in use: none where no connection has anything to do. */
    int buffersTaken() {
        return buffers.taken() + buffersTakenByRequests();
    }

    /** Those of them that are not Undertow's. */
    int buffersTakenByRequests() {
        return loops.buffersTaken();
    }

    /**
     * Ends. Is {@code down} on the telemetry port from now on, and asks clients to send their next requests elsewhere; goes on
     * to listen for the builder's grace, lets requests in progress finish for as long as its drain says, and closes what is
     * left. Returns when it has ended; further calls wait for that. An interrupt ends the wait that it comes in. Not for I/O
     * threads.
     */
    @Override
    public void close() {
        synchronized (this) {
            if (closing) {
                awaitClosed();
                return;
            }
            closing = true;
        }
        if (!grace.isZero()) {
            LOG.info("Down listens={}s", grace.toSeconds());
        }
        handlers.forEach(ProxyHandler::drain);
        listeners.forEach(Listener::announceEnd);
        boolean interrupted = !waitFor(grace, () -> false);
        listeners.forEach(Listener::stopAccepting);
        interrupted |= !waitFor(drain, () -> inProgress() == 0);
        int open = inProgress();
        if (open > 0) {
            LOG.warn("Ended inProgress={} after={}s", open, drain.toSeconds());
        }
        release();
        closed.countDown();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private int inProgress() {
        return handlers.stream().mapToInt(ProxyHandler::inProgress).sum();
    }

    /** Looks at what it waits for from time to time, so that no request has to tell somebody of its end. */
    private static boolean waitFor(Duration atMost, BooleanSupplier condition) {
        long deadline = System.nanoTime() + atMost.toNanos();
        try {
            while (!condition.getAsBoolean() && System.nanoTime() < deadline) {
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
        worker.shutdown();
        try {
            if (!worker.awaitTermination(2, TimeUnit.SECONDS)) {
                worker.shutdownNow();
            }
        } catch (InterruptedException e) {
            worker.shutdownNow();
            Thread.currentThread().interrupt();
        }
        if (certificates != null) {
            certificates.close();
        }
    }

    /** An address can't be listened on. */
    public static final class BindFailedException extends IOException {
        private static final long serialVersionUID = 1;

        private final transient InetSocketAddress address;

        BindFailedException(InetSocketAddress address, IOException cause) {
            super("can't listen on " + ListenAddress.show(address) + ": " + cause.getMessage(), cause);
            this.address = address;
        }

        /** The address. */
        public InetSocketAddress address() {
            return address;
        }
    }

    /** Says what a proxy is to be; for one thread. */
    public static final class Builder {
        private final List<InetSocketAddress> addresses = new ArrayList<>();
        private final List<InetSocketAddress> secureAddresses = new ArrayList<>();
        private final List<ServiceSource> sources = new ArrayList<>();
        private final List<TrafficListener> trafficListeners = new ArrayList<>();
        private RetryPolicy retryPolicy = RetryPolicy.standard();
        private LoadBalancer balancer = LoadBalancer.roundRobin();
        private int ioThreads = Runtime.getRuntime().availableProcessors();
        private Duration grace = Duration.ZERO;
        private Duration drain = Duration.ofSeconds(8);
        private String hostName = "millau";
        private Ticker ticker = Ticker.system();
        private final List<CertificateSource> certificates = new ArrayList<>();
        private boolean redirectToHttps;
        private Clock wallClock = Clock.systemUTC();
        private @Nullable Provider tlsProvider;
        private @Nullable InetSocketAddress telemetry;
        private @Nullable Supplier<String> metrics;
        private @Nullable AccessLog accessLog;

        private Builder() {}

        /**
         * An address to listen on for HTTP/1.1 and h2c: {@code 8080}, {@code :8080}, {@code 127.0.0.1:8080} or {@code
         * [::1]:8080}; port 0 takes a free one.
         *
         * @throws IllegalArgumentException if it is none of these
         */
        public Builder http(String address) {
            return http(ListenAddress.parse(address));
        }

        /** An address to listen on for HTTP/1.1 and h2c. */
        public Builder http(InetSocketAddress address) {
            addresses.add(address);
            return this;
        }

        /**
         * An address to listen on for HTTPS: HTTP/1.1 and HTTP/2, by TLS 1.2 and 1.3; written as for {@link #http}. It shows
         * the certificates of services and of {@link #certificates}; a client that asks for a name that none of them is for
         * gets one of them all the same, or one that nobody vouches for.
         *
         * @throws IllegalArgumentException if it is no such address
         */
        public Builder https(String address) {
            return https(ListenAddress.parse(address));
        }

        /** An address to listen on for HTTPS. */
        public Builder https(InetSocketAddress address) {
            secureAddresses.add(address);
            return this;
        }

        /** Where certificates come from beside those of services; several sources add up. */
        public Builder certificates(CertificateSource source) {
            certificates.add(source);
            return this;
        }

        /** Sends every request over plain HTTP to HTTPS ({@code 308}), but for the challenges of ACME. */
        public Builder redirectToHttps() {
            this.redirectToHttps = true;
            return this;
        }

        /**
         * Who does the cryptography of HTTPS; the Java runtime's own preference unless said. With Conscrypt ({@code new
         * OpenSSLProvider()}, not among this module's dependencies) a new handshake costs a third of what the JDK's does.
         */
        public Builder tlsProvider(Provider provider) {
            this.tlsProvider = provider;
            return this;
        }

        /** Where services come from; several sources add up. */
        public Builder source(ServiceSource source) {
            sources.add(source);
            return this;
        }

        /** Who is told what happens to requests. */
        public Builder listener(TrafficListener listener) {
            trafficListeners.add(listener);
            return this;
        }

        /** Where a line for each request is written; nowhere unless said. It stays whoever's it is, to be closed afterwards. */
        public Builder accessLog(AccessLog log) {
            this.accessLog = log;
            return this;
        }

        /** Which requests may be repeated; {@link RetryPolicy#standard()} unless said. */
        public Builder retryPolicy(RetryPolicy policy) {
            this.retryPolicy = policy;
            return this;
        }

        /** Which endpoint of a service gets a request; {@link LoadBalancer#roundRobin()} unless said. */
        public Builder balancer(LoadBalancer balancer) {
            this.balancer = balancer;
            return this;
        }

        /** How many threads do all the work; as many as there are processors unless said. */
        public Builder ioThreads(int threads) {
            if (threads < 1) {
                throw new IllegalArgumentException("I/O threads " + threads + ": expected at least 1");
            }
            this.ioThreads = threads;
            return this;
        }

        /**
         * How long {@link Millau#close()} goes on to listen, so that balancers in front see that it is down, and clients with
         * open connections are told at their next answer; no time unless said.
         */
        public Builder grace(Duration grace) {
            this.grace = Objects.requireNonNull(grace, "grace");
            return this;
        }

        /**
         * How long {@link Millau#close()} waits for requests in progress, after the grace; 8 s unless said, less than Docker's
         * 10.
         */
        public Builder drain(Duration drain) {
            this.drain = Objects.requireNonNull(drain, "drain");
            return this;
        }

        /** The clock of deadlines, ejections, idle connections and rates, for tests. */
        Builder ticker(Ticker ticker) {
            this.ticker = ticker;
            return this;
        }

        /** The clock of certificates, for tests. */
        Builder wallClock(Clock clock) {
            this.wallClock = clock;
            return this;
        }

        /** What {@code X-Served-By} calls this proxy, in answers at log level DEBUG. */
        public Builder hostName(String name) {
            this.hostName = name;
            return this;
        }

        /**
         * An address for the status page ({@code /status}, {@code /status.json}), for health ({@code /}, {@code /ready}, {@code
         * /live}), for {@code /explain?url=} and, if there are {@link #metrics}, {@code /metrics}; written as for {@link #http}.
         * It can only be read.
         *
         * @throws IllegalArgumentException if it is no such address
         */
        public Builder telemetry(String address) {
            return telemetry(ListenAddress.parse(address));
        }

        /** An address for the status page, health and metrics. */
        public Builder telemetry(InetSocketAddress address) {
            this.telemetry = address;
            return this;
        }

        /** Writes the page {@code /metrics} in Prometheus' text format; called on a thread that may block. */
        public Builder metrics(Supplier<String> page) {
            this.metrics = page;
            return this;
        }

        /**
         * Starts. Returns when it listens: when every source has delivered its first snapshot, at the latest after 3 s.
         *
         * @throws BindFailedException if an address can't be listened on
         * @throws UncheckedIOException if there is no way to do I/O at all
         */
        public Millau start() throws BindFailedException {
            if (addresses.isEmpty() && secureAddresses.isEmpty()) {
                throw new IllegalStateException("no address to listen on: call http(\":8080\") for instance");
            }
            try {
                return new Millau(this);
            } catch (BindFailedException e) {
                throw e;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
