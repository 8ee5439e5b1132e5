package io.millau.core;

import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * A service as its labels describe it, and who runs it. Immutable.
 *
 * <p>Two services are equally good for a request when the same host and the same path of theirs fit it best; they then
 * share such requests in turn, however many endpoints each has.
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
        return new Builder(this);
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
        private List<Endpoint> endpoints = List.of();

        private Builder(String name) {
            this.name = Objects.requireNonNull(name, "name");
            this.id = name;
        }

        private Builder(Service service) {
            name = service.name;
            id = service.id;
            enabled = service.enabled;
            hosts = service.hosts;
            path = service.path;
            timeout = service.timeout;
            retry = service.retry;
            retryUnsafe = service.retryUnsafe;
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
