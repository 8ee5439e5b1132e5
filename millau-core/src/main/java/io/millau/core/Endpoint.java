package io.millau.core;

import io.millau.core.internal.IpAddresses;
import io.millau.core.internal.Words;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One running instance of a service, to which requests are sent. Immutable.
 *
 * <p>The id, of the task or container, is part of its identity, because Docker reuses addresses: a new instance must
 * not inherit the failures of a dead one with the same address. Without such an id, the address serves as the id.
 *
 * <p>An endpoint may have a host name instead of an address, for each address of which there is then an instance. The
 * proxy resolves the name when it gets the service, and again every 30 s. While the name can't be resolved, its last
 * addresses stay, and a {@link Problem} says so.
 *
 * <pre>{@code
 * Endpoint one = Endpoint.http("10.0.1.7", 8080);
 * Endpoint named = Endpoint.http("localhost", 8080); // one for each address of the name
 * Service app = Service.named("app").path("/app/").endpoints(one, named).build();
 * builder.source(ServiceSource.of(app));
 * }</pre>
 */
public final class Endpoint {

    /** The scheme of plain HTTP/1.1. */
    public static final String HTTP = "http";

    /** The scheme of HTTP/1.1 over TLS. */
    public static final String HTTPS = "https";

    /**
     * The scheme of HTTP/2 without TLS, with prior knowledge (RFC 9113, 3.3), for gRPC. It doesn't support upgrades: a
     * request for one, such as WebSocket, is sent to the endpoint without its upgrade.
     */
    public static final String H2C = "h2c";

    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._-]+");

    private final String id;
    private final String scheme;
    private final @Nullable InetAddress address;
    private final String host;
    private final int port;
    private final @Nullable UpstreamTls tls;

    /**
     * An endpoint with an address.
     *
     * @param id the source's id of this instance
     * @param scheme the protocol: {@link #HTTP}, {@link #HTTPS} or {@link #H2C}
     * @param address its resolved address
     * @param port 1 to 65535
     * @param tls how to verify its certificate; null without TLS
     * @throws IllegalArgumentException if the scheme is unknown or doesn't match {@code tls}, or the port is out of
     *     range
     */
    public Endpoint(String id, String scheme, InetAddress address, int port, @Nullable UpstreamTls tls) {
        this(id, scheme, Objects.requireNonNull(address, "address"), IpAddresses.text(address), port, tls);
    }

    private Endpoint(
            String id, String scheme, @Nullable InetAddress address, String host, int port, @Nullable UpstreamTls tls) {
        Objects.requireNonNull(scheme, "scheme");
        if (tls == null ? !scheme.equals(HTTP) && !scheme.equals(H2C) : !scheme.equals(HTTPS)) {
            throw new IllegalArgumentException("scheme " + scheme + (tls == null ? " without TLS" : " with TLS")
                    + ": expected " + HTTP + " or " + H2C + ", or " + HTTPS + " and how to verify it");
        }
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("port " + port + ": expected 1 to 65535");
        }
        this.id = Objects.requireNonNull(id, "id");
        this.scheme = scheme;
        this.address = address;
        this.host = host;
        this.port = port;
        this.tls = tls;
    }

    /**
     * The endpoints at a host that speak plain HTTP.
     *
     * @param host a host name, which is not resolved yet, or an IP address
     * @throws IllegalArgumentException if the host is neither, or the port is out of range
     */
    public static Endpoint http(String host, int port) {
        return of(HTTP, host, port, null);
    }

    /**
     * The endpoints at a host that speak HTTP over TLS, as {@link #http(String, int)}.
     *
     * @param tls how to verify their certificates
     */
    public static Endpoint https(String host, int port, UpstreamTls tls) {
        return of(HTTPS, host, port, tls);
    }

    /** The endpoints at a host that speak HTTP/2 without TLS, as {@link #http(String, int)}. */
    public static Endpoint h2c(String host, int port) {
        return of(H2C, host, port, null);
    }

    private static Endpoint of(String scheme, String host, int port, @Nullable UpstreamTls tls) {
        InetAddress literal = IpAddresses.parse(Objects.requireNonNull(host, "host"));
        if (literal == null && !HOST.matcher(host).matches()) {
            throw new IllegalArgumentException(
                    "host " + Words.shown(host) + ": expected a host name or an IP address, without a port");
        }
        return literal == null
                ? new Endpoint(host + ":" + port, scheme, null, host, port, tls)
                : new Endpoint(IpAddresses.text(literal) + ":" + port, scheme, literal, port, tls);
    }

    /** An endpoint that speaks plain HTTP. */
    public static Endpoint http(String id, InetAddress address, int port) {
        return new Endpoint(id, HTTP, address, port, null);
    }

    /** An endpoint that speaks HTTP over TLS. */
    public static Endpoint https(String id, InetAddress address, int port, UpstreamTls tls) {
        return new Endpoint(id, HTTPS, address, port, tls);
    }

    /** An endpoint that speaks HTTP/2 without TLS. */
    public static Endpoint h2c(String id, InetAddress address, int port) {
        return new Endpoint(id, H2C, address, port, null);
    }

    /**
     * An endpoint that speaks plain HTTP, with its address as its id.
     *
     * @throws IllegalArgumentException if the address is not resolved
     */
    public static Endpoint http(InetSocketAddress address) {
        if (Objects.requireNonNull(address, "address").isUnresolved()) {
            throw new IllegalArgumentException("address " + address + ": expected a resolved address");
        }
        return http(
                IpAddresses.text(address.getAddress()) + ":" + address.getPort(),
                address.getAddress(),
                address.getPort());
    }

    /** The source's id of this instance. */
    public String id() {
        return id;
    }

    /** The protocol: {@link #HTTP}, {@link #HTTPS} or {@link #H2C}. */
    public String scheme() {
        return scheme;
    }

    /** Whether it has an address. If not, it stands for all addresses of its {@link #host}. */
    public boolean isResolved() {
        return address != null;
    }

    /** Its host name; the address as text if it has none. */
    public String host() {
        return host;
    }

    /**
     * Its address.
     *
     * @throws IllegalStateException if it is not resolved
     */
    public InetAddress address() {
        if (address == null) {
            throw new IllegalStateException("endpoint " + this + " has no address yet: expected a resolved one");
        }
        return address;
    }

    /** Its port, 1 to 65535. */
    public int port() {
        return port;
    }

    /** How to verify its certificate; null without TLS. */
    public @Nullable UpstreamTls tls() {
        return tls;
    }

    /** The instance at one of the addresses of its host name, with the address as its id. */
    public Endpoint at(InetAddress one) {
        return new Endpoint(IpAddresses.text(one) + ":" + port, scheme, one, port, tls);
    }

    /**
     * Its address and port.
     *
     * @throws IllegalStateException if it is not resolved
     */
    public InetSocketAddress socketAddress() {
        return new InetSocketAddress(address(), port);
    }

    @Override
    public boolean equals(Object other) {
        return this == other
                || other instanceof Endpoint that
                        && port == that.port
                        && id.equals(that.id)
                        && scheme.equals(that.scheme)
                        && Objects.equals(address, that.address)
                        && host.equals(that.host)
                        && Objects.equals(tls, that.tls);
    }

    /** The id is nearly always unique, and strings cache their hash. */
    @Override
    public int hashCode() {
        return id.hashCode() * 31 + port;
    }

    /** Its address and port as in URLs and the Host field (RFC 3986, 3.2). */
    public String authority() {
        return (address instanceof Inet6Address ? "[" + host + "]" : host) + ":" + port;
    }

    @Override
    public String toString() {
        return scheme + "://" + authority();
    }
}
