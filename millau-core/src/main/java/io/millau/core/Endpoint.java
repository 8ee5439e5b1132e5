package io.millau.core;

import io.millau.core.internal.IpAddresses;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One running instance of a service, to which requests are sent. Immutable.
 *
 * <p>The id, of the task or container, is part of its identity, because Docker reuses addresses: a new instance must
 * not inherit the failures of a dead one with the same address. Without such an id, the address serves as the id.
 *
 * @param id the source's id of this instance
 * @param scheme the protocol: {@link #HTTP}, {@link #HTTPS} or {@link #H2C}
 * @param address its resolved address
 * @param port 1 to 65535
 * @param tls how to verify its certificate; null without TLS
 */
public record Endpoint(
        String id,
        String scheme,
        InetAddress address,
        int port,
        @Nullable UpstreamTls tls) {

    /** The scheme of plain HTTP/1.1. */
    public static final String HTTP = "http";

    /** The scheme of HTTP/1.1 over TLS. */
    public static final String HTTPS = "https";

    /**
     * The scheme of HTTP/2 without TLS, with prior knowledge (RFC 9113, 3.3), for gRPC. It doesn't support upgrades: a
     * request for one, such as WebSocket, is sent to the endpoint without its upgrade.
     */
    public static final String H2C = "h2c";

    /**
     * @throws IllegalArgumentException if the scheme is unknown or doesn't match {@code tls}, or the port is out of
     *     range
     */
    public Endpoint {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(address, "address");
        if (tls == null ? !scheme.equals(HTTP) && !scheme.equals(H2C) : !scheme.equals(HTTPS)) {
            throw new IllegalArgumentException("scheme " + scheme + (tls == null ? " without TLS" : " with TLS")
                    + ": expected " + HTTP + " or " + H2C + ", or " + HTTPS + " and how to verify it");
        }
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("port " + port + ": expected 1 to 65535");
        }
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
        if (address.isUnresolved()) {
            throw new IllegalArgumentException("address " + address + ": expected a resolved address");
        }
        return http(
                IpAddresses.text(address.getAddress()) + ":" + address.getPort(),
                address.getAddress(),
                address.getPort());
    }

    /** Its address and port. */
    public InetSocketAddress socketAddress() {
        return new InetSocketAddress(address, port);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Endpoint that
                && port == that.port
                && id.equals(that.id)
                && scheme.equals(that.scheme)
                && address.equals(that.address)
                && Objects.equals(tls, that.tls);
    }

    /** The id is nearly always unique, and strings cache their hash. */
    @Override
    public int hashCode() {
        return id.hashCode() * 31 + port;
    }

    /** Its address and port as in URLs and the Host field (RFC 3986, 3.2). */
    public String authority() {
        String text = IpAddresses.text(address);
        return (address instanceof Inet6Address ? "[" + text + "]" : text) + ":" + port;
    }

    @Override
    public String toString() {
        return scheme + "://" + authority();
    }
}
