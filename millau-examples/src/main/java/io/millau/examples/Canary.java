package io.millau.examples;

import io.millau.server.Filter;

/**
 * Sends requests with {@code X-Canary: yes} to the canaries, which are the services of a host that only this gateway knows. Where
 * there is none for a path, the ordinary service gets the request. Whoever sends that host gets them, too: this is no protection.
 */
final class Canary {

    /** The host of canaries. */
    static final String HOST = "canary.internal";

    private static final String HOST_OF_CLIENT = "canary.host-of-client";

    /** For the proxy: chooses the host by which a service is found. */
    static final Filter CHOOSE = request ->
            "yes".equals(request.header("X-Canary")) && !request.host().isEmpty()
                    ? request.attribute(HOST_OF_CLIENT, request.host())
                            .rewriteHost(HOST)
                            .proceed()
                    : request.proceed();

    /** For each service: it gets the host that the client asked for. */
    static final Filter RESTORE_HOST = request -> request.attribute(HOST_OF_CLIENT) instanceof String host
            ? request.rewriteHost(host).proceed()
            : request.proceed();

    private Canary() {}
}
