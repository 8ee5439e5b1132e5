package io.millau.server.internal.text;

import io.millau.core.internal.AddressRanges;

/**
 * Which peers tell this proxy who a client is. Immutable.
 *
 * @param forwarding peers whose {@code X-Forwarded-*} and {@code Forwarded} fields are believed: {@code TRUSTED}
 * @param proxyProtocol peers whose connections begin with a PROXY protocol header: {@code PROXY_PROTOCOL}
 */
public record Trust(AddressRanges forwarding, AddressRanges proxyProtocol) {

    /** Nobody is believed. */
    public static final Trust NOBODY = new Trust(AddressRanges.NONE, AddressRanges.NONE);

    public boolean isEmpty() {
        return forwarding.isEmpty() && proxyProtocol.isEmpty();
    }

    /** One line for users. */
    @Override
    public String toString() {
        if (isEmpty()) {
            return "Clients are known by the addresses of their connections: no proxy in front is trusted (TRUSTED, PROXY_PROTOCOL; in code: trusted, proxyProtocol)";
        }
        String fields = forwarding.isEmpty() ? "" : "X-Forwarded-For is believed from " + forwarding;
        String headers = proxyProtocol.isEmpty() ? "" : "PROXY protocol headers are required from " + proxyProtocol;
        return fields + (fields.isEmpty() || headers.isEmpty() ? "" : "; ") + headers;
    }
}
