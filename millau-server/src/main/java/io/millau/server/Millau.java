package io.millau.server;

import io.millau.core.CertificateSource;
import io.millau.core.FailurePage;
import io.millau.core.LoadBalancer;
import io.millau.core.RequestFilter;
import io.millau.core.RetryPolicy;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.Ticker;
import io.millau.core.TrafficListener;
import io.millau.core.internal.AddressRanges;
import io.millau.core.internal.HostNames;
import io.millau.core.internal.Words;
import io.millau.server.internal.proxy.Application;
import io.millau.server.internal.status.RequestUrl;
import io.millau.server.internal.text.ListenAddress;
import io.undertow.server.HandlerWrapper;
import io.undertow.server.HttpServerExchange;
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
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A running proxy: it listens for requests and forwards them to the services that its sources deliver. It reads no environment
 * variables and no system properties, so several proxies can run in one JVM. Their I/O threads have the names {@code millau
 * I/O-1}, {@code millau-2 I/O-1} and so on. Safe for use by several threads.
 *
 * <p>The state of each service and instance is in the {@link io.millau.core.Overview} that a listener is given: {@link
 * TrafficListener#started}.
 *
 * <pre>{@code
 * InMemoryServices services = ServiceSource.of(Service.named("app").endpoints(endpoint).build());
 * try (Millau millau = Millau.builder().http("127.0.0.1:0").source(services).start()) {
 *     URI uri = URI.create("http://127.0.0.1:" + millau.port() + "/");
 *     // ... services.replace(...) changes routes while it runs
 * }
 * }</pre>
 */
public final class Millau implements AutoCloseable {

    private final ProxyServer server;

    private Millau(Builder builder) throws IOException {
        server = new ProxyServer(builder);
    }

    /** Returns a new builder with the defaults that its methods describe. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the addresses that the proxy listens on: first those for HTTP, then those for HTTPS, each in the order in which
     * they were given to the builder. Where port 0 was asked for, the address has the port that was bound. The address of
     * {@link Builder#telemetry} is not among them.
     */
    public List<InetSocketAddress> addresses() {
        return server.addresses();
    }

    /** Returns the port of the first of {@link #addresses}. */
    public int port() {
        return addresses().get(0).getPort();
    }

    /** Returns the port of the status page, health and metrics; 0 without {@link Builder#telemetry}. */
    public int telemetryPort() {
        return server.telemetryPort();
    }

    /** Returns the services of all sources, and the problems with them, as they are now. */
    public Snapshot snapshot() {
        return server.snapshot();
    }

    /**
     * Explains to a person, in several lines, to which service a request for a URL would go now, why not to the other services,
     * and which endpoints are in rotation. Not for I/O threads.
     *
     * @param url such as {@code https://shop.example/api/x}; not null
     * @throws IllegalArgumentException if the URL has no host, or another scheme than http, https, ws or wss (none means http)
     */
    public String explain(URI url) {
        Objects.requireNonNull(url, "url");
        RequestUrl request = Words.naming("url=" + url, () -> RequestUrl.parse(url.toString()));
        return server.explain(request).wholeText();
    }

    /**
     * Returns whether the proxy listens, at least one source has delivered a snapshot, and {@link #close} was not called yet.
     * The health endpoints of {@link Builder#telemetry} report the same.
     */
    public boolean up() {
        return server.up();
    }

    /**
     * Gives the body back to a request, for an application of {@link Builder#wrap} that has read it, to check a signature for
     * instance, and passes the request on. The body may be another one; it is sent with its length.
     *
     * <pre>{@code
     * builder.wrap(proxy -> exchange -> exchange.getRequestReceiver().receiveFullBytes((received, body) -> {
     *     String signature = received.getRequestHeaders().getFirst("X-Signature");
     *     if (String.valueOf(Arrays.hashCode(body)).equals(signature)) {
     *         Millau.giveBack(received, body);
     *         received.dispatch(proxy);
     *     } else {
     *         received.setStatusCode(403).endExchange();
     *     }
     * }));
     * }</pre>
     *
     * <p>One of several applications can read a body by {@code getRequestReceiver}, which Undertow allows once for a request.
     *
     * @param exchange a request whose body was read, to its end or as much as its length says
     * @throws IllegalStateException if it was not, or was given back before
     */
    public static void giveBack(HttpServerExchange exchange, byte[] body) {
        Application.giveBack(exchange, body);
    }

    /** Returns how many buffers are in use; 0 when all connections are idle. */
    int buffersTaken() {
        return server.buffersTaken();
    }

    /** Returns how many of them are in use outside Undertow. */
    int buffersTakenByRequests() {
        return server.buffersTakenByRequests();
    }

    /**
     * Stops the proxy. From this call on the telemetry port reports {@code down}, and connections of clients are closed with
     * their next response. The proxy continues to listen for the time of {@link Builder#grace}, then lets requests in progress
     * finish for at most the time of {@link Builder#drain}, and finally closes the remaining connections and the sources'
     * subscriptions.
     *
     * <p>Returns when all of this is done; further calls wait for the first one. An interrupt ends the current wait early, and
     * the thread's interrupt flag is set on return.
     *
     * @throws IllegalStateException on an I/O thread of this proxy, for instance in a listener: the requests that it waits for
     *     could not end
     */
    @Override
    public void close() {
        server.close();
    }

    /** Thrown when the proxy can't listen on one of its addresses. */
    public static final class BindFailedException extends IOException {
        private static final long serialVersionUID = 1;

        private final transient InetSocketAddress address;

        BindFailedException(InetSocketAddress address, IOException cause) {
            super("can't listen on " + ListenAddress.show(address) + ": " + cause.getMessage(), cause);
            this.address = address;
        }

        /** Returns the address as it was given to the builder. Null after deserialization. */
        public InetSocketAddress address() {
            return address;
        }
    }

    /**
     * Configures a proxy and starts it. Arguments must not be null. The methods can be called in any order before {@link
     * #start}, which needs at least one {@link #http} or {@link #https} address. For one thread.
     */
    public static final class Builder {
        final List<InetSocketAddress> addresses = new ArrayList<>();
        final List<InetSocketAddress> secureAddresses = new ArrayList<>();
        final List<ServiceSource> sources = new ArrayList<>();
        final List<TrafficListener> trafficListeners = new ArrayList<>();
        final List<RequestFilter> filters = new ArrayList<>();

        @Nullable
        FailurePage failurePage;

        @Nullable
        HandlerWrapper application;

        RetryPolicy retryPolicy = RetryPolicy.standard();
        LoadBalancer balancer = LoadBalancer.roundRobin();
        int ioThreads = Runtime.getRuntime().availableProcessors();
        Duration grace = Duration.ZERO;
        Duration drain = Duration.ofSeconds(8);
        String hostName = "millau";
        boolean debugHeaders;
        Ticker ticker = Ticker.system();
        final List<CertificateSource> certificates = new ArrayList<>();
        AddressRanges trusted = AddressRanges.NONE;
        AddressRanges proxyProtocol = AddressRanges.NONE;
        boolean redirectToHttps;
        int publishedHttpsPort;
        Clock wallClock = Clock.systemUTC();

        @Nullable
        Provider tlsProvider;

        @Nullable
        InetSocketAddress telemetry;

        Set<String> telemetryHosts = Set.of();

        @Nullable
        Supplier<String> metrics;

        @Nullable
        AccessLog accessLog;

        @Nullable
        BoundSockets sockets;

        private static final Pattern HOST = Pattern.compile("[a-z0-9_-]+(\\.[a-z0-9_-]+)*");

        private boolean started;

        private Builder() {}

        private static InetSocketAddress parsed(String setting, String address) {
            Objects.requireNonNull(address, "address");
            return Words.naming(setting + "=" + address, () -> ListenAddress.parse(address));
        }

        private static InetSocketAddress resolved(String setting, InetSocketAddress address) {
            if (Objects.requireNonNull(address, "address").isUnresolved()) {
                throw new IllegalArgumentException(setting + "=" + address.getHostString() + ":" + address.getPort()
                        + ": expected an address of this machine, " + address.getHostString() + " is none");
            }
            return address;
        }

        private void checkNotBound(String setting) {
            if (sockets != null) {
                throw new IllegalStateException(setting + ": the addresses are bound already, expected it before bind");
            }
        }

        private static String telemetryHost(String name) {
            String host = Words.naming(
                    "telemetryHosts=" + name, () -> HostNames.ascii(name).replaceFirst("\\.$", ""));
            if (!HOST.matcher(host).matches()) {
                throw new IllegalArgumentException(
                        "telemetryHosts=" + Words.shown(name) + ": expected a host name, without scheme and port");
            }
            return host;
        }

        private static Duration notNegative(String setting, Duration value) {
            if (Objects.requireNonNull(value, setting).isNegative()) {
                throw new IllegalArgumentException(setting + "=" + value + ": expected zero or more");
            }
            return value;
        }

        /**
         * Adds an address to listen on for plain HTTP: HTTP/1.1 and HTTP/2 without TLS (h2c).
         *
         * @param address {@code 8080} or {@code :8080} for all local addresses, {@code 127.0.0.1:8080} or {@code [::1]:8080}
         *     for one of them; port 0 takes a free port
         * @throws IllegalArgumentException if the address does not have one of these forms or its host is unknown
         */
        public Builder http(String address) {
            return http(parsed("http", address));
        }

        /**
         * Adds an address to listen on for plain HTTP: HTTP/1.1 and HTTP/2 without TLS (h2c); port 0 takes a free port.
         *
         * @throws IllegalArgumentException if the address is not resolved
         * @throws IllegalStateException after {@link #bind}; so do all that add or set an address
         */
        public Builder http(InetSocketAddress address) {
            checkNotBound("http");
            addresses.add(resolved("http", address));
            return this;
        }

        /**
         * Adds an address to listen on for HTTPS: HTTP/1.1 and HTTP/2 over TLS 1.2 and 1.3. Clients get the certificates of the
         * services and of {@link #certificates}. A client that asks for a host name without a certificate gets the certificate
         * of another host or, if there is none at all, a self-signed one.
         *
         * @param address in one of the forms of {@link #http(String)}
         * @throws IllegalArgumentException if the address does not have one of these forms or its host is unknown
         */
        public Builder https(String address) {
            return https(parsed("https", address));
        }

        /** Adds an address to listen on for HTTPS, as {@link #https(String)} does; port 0 takes a free port. */
        public Builder https(InetSocketAddress address) {
            checkNotBound("https");
            secureAddresses.add(resolved("https", address));
            return this;
        }

        /**
         * Adds a source of certificates, in addition to the certificates of services; several sources add up. By default there
         * is none. It is used only with an {@link #https} address.
         */
        public Builder certificates(CertificateSource source) {
            certificates.add(Objects.requireNonNull(source, "source"));
            return this;
        }

        /**
         * Redirects every request over plain HTTP to HTTPS ({@code 308}), except for ACME challenges (RFC 8555, 8.3). By
         * default, only requests for services that ask for it are redirected.
         */
        public Builder redirectToHttps() {
            this.redirectToHttps = true;
            return this;
        }

        /**
         * Sets the port in redirects to HTTPS: the one that clients use, if that is neither 443 nor the one that this proxy
         * listens on, but is published by Docker, for instance.
         */
        public Builder publishedHttpsPort(int port) {
            if (port < 1 || port > 65_535) {
                throw new IllegalArgumentException("port " + port + ": expected 1 to 65535");
            }
            this.publishedHttpsPort = port;
            return this;
        }

        /**
         * Sets which peers are trusted: proxies and load balancers in front of this one, whose {@code X-Forwarded-For}, {@code
         * -Proto}, {@code -Host} and {@code -Port} are believed and extended, or {@code Forwarded} (RFC 7239) where there is no
         * {@code X-Forwarded-For}. The client of a request is then the last address of that list that is not trusted. By
         * default nobody is trusted, and the client is the peer.
         *
         * @param ranges addresses, or ranges in CIDR notation, separated by blanks or commas, and the names {@code private} (RFC 1918,
         *     loopback, link-local and unique local addresses) and {@code cloudflare}: {@code 10.0.0.0/8 2001:db8::/32} for
         *     instance
         * @throws IllegalArgumentException if the text has anything else; the message names it
         */
        public Builder trusted(String ranges) {
            this.trusted = AddressRanges.parse(Objects.requireNonNull(ranges, "ranges"));
            return this;
        }

        /**
         * Sets which peers begin their connections with a PROXY protocol header, version 1 or 2, before TLS. A connection of
         * such a peer without that header is closed; those of other peers must not have one. By default none does.
         *
         * @param ranges in the form of {@link #trusted}
         * @throws IllegalArgumentException if the text has anything else; the message names it
         */
        public Builder proxyProtocol(String ranges) {
            this.proxyProtocol = AddressRanges.parse(Objects.requireNonNull(ranges, "ranges"));
            return this;
        }

        /**
         * Sets the security provider that implements TLS towards clients; by default the one that the Java runtime prefers.
         * With Conscrypt ({@code new OpenSSLProvider()}, not among this module's dependencies) a new handshake takes a third of
         * the processor time that it takes with the JDK's provider.
         */
        public Builder tlsProvider(Provider provider) {
            this.tlsProvider = Objects.requireNonNull(provider, "provider");
            return this;
        }

        /** Adds a source of services; several sources add up. Without any, all requests get {@code 502}. */
        public Builder source(ServiceSource source) {
            sources.add(Objects.requireNonNull(source, "source"));
            return this;
        }

        /**
         * Adds a listener that is told what happens to requests; by default there is none. Listeners are called in the order in
         * which they were added. What a listener throws is logged, once for each place in its code, and affects no request.
         */
        public Builder listener(TrafficListener listener) {
            trafficListeners.add(Objects.requireNonNull(listener, "listener"));
            return this;
        }

        /**
         * Adds a filter that sees each request before a service is chosen; by default there is none. Filters run in the order in
         * which they were added, and before those of the service.
         */
        public Builder filter(RequestFilter filter) {
            filters.add(Objects.requireNonNull(filter, "filter"));
            return this;
        }

        /**
         * Sets what makes the bodies of this proxy's own failures, such as {@code 502} and {@code 504}; plain texts by default.
         */
        public Builder failurePage(FailurePage page) {
            this.failurePage = Objects.requireNonNull(page, "page");
            return this;
        }

        /**
         * Puts an Undertow application in front of the proxy, on the same addresses: it gets each well-formed request before the
         * filters do, and passes on what it does not respond to. What it responds to is in the access log, the metrics and the
         * status page like any other request. It may dispatch to threads that block, of which there are eight for each I/O thread.
         *
         * <p>Header fields and cookies that it sets before it passes a request on are added to the response, in place of the service's
         * field of that name. It can't change bodies of services: see {@link io.millau.core.Service.Builder#compress}, and {@link
         * io.millau.core.FilterRequest#onResponse} for their heads.
         *
         * <pre>{@code
         * HttpHandler admin = exchange -> exchange.getResponseSender().send("ready\n");
         * builder.wrap(proxy -> Handlers.path(proxy).addPrefixPath("/admin", admin));
         * }</pre>
         *
         * @param application gets the handler that proxies requests, and returns the one that gets all of them
         */
        public Builder wrap(HandlerWrapper application) {
            checkNotBound("wrap");
            Objects.requireNonNull(application, "application");
            HandlerWrapper inner = this.application;
            this.application = inner == null ? application : proxy -> application.wrap(inner.wrap(proxy));
            return this;
        }

        /**
         * Sets the log that gets a line for each request; by default there is none. The proxy does not close it: the caller
         * does, after {@link Millau#close}.
         */
        public Builder accessLog(AccessLog log) {
            this.accessLog = Objects.requireNonNull(log, "log");
            return this;
        }

        /**
         * Sets which requests may be retried; {@link RetryPolicy#standard()} by default, and for requests for which the policy
         * throws. What it throws is logged, once for each place in its code.
         */
        public Builder retryPolicy(RetryPolicy policy) {
            this.retryPolicy = Objects.requireNonNull(policy, "policy");
            return this;
        }

        /**
         * Sets how the endpoint for a request is chosen; {@link LoadBalancer#roundRobin()} by default, and for requests for which
         * the balancer throws. What it throws is logged, once for each place in its code.
         */
        public Builder balancer(LoadBalancer balancer) {
            this.balancer = Objects.requireNonNull(balancer, "balancer");
            return this;
        }

        /**
         * Sets the number of I/O threads, which process all requests; the number of available processors by default.
         *
         * @throws IllegalArgumentException if it is less than 1
         * @throws IllegalStateException after {@link #bind}
         */
        public Builder ioThreads(int threads) {
            checkNotBound("ioThreads");
            if (threads < 1) {
                throw new IllegalArgumentException("I/O threads " + threads + ": expected at least 1");
            }
            this.ioThreads = threads;
            return this;
        }

        /**
         * Sets how long {@link Millau#close()} continues to listen, so that load balancers in front of this proxy notice that
         * it is down, and open connections are closed with their next response; zero by default.
         *
         * @throws IllegalArgumentException if it is negative
         */
        public Builder grace(Duration grace) {
            this.grace = notNegative("grace", grace);
            return this;
        }

        /**
         * Sets how long {@link Millau#close()} waits, after the {@link #grace}, for requests in progress; by default 8 s, which
         * is less than the 10 s that Docker gives a container to stop.
         *
         * @throws IllegalArgumentException if it is negative
         */
        public Builder drain(Duration drain) {
            this.drain = notNegative("drain", drain);
            return this;
        }

        /**
         * Sets the time by which timeouts, ejections, health checks, idle connections, retry budgets and rates go; the system's
         * by default. With one of its own a test decides when they happen. The certificates' validity goes by the system's
         * clock, and so do the waits of {@link #start} and {@link Millau#close}.
         */
        public Builder ticker(Ticker ticker) {
            this.ticker = Objects.requireNonNull(ticker, "ticker");
            return this;
        }

        /** The clock of certificates and of what says when it was made, for tests. */
        Builder wallClock(Clock clock) {
            this.wallClock = clock;
            return this;
        }

        /**
         * Sets the name of this proxy on the status page and in {@link #debugHeaders}; {@code millau} by default.
         *
         * @throws IllegalArgumentException if it has no visible character, or a control character
         */
        public Builder hostName(String name) {
            if (Objects.requireNonNull(name, "name").isBlank() || name.chars().anyMatch(Character::isISOControl)) {
                throw new IllegalArgumentException(
                        "hostName=" + Words.shown(name) + ": expected visible characters, for a header field");
            }
            this.hostName = name;
            return this;
        }

        /**
         * Adds the headers {@code Via}, {@code X-Backend-Server} (the service), {@code X-Served-By} (the {@link #hostName}) and
         * {@code X-Request-Id} to the responses of services; by default they are not added.
         */
        public Builder debugHeaders() {
            this.debugHeaders = true;
            return this;
        }

        /**
         * Sets the address that serves the status page ({@code /status}, {@code /status.json}), health ({@code /}, {@code
         * /ready}, {@code /live}), {@code /explain?url=} and, with {@link #metrics}, {@code /metrics}. Nothing can be changed
         * through it. By default there is none.
         *
         * @param address in one of the forms of {@link #http(String)}
         * @throws IllegalArgumentException if the address does not have one of these forms or its host is unknown
         */
        public Builder telemetry(String address) {
            return telemetry(parsed("telemetry", address));
        }

        /** Sets the address of the status page, health and metrics, as {@link #telemetry(String)} does. */
        public Builder telemetry(InetSocketAddress address) {
            checkNotBound("telemetry");
            this.telemetry = resolved("telemetry", address);
            return this;
        }

        /**
         * Sets host names under which the telemetry address is asked for its pages, besides addresses, {@code localhost} and
         * other names without a dot; by default there are none. Requests with another Host get {@code 403}, except for health:
         * any web page could have its own name resolve to that address and read them (DNS rebinding).
         *
         * @throws IllegalArgumentException if one is no host name
         */
        public Builder telemetryHosts(String... names) {
            this.telemetryHosts = Stream.of(Objects.requireNonNull(names, "names"))
                    .map(name -> telemetryHost(Objects.requireNonNull(name, "name")))
                    .collect(Collectors.toUnmodifiableSet());
            return this;
        }

        /**
         * Sets what returns the page {@code /metrics}, in the text format of Prometheus; by default there is no such page. It
         * is called once for each request for the page, on a thread that may block.
         */
        public Builder metrics(Supplier<String> page) {
            this.metrics = Objects.requireNonNull(page, "page");
            return this;
        }

        /**
         * Binds the addresses now, before {@link #start}. Clients that connect meanwhile wait instead of being refused: for
         * programs that take long to prepare what they start the proxy with. Call it once, after all addresses, {@link
         * #ioThreads} and {@link #wrap} were set, and call {@code start} then: only {@link Millau#close}, or a start that fails, frees the addresses again.
         *
         * @throws IllegalStateException if it was called before
         * @throws BindFailedException if the proxy can't listen on one of the addresses
         * @throws UncheckedIOException if the I/O threads can't be started
         */
        public Builder bind() throws BindFailedException {
            if (sockets != null) {
                throw new IllegalStateException("the addresses are bound already");
            }
            try {
                sockets = new BoundSockets(this);
                return this;
            } catch (BindFailedException e) {
                throw e;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /**
         * Starts the proxy. Returns when it listens: when every source has delivered its first snapshot, or after 3 s. If it
         * throws, nothing runs and no address is bound.
         *
         * @throws IllegalStateException if there is neither an {@link #http} nor an {@link #https} address, or if a proxy
         *     was started before with the addresses of {@link #bind}
         * @throws BindFailedException if the proxy can't listen on one of the addresses
         * @throws UncheckedIOException if the I/O threads can't be started
         */
        public Millau start() throws BindFailedException {
            if (addresses.isEmpty() && secureAddresses.isEmpty()) {
                throw new IllegalStateException("no address to listen on: call http(\":8080\"), for instance");
            }
            if (sockets != null && started) {
                throw new IllegalStateException("what bind has bound belongs to the proxy that was started before");
            }
            boolean bound = sockets != null;
            try {
                Millau millau = new Millau(this);
                started = bound;
                return millau;
            } catch (BindFailedException e) {
                throw e;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } finally {
                if (sockets != null && !started) {
                    sockets.close();
                    sockets = null;
                }
            }
        }
    }
}
