package io.millau.core;

import io.millau.core.internal.Values;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A service as its labels describe it, and who runs it. Immutable.
 *
 * <p>Two services are equally good for a request when the same host and the same path of theirs fit it best; they then
 * share such requests by their weights, however many endpoints each has.
 */
public final class Service {

    /** The host that fits every request. */
    public static final String ANY_HOST = "*";

    private final String id;
    private final String name;
    private final boolean enabled;
    private final List<String> hosts;
    private final String path;
    private final Duration timeout;
    private final Duration retry;
    private final boolean retryUnsafe;
    private final int weight;
    private final @Nullable LoadBalancer balancer;
    private final boolean sticky;
    private final @Nullable String health;
    private final Duration drain;
    private final int buffer;
    private final @Nullable Certificate certificate;
    private final Set<X509Certificate> clientCa;
    private final boolean redirectToHttps;
    private final @Nullable Duration hsts;
    private final List<Endpoint> endpoints;

    private Service(Builder builder) {
        this.id = builder.id;
        this.name = builder.name;
        this.enabled = builder.enabled;
        this.hosts = List.copyOf(builder.hosts);
        this.path = builder.path;
        this.timeout = builder.timeout;
        this.retry = builder.retry;
        this.retryUnsafe = builder.retryUnsafe;
        this.weight = builder.weight;
        this.balancer = builder.balancer;
        this.sticky = builder.sticky;
        this.health = builder.health;
        this.drain = builder.drain;
        this.buffer = builder.buffer;
        this.certificate = builder.certificate;
        this.clientCa = builder.clientCa;
        this.redirectToHttps = builder.redirectToHttps;
        this.hsts = builder.hsts;
        this.endpoints = List.copyOf(builder.endpoints);
    }

    /** A service for every host and path, with the defaults of the labels; its id is its name. */
    public static Builder named(String name) {
        return new Builder(name);
    }

    /** What tells it from every other service, of other sources too; two services of one name have two ids. */
    public String id() {
        return id;
    }

    /** What logs, metrics and answers call it. */
    public String name() {
        return name;
    }

    /** Whether it is put behind the proxy; one that is not stands in a snapshot for what else it contributes. */
    public boolean enabled() {
        return enabled;
    }

    /** Host names in lower case without a trailing dot, or {@link #ANY_HOST}; at least one. */
    public List<String> hosts() {
        return hosts;
    }

    /** The beginning of the URL paths it answers; starts with a slash. */
    public String path() {
        return path;
    }

    /** How long an answer's head may take before the next endpoint is tried. */
    public Duration timeout() {
        return timeout;
    }

    /** How long an endpoint that failed is ejected: out of rotation. */
    public Duration retry() {
        return retry;
    }

    /**
     * Whether a request whose method is not idempotent (RFC 9110, 9.2.2) may be repeated although the endpoint may have
     * begun to process it.
     */
    public boolean retryUnsafe() {
        return retryUnsafe;
    }

    /**
     * Its share among equally good services: of weights 1 and 9 one request in ten, and nine. A service of weight 0 stands
     * by: it gets requests only while no equally good one has an endpoint that is ready for them.
     */
    public int weight() {
        return weight;
    }

    /** Which of its endpoints gets a request; null for the router's. */
    public @Nullable LoadBalancer balancer() {
        return balancer;
    }

    /** Whether a client stays with the endpoint that answered it first, as long as that is there. */
    public boolean sticky() {
        return sticky;
    }

    /** The path to ask its endpoints for, from time to time, to see whether they are well; null if nobody asks. */
    public @Nullable String health() {
        return health;
    }

    /** How long connections to an endpoint that was removed may go on. */
    public Duration drain() {
        return drain;
    }

    /** How many bytes of a request's body are kept so that they can be sent again. */
    public int buffer() {
        return buffer;
    }

    /** The certificate that it contributes, for its own hosts or others'; it does so while it is not enabled, too. */
    public @Nullable Certificate certificate() {
        return certificate;
    }

    /**
     * Who has to vouch for the clients of its hosts: whoever answers there, requests need a connection over TLS with a client
     * certificate that leads to one of these. Empty if clients need none.
     */
    public Set<X509Certificate> clientCa() {
        return clientCa;
    }

    /** Whether requests that come over plain HTTP are sent to HTTPS. */
    public boolean redirectToHttps() {
        return redirectToHttps;
    }

    /** How long clients are told to come over HTTPS alone (RFC 6797); null if they are told nothing. */
    public @Nullable Duration hsts() {
        return hsts;
    }

    /** Its running instances; empty while none runs. */
    public List<Endpoint> endpoints() {
        return endpoints;
    }

    /** This service with other endpoints. */
    public Service withEndpoints(List<Endpoint> endpoints) {
        return toBuilder().endpoints(endpoints).build();
    }

    /** A builder that starts from this service. */
    public Builder toBuilder() {
        return new Builder(this, name).id(id);
    }

    /** A builder that starts from this service, for one of another name; its id is that name. */
    public Builder toBuilder(String otherName) {
        return new Builder(this, otherName);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Service that
                && id.equals(that.id)
                && name.equals(that.name)
                && enabled == that.enabled
                && hosts.equals(that.hosts)
                && path.equals(that.path)
                && timeout.equals(that.timeout)
                && retry.equals(that.retry)
                && retryUnsafe == that.retryUnsafe
                && weight == that.weight
                && Objects.equals(balancer, that.balancer)
                && sticky == that.sticky
                && Objects.equals(health, that.health)
                && drain.equals(that.drain)
                && buffer == that.buffer
                && Objects.equals(certificate, that.certificate)
                && clientCa.equals(that.clientCa)
                && redirectToHttps == that.redirectToHttps
                && Objects.equals(hsts, that.hsts)
                && endpoints.equals(that.endpoints);
    }

    @Override
    public int hashCode() {
        return Objects.hash(id, path, endpoints);
    }

    @Override
    public String toString() {
        return name + " " + String.join(" ", hosts) + " " + path + " → " + endpoints;
    }

    /** Builds a service; for one thread. Every setter checks its value as the label of its name is checked. */
    public static final class Builder {
        private final String name;
        private String id;
        private boolean enabled = true;
        private List<String> hosts = List.of(ANY_HOST);
        private String path = "/";
        private Duration timeout = Duration.ofSeconds(30);
        private Duration retry = Duration.ofSeconds(60);
        private boolean retryUnsafe;
        private int weight = 1;
        private @Nullable LoadBalancer balancer;
        private boolean sticky;
        private @Nullable String health;
        private Duration drain = Duration.ofSeconds(30);
        private int buffer = 64 * 1024;
        private @Nullable Certificate certificate;
        private Set<X509Certificate> clientCa = Set.of();
        private boolean redirectToHttps;
        private @Nullable Duration hsts;
        private List<Endpoint> endpoints = List.of();

        private Builder(String name) {
            this.name = Objects.requireNonNull(name, "name");
            this.id = name;
        }

        private Builder(Service service, String name) {
            this(name);
            enabled = service.enabled;
            hosts = service.hosts;
            path = service.path;
            timeout = service.timeout;
            retry = service.retry;
            retryUnsafe = service.retryUnsafe;
            weight = service.weight;
            balancer = service.balancer;
            sticky = service.sticky;
            health = service.health;
            drain = service.drain;
            buffer = service.buffer;
            certificate = service.certificate;
            clientCa = service.clientCa;
            redirectToHttps = service.redirectToHttps;
            hsts = service.hsts;
            endpoints = service.endpoints;
        }

        /** See {@link Service#id()}. */
        public Builder id(String id) {
            this.id = Objects.requireNonNull(id, "id");
            return this;
        }

        /** See {@link Service#enabled()}. */
        public Builder enabled(boolean enabled) {
            this.enabled = enabled;
            return this;
        }

        /** See {@link Service#hosts()}. */
        public Builder hosts(String... hosts) {
            return hosts(List.of(hosts));
        }

        /**
         * See {@link Service#hosts()}.
         *
         * @throws IllegalArgumentException if there is none, or one is not a host name
         */
        public Builder hosts(List<String> hosts) {
            if (hosts.isEmpty()) {
                throw new IllegalArgumentException("no host: expected at least one, or " + ANY_HOST);
            }
            this.hosts = hosts.stream().map(Values::host).distinct().toList();
            return this;
        }

        /**
         * See {@link Service#path()}.
         *
         * @throws IllegalArgumentException if it is not the beginning of a path
         */
        public Builder path(String path) {
            this.path = Values.path(path);
            return this;
        }

        /**
         * See {@link Service#timeout()}.
         *
         * @throws IllegalArgumentException if it is not positive, or longer than a day
         */
        public Builder timeout(Duration timeout) {
            if (timeout.isZero()) {
                throw new IllegalArgumentException("timeout 0: expected more than no time at all");
            }
            this.timeout = Values.withinADay(timeout);
            return this;
        }

        /**
         * See {@link Service#retry()}.
         *
         * @throws IllegalArgumentException if it is negative, or longer than a day
         */
        public Builder retry(Duration retry) {
            this.retry = Values.withinADay(retry);
            return this;
        }

        /** See {@link Service#retryUnsafe()}. */
        public Builder retryUnsafe(boolean retryUnsafe) {
            this.retryUnsafe = retryUnsafe;
            return this;
        }

        /**
         * See {@link Service#weight()}.
         *
         * @throws IllegalArgumentException if it is negative, or more than 1000
         */
        public Builder weight(int weight) {
            this.weight = Values.weight(weight);
            return this;
        }

        /** See {@link Service#balancer()}. */
        public Builder balancer(@Nullable LoadBalancer balancer) {
            this.balancer = balancer;
            return this;
        }

        /** See {@link Service#sticky()}. */
        public Builder sticky(boolean sticky) {
            this.sticky = sticky;
            return this;
        }

        /**
         * See {@link Service#health()}.
         *
         * @throws IllegalArgumentException if it is not a path, with or without a query
         */
        public Builder health(@Nullable String health) {
            this.health = health == null ? null : Values.target(health);
            return this;
        }

        /**
         * See {@link Service#drain()}.
         *
         * @throws IllegalArgumentException if it is negative, or longer than a day
         */
        public Builder drain(Duration drain) {
            this.drain = Values.withinADay(drain);
            return this;
        }

        /**
         * See {@link Service#buffer()}.
         *
         * @throws IllegalArgumentException if it is negative, or more than 64 MiB
         */
        public Builder buffer(int bytes) {
            this.buffer = Values.buffer(bytes);
            return this;
        }

        /** See {@link Service#certificate()}. */
        public Builder certificate(@Nullable Certificate certificate) {
            this.certificate = certificate;
            return this;
        }

        /** See {@link Service#clientCa()}. */
        public Builder clientCa(Collection<X509Certificate> clientCa) {
            this.clientCa = Set.copyOf(clientCa);
            return this;
        }

        /** See {@link Service#redirectToHttps()}. */
        public Builder redirectToHttps(boolean redirectToHttps) {
            this.redirectToHttps = redirectToHttps;
            return this;
        }

        /**
         * See {@link Service#hsts()}.
         *
         * @throws IllegalArgumentException if it is negative, or longer than ten years
         */
        public Builder hsts(@Nullable Duration hsts) {
            this.hsts = hsts == null ? null : Values.hsts(hsts.toSeconds());
            return this;
        }

        /** See {@link Service#endpoints()}. */
        public Builder endpoints(Endpoint... endpoints) {
            return endpoints(List.of(endpoints));
        }

        /** See {@link Service#endpoints()}. */
        public Builder endpoints(List<Endpoint> endpoints) {
            this.endpoints = List.copyOf(endpoints);
            return this;
        }

        /** The service. */
        public Service build() {
            return new Service(this);
        }
    }
}
