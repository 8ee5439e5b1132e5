package io.millau.core;

/**
 * A host and a path that services have in common: what they share requests of.
 *
 * @param host a host name, or {@code *} for all
 * @param path the beginning of URL paths
 */
public record Route(String host, String path) {

    @Override
    public boolean equals(Object other) {
        return other instanceof Route that && host.equals(that.host) && path.equals(that.path);
    }

    /** Written out, as in {@link Endpoint}: the compiler's own is put together when the proxy starts, which takes 10 ms. */
    @Override
    public int hashCode() {
        return host.hashCode() * 31 + path.hashCode();
    }
}
