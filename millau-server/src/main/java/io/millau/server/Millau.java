package io.millau.server;

import io.millau.core.CertificateSource;
import io.millau.core.LoadBalancer;
import io.millau.core.RetryPolicy;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.Ticker;
import io.millau.core.TrafficListener;
import io.millau.server.internal.status.RequestUrl;
import io.millau.server.internal.text.ListenAddress;
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
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

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

    private final ProxyServer server;

    private Millau(Builder builder) throws IOException {
        server = new ProxyServer(builder);
    }

    /** A builder without addresses and sources. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The addresses it listens on: those for HTTP, then those for HTTPS, each in the order they were given, with the port that was
     * bound where 0 was asked for.
     */
    public List<InetSocketAddress> addresses() {
        return server.addresses();
    }

    /** The port of the first address. */
    public int port() {
        return addresses().get(0).getPort();
    }

    /** The port of the status page, health and metrics; 0 if there is none. */
    public int telemetryPort() {
        return server.telemetryPort();
    }

    /** What all sources know together. */
    public Snapshot snapshot() {
        return server.snapshot();
    }

    /**
     * Explains, in lines for a person, where a request for a URL goes now, why not to the other services, and which endpoints
     * are in rotation. Not for I/O threads.
     *
     * @param url such as {@code https://shop.example/api/x}
     * @throws IllegalArgumentException if it is no such URL
     */
    public String explain(URI url) {
        return server.explain(RequestUrl.parse(url.toString())).text();
    }

    /** Whether it listens and knows services: at least one source has delivered a snapshot. */
    public boolean up() {
        return server.up();
    }

    /** Buffers in use: none where no connection has anything to do. */
    int buffersTaken() {
        return server.buffersTaken();
    }

    /** Those of them that are not Undertow's. */
    int buffersTakenByRequests() {
        return server.buffersTakenByRequests();
    }

    /**
     * Ends. Is {@code down} on the telemetry port from now on, and asks clients to send their next requests elsewhere; goes on
     * to listen for the builder's grace, lets requests in progress finish for as long as its drain says, and closes what is
     * left. Returns when it has ended; further calls wait for that. An interrupt ends the wait that it comes in. Not for I/O
     * threads.
     */
    @Override
    public void close() {
        server.close();
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

    /** Configures a proxy. For one thread. */
    public static final class Builder {
        final List<InetSocketAddress> addresses = new ArrayList<>();
        final List<InetSocketAddress> secureAddresses = new ArrayList<>();
        final List<ServiceSource> sources = new ArrayList<>();
        final List<TrafficListener> trafficListeners = new ArrayList<>();
        RetryPolicy retryPolicy = RetryPolicy.standard();
        LoadBalancer balancer = LoadBalancer.roundRobin();
        int ioThreads = Runtime.getRuntime().availableProcessors();
        Duration grace = Duration.ZERO;
        Duration drain = Duration.ofSeconds(8);
        String hostName = "millau";
        boolean debugHeaders;
        Ticker ticker = Ticker.system();
        final List<CertificateSource> certificates = new ArrayList<>();
        boolean redirectToHttps;
        Clock wallClock = Clock.systemUTC();

        @Nullable
        Provider tlsProvider;

        @Nullable
        InetSocketAddress telemetry;

        @Nullable
        Supplier<String> metrics;

        @Nullable
        AccessLog accessLog;

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
         * gets one of them all the same, or a self-signed one.
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

        /** Adds a source of certificates beside those of services; several sources add up. */
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
         * The provider of HTTPS' cryptography; by default the one that the Java runtime prefers. With Conscrypt ({@code new
         * OpenSSLProvider()}, not among this module's dependencies) a new handshake costs a third of what the JDK's does.
         */
        public Builder tlsProvider(Provider provider) {
            this.tlsProvider = provider;
            return this;
        }

        /** Adds a source of services; the services of several sources add up. */
        public Builder source(ServiceSource source) {
            sources.add(source);
            return this;
        }

        /** Adds a listener that is told what happens to requests, on I/O threads; it must not block. */
        public Builder listener(TrafficListener listener) {
            trafficListeners.add(listener);
            return this;
        }

        /** Where a line for each request is written; no access log by default. The caller closes it after the proxy. */
        public Builder accessLog(AccessLog log) {
            this.accessLog = log;
            return this;
        }

        /** Decides which requests may be retried; {@link RetryPolicy#standard()} by default. */
        public Builder retryPolicy(RetryPolicy policy) {
            this.retryPolicy = policy;
            return this;
        }

        /** Decides which endpoint of a service gets a request; {@link LoadBalancer#roundRobin()} by default. */
        public Builder balancer(LoadBalancer balancer) {
            this.balancer = balancer;
            return this;
        }

        /**
         * The number of I/O threads, which do all the work; by default, the number of processors.
         *
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder ioThreads(int threads) {
            if (threads < 1) {
                throw new IllegalArgumentException("I/O threads " + threads + ": expected at least 1");
            }
            this.ioThreads = threads;
            return this;
        }

        /**
         * How long {@link Millau#close()} goes on to listen, so that balancers in front see that it is down, and clients with
         * open connections are told at their next response; no time by default.
         */
        public Builder grace(Duration grace) {
            this.grace = Objects.requireNonNull(grace, "grace");
            return this;
        }

        /**
         * How long {@link Millau#close()} waits for requests in progress, after the grace; 8 s by default, less than Docker's
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

        /** What the status page and {@link #debugHeaders} call this proxy; {@code millau} by default. */
        public Builder hostName(String name) {
            this.hostName = name;
            return this;
        }

        /**
         * Adds {@code Via}, {@code X-Backend-Server} (the service), {@code X-Served-By} (the {@link #hostName}) and {@code
         * X-Request-Id} to responses.
         */
        public Builder debugHeaders() {
            this.debugHeaders = true;
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
