package io.millau.core;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Objects;

/**
 * One running instance of a service: where requests are sent to.
 *
 * <p>The id (of the task, the container, or the address where there is nothing better) belongs to its identity: Docker
 * gives the address of a dead instance to the next one, and that must not inherit its predecessor's failures. Immutable.
 *
 * @param id what the source calls this instance
 * @param scheme how it is spoken to; {@code http} is the one that is served today
 * @param address its address, resolved
 * @param port 1 to 65535
 */
public record Endpoint(String id, String scheme, InetAddress address, int port) {

    /** The scheme of plain HTTP/1.1. */
    public static final String HTTP = "http";

    /** @throws IllegalArgumentException if the scheme is not served or the port is out of range */
    public Endpoint {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(address, "address");
        if (!HTTP.equals(scheme)) {
            throw new IllegalArgumentException("scheme " + scheme + ": expected " + HTTP);
        }
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("port " + port + ": expected 1 to 65535");
        }
    }

    /** An endpoint that speaks plain HTTP. */
    public static Endpoint http(String id, InetAddress address, int port) {
        return new Endpoint(id, HTTP, address, port);
    }

    /**
     * An endpoint that speaks plain HTTP, named by its address.
     *
     * @throws IllegalArgumentException if the address is not resolved
     */
    public static Endpoint http(InetSocketAddress address) {
        if (address.isUnresolved()) {
            throw new IllegalArgumentException("address " + address + ": expected a resolved address");
        }
        return http(
                address.getAddress().getHostAddress() + ":" + address.getPort(),
                address.getAddress(),
                address.getPort());
    }

    /** Its address as a socket wants it. */
    public InetSocketAddress socketAddress() {
        return new InetSocketAddress(address, port);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Endpoint that
                && port == that.port
                && id.equals(that.id)
                && scheme.equals(that.scheme)
                && address.equals(that.address);
    }

    /** The id tells nearly all of them apart, and a string remembers its hash. */
    @Override
    public int hashCode() {
        return id.hashCode() * 31 + port;
    }

    /** Its address and port, as a URL and a Host field have them (RFC 3986, 3.2). */
    public String authority() {
        return (address.getAddress().length == 16 ? "[" + address.getHostAddress() + "]" : address.getHostAddress())
                + ":" + port;
    }

    @Override
    public String toString() {
        return scheme + "://" + authority();
    }
}
