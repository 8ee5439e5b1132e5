package io.millau.core.internal;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.UpstreamTls;
import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The checked settings from the labels of one route of a service. Immutable.
 *
 * @param service the settings as a service, without a name and endpoints
 * @param port {@code millau.port}, or the only exposed port; 0 if the service is disabled and has none
 * @param network {@code millau.network}, as it is written: the preferred network; null for none
 * @param scheme {@code millau.scheme}: the protocol to its endpoints
 * @param upstreamCa {@code millau.upstream-ca}: the CAs to trust; empty for those that the Java runtime trusts
 * @param upstreamName {@code millau.upstream-name}: the name that endpoints' certificates must be for; null for the
 *     default
 */
public record Settings(
        Service service,
        int port,
        @Nullable LabelText network,
        String scheme,
        Set<X509Certificate> upstreamCa,
        @Nullable String upstreamName) {

    /** Those of the closed service in its place. */
    Settings closed() {
        return with(ClosedService.inPlaceOf(service));
    }

    private Settings with(Service other) {
        return new Settings(other, port, network, scheme, upstreamCa, upstreamName);
    }

    /** These settings, with what their predecessors know of clients. */
    Settings after(Settings before) {
        return with(Labels.ALL.keepFilters(service, before.service));
    }

    /** {@code millau.enabled}. */
    public boolean enabled() {
        return service.enabled();
    }

    /**
     * An endpoint with these settings.
     *
     * @param name the default for {@code upstreamName}
     */
    public Endpoint endpoint(String id, InetAddress address, String name) {
        return endpoint(scheme, id, address, port, name);
    }

    /** An endpoint with another scheme and port. */
    public Endpoint endpoint(String scheme, String id, InetAddress address, int port, String name) {
        UpstreamTls tls = scheme.equals(Endpoint.HTTPS)
                ? new UpstreamTls(upstreamCa, upstreamName == null ? name : upstreamName)
                : null;
        return new Endpoint(id, scheme, address, port, tls);
    }

    /** A service with these settings, without endpoints. Its id is its name. */
    public Service.Builder service(String name) {
        return service.toBuilder(name);
    }
}
