package io.millau.core;

import java.security.cert.X509Certificate;
import java.util.Set;

/**
 * How an endpoint proves over TLS that it is the right one. Immutable.
 *
 * @param ca the CAs to trust; empty for those that the Java runtime trusts
 * @param name what its certificate has to be for, a host name or an address, and what it is asked for (SNI, RFC 6066, 3)
 */
public record UpstreamTls(Set<X509Certificate> ca, String name) {

    /** Copies the set. */
    public UpstreamTls {
        ca = Set.copyOf(ca);
    }
}
