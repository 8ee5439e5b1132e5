package io.millau.core;

import io.millau.core.internal.AddressRanges;
import io.millau.core.internal.AuthServer;
import io.millau.core.internal.Label;
import io.millau.core.internal.Labels;
import io.millau.core.internal.RequestLimit;
import io.millau.core.internal.ServiceName;
import io.millau.core.internal.Users;
import io.millau.core.internal.Words;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A service: the settings of its labels, and its endpoints. Immutable.
 *
 * <p>Services share a request if the same host and the same path of theirs match it best. They share by weight,
 * regardless of their numbers of endpoints.
 *
 * <pre>{@code
 * Service orders = Service.named("orders")
 *         .hosts("shop.example")
 *         .path("/orders/")
 *         .timeout(Duration.ofSeconds(5))
 *         .health("/health")
 *         .endpoints(endpoint)
 *         .build();
 * builder.source(ServiceSource.of(orders));
 * }</pre>
 */
public final class Service {

    /** The host that matches every request. */
    public static final String ANY_HOST = "*";

    /** Before a host name, as in {@code *.shop.example}: the host's subdomains match, and it does not. */
    public static final String SUBDOMAINS = "*.";

    private final String id;
    private final String name;
    private final List<Endpoint> endpoints;

    /** Those that were added by {@link Builder#filter}. */
    private final List<RequestFilter> addedFilters;

    /** Those of labels, too. */
    private final List<RequestFilter> filters;

    /** The settings that differ from their defaults. */
    private final Map<Setting<?>, Object> settings;

    // Read by requests.
    private final List<String> hosts;
    private final String path;
    private final Duration timeout;
    private final boolean retryUnsafe;
    private final boolean sticky;
    private final int buffer;
    private final long maxBody;
    private final int maxRequests;
    private final @Nullable Duration hsts;
    private final boolean compress;

    private Service(Builder builder) {
        this.id = builder.id;
        this.name = builder.name;
        this.endpoints = builder.endpoints;
        this.addedFilters = builder.filters;
        this.settings = Map.copyOf(builder.settings);
        this.hosts = hosts(value(Labels.HOSTS), get(Labels.CANONICAL));
        this.path = value(Labels.PATH);
        this.timeout = value(Labels.TIMEOUT);
        this.retryUnsafe = value(Labels.RETRY_UNSAFE);
        this.sticky = value(Labels.STICKY);
        this.buffer = value(Labels.BUFFER);
        this.maxBody = value(Labels.MAX_BODY);
        this.maxRequests = value(Labels.MAX_REQUESTS);
        this.hsts = get(Labels.HSTS);
        this.compress = value(Labels.COMPRESS);
        this.filters = Stream.concat(Labels.ALL.filters(this).stream(), addedFilters.stream())
                .toList();
    }

    private static List<String> hosts(List<String> named, @Nullable String canonical) {
        return canonical == null || named.contains(canonical)
                ? named
                : Stream.concat(named.stream(), Stream.of(canonical)).toList();
    }

    /**
     * Starts a service for every host and path, with the default settings. Its id is its name.
     *
     * @throws IllegalArgumentException if the name is empty or blank
     */
    public static Builder named(String name) {
        return new Builder(name);
    }

    /** Its unique id, among the services of all sources. Two services with the same name need different ids. */
    public String id() {
        return id;
    }

    /** Its name in logs, metrics and responses. */
    public String name() {
        return name;
    }

    /** Whether it gets requests. A disabled service may still contribute its certificate. */
    public boolean enabled() {
        return value(Labels.ENABLED);
    }

    /** Its host names, in lower case without a trailing dot, {@link #SUBDOMAINS} of them, or {@link #ANY_HOST}; at least one. */
    public List<String> hosts() {
        return hosts;
    }

    /**
     * The prefix of the URL paths that it serves; starts with a slash. Compared character by character: {@code /orders/} does not
     * match {@code /orders}, and {@code /orders} matches {@code /orders-old}, too.
     */
    public String path() {
        return path;
    }

    /** How long to wait for the head of a response, before the next endpoint is tried. */
    public Duration timeout() {
        return timeout;
    }

    /** How long a failed endpoint is ejected: taken out of rotation. */
    public Duration retry() {
        return value(Labels.RETRY);
    }

    /**
     * Whether a request whose method is not idempotent (RFC 9110, 9.2.2) may be retried although the endpoint may have
     * started to process it.
     */
    public boolean retryUnsafe() {
        return retryUnsafe;
    }

    /**
     * Its share among the services that share a request: with weights 1 and 9, one request in ten and nine in ten. A
     * service of weight 0 is on standby: it gets requests only while none of the others has an endpoint that is ready.
     */
    public int weight() {
        return value(Labels.WEIGHT);
    }

    /** Chooses among its endpoints; null for the router's balancer. */
    public @Nullable LoadBalancer balancer() {
        return get(Labels.BALANCE);
    }

    /** Whether a client stays with the endpoint that responded first, as long as that is in rotation. */
    public boolean sticky() {
        return sticky;
    }

    /** The path of active health checks; null for none. */
    public @Nullable String health() {
        return get(Labels.HEALTH);
    }

    /**
     * The path of the pages that this service gives for the proxy's own failures of requests for its hosts, with {@code {status}}
     * in the place of the status; null if it gives none. See {@link Router#openErrorPage}.
     */
    public @Nullable String errors() {
        return get(Labels.ERRORS);
    }

    /** How long requests at a removed endpoint may take to finish. */
    public Duration drain() {
        return value(Labels.DRAIN);
    }

    /** How many bytes of a request's body are kept for retries. */
    public int buffer() {
        return buffer;
    }

    /** How many bytes the body of a request may have; {@link Long#MAX_VALUE} for no limit. */
    public long maxBody() {
        return maxBody;
    }

    /** How many requests may be in progress at one of its instances; {@link Integer#MAX_VALUE} for no limit. */
    public int maxRequests() {
        return maxRequests;
    }

    /** The certificate that it contributes, for any hosts, even if it is disabled; null for none. */
    public @Nullable Certificate certificate() {
        return get(Labels.CERTIFICATE);
    }

    /**
     * The CAs of client certificates for its hosts. Every request for these hosts, to any service, needs a TLS
     * connection with a client certificate from one of these CAs. Empty if clients need none.
     */
    public Set<X509Certificate> clientCa() {
        return value(Labels.CLIENT_CA);
    }

    /** Whether requests over plain HTTP are redirected to HTTPS. */
    public boolean redirectToHttps() {
        return value(Labels.REDIRECT);
    }

    /** How long browsers should use HTTPS only (RFC 6797); null for no such header. */
    public @Nullable Duration hsts() {
        return hsts;
    }

    /** The addresses of clients that may use it, as text; null for all. */
    public @Nullable String allow() {
        AddressRanges ranges = get(Labels.ALLOW);
        return ranges == null ? null : ranges.toString();
    }

    /** How many requests a client may make, such as {@code 20/s}, and as many at once; null for no limit. */
    public @Nullable String limit() {
        RequestLimit limit = get(Labels.LIMIT);
        return limit == null ? null : limit.text();
    }

    /** The names of the users who may use it, with their passwords; empty if nobody has to log in. */
    public Set<String> users() {
        Users users = get(Labels.USERS);
        return users == null ? Set.of() : users.names();
    }

    /** The URL that is asked about each request first; null if none is. */
    public @Nullable String auth() {
        AuthServer server = get(Labels.AUTH);
        return server == null ? null : server.url();
    }

    /** The names of the header fields that its instances get from the response of {@link #auth}. */
    public List<String> authHeaders() {
        return value(Labels.AUTH_HEADERS);
    }

    /** The host to which requests for its other hosts are redirected, which is one of its {@link #hosts}; null for none. */
    public @Nullable String canonical() {
        return get(Labels.CANONICAL);
    }

    /** Whether its path is cut off the path that its instances get. */
    public boolean strip() {
        return value(Labels.STRIP);
    }

    /** The values of header fields that its instances get in place of those of clients; empty for fields that they don't get. */
    public Map<String, String> requestHeaders() {
        return value(Labels.REQUEST_HEADER);
    }

    /** The values of header fields that clients get in place of those of its instances; empty for fields that they don't get. */
    public Map<String, String> responseHeaders() {
        return value(Labels.RESPONSE_HEADER);
    }

    /** Whether responses of its instances are compressed with gzip for clients that accept it. */
    public boolean compress() {
        return compress;
    }

    /** The filters of its requests, in the order in which they run: those of labels, then those that were added. */
    public List<RequestFilter> filters() {
        return filters;
    }

    /** Its running instances; may be empty. One that is not {@linkplain Endpoint#isResolved resolved} stands for several. */
    public List<Endpoint> endpoints() {
        return endpoints;
    }

    /**
     * The value of a setting. The accessors above return those of labels.
     *
     * @return the setting's default if the service doesn't set it
     */
    public <T> @Nullable T get(Setting<T> setting) {
        @SuppressWarnings("unchecked") // the builder checks the type
        T value = (T) settings.get(setting);
        return value == null ? setting.defaultValue() : value;
    }

    private <T> T value(Setting<T> setting) {
        return Objects.requireNonNull(get(setting));
    }

    /**
     * The names of the settings in which another service differs, in alphabetical order; {@code filters} if its filters do.
     */
    public Set<String> settingsThatDiffer(Service other) {
        Set<Setting<?>> all = new HashSet<>(settings.keySet());
        all.addAll(other.settings.keySet());
        Set<String> names = new TreeSet<>();
        for (Setting<?> setting : all) {
            if (!Objects.equals(get(setting), other.get(setting))) {
                names.add(setting.name());
            }
        }
        if (!addedFilters.equals(other.addedFilters)) {
            names.add("filters");
        }
        return names;
    }

    /** This service with other endpoints. */
    public Service withEndpoints(List<Endpoint> endpoints) {
        return toBuilder().endpoints(endpoints).build();
    }

    /** A builder that starts from this service, with its id. */
    public Builder toBuilder() {
        return new Builder(this, name).id(id);
    }

    /**
     * A builder that starts from this service, with another name. The name is also its id.
     *
     * @throws IllegalArgumentException as {@link #named}
     */
    public Builder toBuilder(String otherName) {
        return new Builder(this, otherName);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Service that
                && id.equals(that.id)
                && name.equals(that.name)
                && settings.equals(that.settings)
                && addedFilters.equals(that.addedFilters)
                && endpoints.equals(that.endpoints);
    }

    @Override
    public int hashCode() {
        return Objects.hash(id, path, endpoints);
    }

    @Override
    public String toString() {
        return name + " " + String.join(" ", hosts()) + " " + path + " → " + endpoints;
    }

    /**
     * Builds a service. For one thread. Setters check values as their labels are checked, and throw {@link
     * IllegalArgumentException} if one is invalid.
     */
    public static final class Builder {
        private final String name;
        private String id;
        private final Map<Setting<?>, Object> settings = new HashMap<>();
        private List<Endpoint> endpoints = List.of();
        private List<RequestFilter> filters = List.of();

        private Builder(String name) {
            String mistake = ServiceName.mistake(Objects.requireNonNull(name, "name"));
            if (mistake != null) {
                throw new IllegalArgumentException(mistake);
            }
            this.name = name;
            this.id = name;
        }

        private Builder(Service service, String name) {
            this(name);
            settings.putAll(service.settings);
            endpoints = service.endpoints;
            filters = service.addedFilters;
        }

        /** See {@link Service#id()}. */
        public Builder id(String id) {
            this.id = Objects.requireNonNull(id, "id");
            return this;
        }

        /** See {@link Service#enabled()}. */
        public Builder enabled(boolean enabled) {
            return set(Labels.ENABLED, enabled);
        }

        /** See {@link Service#hosts()}. */
        public Builder hosts(String... hosts) {
            return hosts(Arrays.asList(Objects.requireNonNull(hosts, "hosts")));
        }

        /**
         * See {@link Service#hosts()}.
         *
         * @throws IllegalArgumentException if the list is empty, or an entry is not a host name
         */
        public Builder hosts(List<String> hosts) {
            return set(Labels.HOSTS, copy("hosts", hosts));
        }

        /**
         * See {@link Service#path()}.
         *
         * @throws IllegalArgumentException if it is not a path prefix
         */
        public Builder path(String path) {
            return set(Labels.PATH, path);
        }

        /**
         * See {@link Service#timeout()}.
         *
         * @throws IllegalArgumentException if it is not positive, or longer than a day
         */
        public Builder timeout(Duration timeout) {
            return set(Labels.TIMEOUT, timeout);
        }

        /**
         * See {@link Service#retry()}.
         *
         * @throws IllegalArgumentException if it is negative, or longer than a day
         */
        public Builder retry(Duration retry) {
            return set(Labels.RETRY, retry);
        }

        /** See {@link Service#retryUnsafe()}. */
        public Builder retryUnsafe(boolean retryUnsafe) {
            return set(Labels.RETRY_UNSAFE, retryUnsafe);
        }

        /**
         * See {@link Service#weight()}.
         *
         * @throws IllegalArgumentException if it is negative, or more than 1000
         */
        public Builder weight(int weight) {
            return set(Labels.WEIGHT, weight);
        }

        /** See {@link Service#balancer()}. */
        public Builder balancer(@Nullable LoadBalancer balancer) {
            return set(Labels.BALANCE, balancer);
        }

        /** See {@link Service#sticky()}. */
        public Builder sticky(boolean sticky) {
            return set(Labels.STICKY, sticky);
        }

        /**
         * See {@link Service#health()}.
         *
         * @throws IllegalArgumentException if it is not a path, with or without a query
         */
        public Builder health(@Nullable String health) {
            return set(Labels.HEALTH, health);
        }

        /**
         * See {@link Service#errors()}.
         *
         * @throws IllegalArgumentException if it is not a path with {@code {status}} in it
         */
        public Builder errors(@Nullable String path) {
            return set(Labels.ERRORS, path);
        }

        /**
         * See {@link Service#drain()}.
         *
         * @throws IllegalArgumentException if it is negative, or longer than a day
         */
        public Builder drain(Duration drain) {
            return set(Labels.DRAIN, drain);
        }

        /**
         * See {@link Service#buffer()}.
         *
         * @throws IllegalArgumentException if it is negative, or more than 64 MiB
         */
        public Builder buffer(int bytes) {
            return set(Labels.BUFFER, bytes);
        }

        /**
         * See {@link Service#maxBody()}.
         *
         * @throws IllegalArgumentException if it is less than 1, or more than 1 TiB
         */
        public Builder maxBody(long bytes) {
            return set(Labels.MAX_BODY, bytes);
        }

        /**
         * See {@link Service#maxRequests()}.
         *
         * @throws IllegalArgumentException if it is less than 1, or more than a million
         */
        public Builder maxRequests(int requests) {
            return set(Labels.MAX_REQUESTS, requests);
        }

        /**
         * See {@link Service#allow()}.
         *
         * @param addresses and ranges such as {@code 10.0.0.0/8}, separated by spaces, or {@code private}; null for all
         * @throws IllegalArgumentException if it has anything else
         */
        public Builder allow(@Nullable String addresses) {
            return set(
                    Labels.ALLOW,
                    addresses == null
                            ? null
                            : Words.naming("allow=" + addresses, () -> AddressRanges.parse(addresses)));
        }

        /**
         * See {@link Service#limit()}.
         *
         * @param limit a number of requests per second, minute or hour, such as {@code 20/s} or {@code 600/m}; null for none
         * @throws IllegalArgumentException if it is anything else
         */
        public Builder limit(@Nullable String limit) {
            return set(
                    Labels.LIMIT,
                    limit == null ? null : Words.naming("limit=" + limit, () -> RequestLimit.parse(limit)));
        }

        /**
         * See {@link Service#users()}.
         *
         * @param users {@code name:hash} of each, separated by spaces, the hash by bcrypt; or all of that in Base64; null if nobody
         *     has to log in
         * @throws IllegalArgumentException if it is anything else; the message shows nothing of it
         */
        public Builder users(@Nullable String users) {
            return set(Labels.USERS, users == null ? null : Words.naming("users", () -> Users.parse(users)));
        }

        /**
         * See {@link Service#auth()}. Whoever answers there gets the head of each request; 2xx lets it pass, any other response is the
         * client's.
         *
         * @throws IllegalArgumentException if it is not a URL, with {@code http} or {@code https}
         */
        public Builder auth(@Nullable String url) {
            return set(Labels.AUTH, url == null ? null : Words.naming("auth", () -> AuthServer.parse(url)));
        }

        /**
         * See {@link Service#authHeaders()}.
         *
         * @throws IllegalArgumentException if one is not the name of a field that can be passed on
         */
        public Builder authHeaders(String... names) {
            return set(Labels.AUTH_HEADERS, copy("names", Arrays.asList(Objects.requireNonNull(names, "names"))));
        }

        /**
         * See {@link Service#canonical()}. The host is one of the service's {@link Service#hosts}, whether {@link #hosts} names it or not.
         *
         * @throws IllegalArgumentException if it is not a host name
         */
        public Builder canonical(@Nullable String host) {
            return set(Labels.CANONICAL, host);
        }

        /** See {@link Service#strip()}. */
        public Builder strip(boolean strip) {
            return set(Labels.STRIP, strip);
        }

        /** See {@link Service#compress()}. */
        public Builder compress(boolean compress) {
            return set(Labels.COMPRESS, compress);
        }

        /**
         * Sets a header field of requests. See {@link Service#requestHeaders()}.
         *
         * @param value empty to remove the field
         * @throws IllegalArgumentException if the name or the value can't be sent, and for fields that {@link FilterRequest#setHeader}
         *     can't set
         */
        public Builder requestHeader(String name, String value) {
            return setHeader(Labels.REQUEST_HEADER, name, value);
        }

        /**
         * Sets a header field of responses of its instances. See {@link Service#responseHeaders()}.
         *
         * @param value empty to remove the field
         * @throws IllegalArgumentException if the name or the value can't be sent, and for fields that {@link
         *     FilterResponse#setHeader} can't set
         */
        public Builder responseHeader(String name, String value) {
            return setHeader(Labels.RESPONSE_HEADER, name, value);
        }

        private Builder setHeader(Label<Map<String, String>> label, String name, String value) {
            Map<String, String> all = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            @SuppressWarnings("unchecked") // set stores only values of the label's type
            Map<String, String> before = (Map<String, String>) settings.getOrDefault(label, Map.of());
            all.putAll(before);
            all.remove(Objects.requireNonNull(name, "name")); // perhaps in another case
            all.put(name, Objects.requireNonNull(value, "value"));
            return set(label, all);
        }

        /** See {@link Service#certificate()}. */
        public Builder certificate(@Nullable Certificate certificate) {
            return set(Labels.CERTIFICATE, certificate);
        }

        /** See {@link Service#clientCa()}. */
        public Builder clientCa(Collection<X509Certificate> clientCa) {
            return set(Labels.CLIENT_CA, Set.copyOf(copy("clientCa", clientCa)));
        }

        /** See {@link Service#redirectToHttps()}. */
        public Builder redirectToHttps(boolean redirectToHttps) {
            return set(Labels.REDIRECT, redirectToHttps);
        }

        /**
         * See {@link Service#hsts()}.
         *
         * @throws IllegalArgumentException if it is negative, or longer than ten years
         */
        public Builder hsts(@Nullable Duration hsts) {
            return set(Labels.HSTS, hsts);
        }

        /**
         * Adds a filter, after those of the proxy, those of labels, and those added before. A service with another filter
         * counts as changed, so create filters once, not for each snapshot.
         */
        public Builder filter(RequestFilter filter) {
            filters = Stream.concat(filters.stream(), Stream.of(Objects.requireNonNull(filter, "filter")))
                    .toList();
            return this;
        }

        /** See {@link Service#endpoints()}. One that is given twice counts once. */
        public Builder endpoints(Endpoint... endpoints) {
            return endpoints(Arrays.asList(Objects.requireNonNull(endpoints, "endpoints")));
        }

        /** See {@link Service#endpoints()}. One that is given twice counts once. */
        public Builder endpoints(List<Endpoint> endpoints) {
            this.endpoints = copy("endpoints", endpoints).stream().distinct().toList();
            return this;
        }

        /** Names a null, and where it was given. */
        private static <T> List<T> copy(String given, Collection<T> values) {
            Objects.requireNonNull(values, given).forEach(value -> Objects.requireNonNull(value, given));
            return List.copyOf(values);
        }

        /**
         * See {@link Service#get}. The setters above set those of labels.
         *
         * @param value null for none, if that is the default
         * @throws IllegalArgumentException if the value is invalid
         * @throws NullPointerException if the value is null and the default isn't
         */
        public <T> Builder set(Setting<T> setting, @Nullable T value) {
            T initial = setting.defaultValue();
            T checked = value == null && initial == null
                    ? null
                    : setting.check(Objects.requireNonNull(value, setting.name()));
            if (Objects.equals(checked, initial)) {
                settings.remove(setting);
            } else {
                settings.put(setting, Objects.requireNonNull(checked));
            }
            return this;
        }

        /** Builds the service. */
        public Service build() {
            return new Service(this);
        }
    }
}
