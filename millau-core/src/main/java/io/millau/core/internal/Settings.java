package io.millau.core.internal;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.UpstreamTls;
import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the labels of one service say, read and checked. Immutable.
 *
 * @param service a service as they describe it, which has no name and no endpoints yet
 * @param port {@code millau.port}, or the only exposed one; 0 for a service that is not enabled and names none
 * @param network {@code millau.network}: the name of the network to reach it on where several would do
 * @param scheme {@code millau.scheme}: the protocol to its endpoints
 * @param upstreamCa {@code millau.upstream-ca}: the CAs of their certificates; empty for those that the Java runtime trusts
 * @param upstreamName {@code millau.upstream-name}: the name that they prove; null for the one they are known by
 */
public record Settings(
        Service service,
        int port,
        @Nullable String network,
        String scheme,
        Set<X509Certificate> upstreamCa,
        @Nullable String upstreamName) {

    /** {@code millau.enabled}. */
    public boolean enabled() {
        return service.enabled();
    }

    /**
     * An endpoint with these settings.
     *
     * @param name what it is known by
     */
    public Endpoint endpoint(String id, InetAddress address, String name) {
        return endpoint(scheme, id, address, port, name);
    }

    /** The same where the scheme and the port are said elsewhere. */
    public Endpoint endpoint(String scheme, String id, InetAddress address, int port, String name) {
        UpstreamTls tls = scheme.equals(Endpoint.HTTPS)
                ? new UpstreamTls(upstreamCa, upstreamName == null ? name : upstreamName)
                : null;
        return new Endpoint(id, scheme, address, port, tls);
    }

    /** A service with these settings and no endpoints yet; its id is its name. */
    public Service.Builder service(String name) {
        return service.toBuilder(name);
    }
}
