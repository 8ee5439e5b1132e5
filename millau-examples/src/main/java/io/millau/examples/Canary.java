package io.millau.examples;

import io.millau.server.Filter;

/**
 * Sends requests with {@code X-Canary: yes} to the canaries, which are the services of a host that only this gateway knows. Where
 * none fits the path or has an instance, the ordinary service gets the request. Whoever sends that host gets them, too: this is no
 * protection.
 */
final class Canary {

    /** The host of canaries. */
    static final String HOST = "canary.internal";

    static final Filter CHOOSE = request ->
            "yes".equals(request.header("X-Canary")) ? request.preferHost(HOST).proceed() : request.proceed();

    private Canary() {}
}
