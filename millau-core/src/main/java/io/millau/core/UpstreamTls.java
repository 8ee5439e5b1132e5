package io.millau.core;

import java.security.cert.X509Certificate;
import java.util.Objects;
import java.util.Set;

/**
 * How to verify an endpoint's certificate. Immutable.
 *
 * <pre>{@code
 * UpstreamTls tls = new UpstreamTls(Set.of(), "api.example.com"); // a certificate of a public CA
 * Service api = Service.named("api")
 *         .path("/api/")
 *         .endpoints(Endpoint.https("192.0.2.7", 443, tls))
 *         .build();
 * builder.source(ServiceSource.of(api));
 * }</pre>
 *
 * @param ca the CAs to trust; empty for those that the Java runtime trusts
 * @param name the host name or address that its certificate must be for; also sent as SNI (RFC 6066, 3)
 */
public record UpstreamTls(Set<X509Certificate> ca, String name) {

    /** Copies the set. */
    public UpstreamTls {
        ca = Set.copyOf(Objects.requireNonNull(ca, "ca"));
        Objects.requireNonNull(name, "name");
    }
}
