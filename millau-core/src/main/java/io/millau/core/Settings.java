package io.millau.core;

import org.jspecify.annotations.Nullable;

/**
 * What the labels of one service say, read and checked. Immutable.
 *
 * @param service a service as they describe it, which has no name and no endpoints yet
 * @param port {@code millau.port}, or the only exposed one; 0 for a service that is not enabled and names none
 * @param network {@code millau.network}: the name of the network to reach it on where several would do
 */
public record Settings(Service service, int port, @Nullable String network) {

    /** {@code millau.enabled}. */
    public boolean enabled() {
        return service.enabled();
    }

    /** A service with these settings and no endpoints yet; its id is its name. */
    public Service.Builder service(String name) {
        return service.toBuilder(name);
    }
}
