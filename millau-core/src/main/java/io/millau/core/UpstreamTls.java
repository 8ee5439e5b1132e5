package io.millau.core;

import java.security.cert.X509Certificate;
import java.util.Set;

/**
 * How to verify an endpoint's certificate. Immutable.
 *
 * @param ca the CAs to trust; empty for those that the Java runtime trusts
 * @param name the host name or address that its certificate must be for; also sent as SNI (RFC 6066, 3)
 */
public record UpstreamTls(Set<X509Certificate> ca, String name) {

    /** Copies the set. */
    public UpstreamTls {
        ca = Set.copyOf(ca);
    }
}
