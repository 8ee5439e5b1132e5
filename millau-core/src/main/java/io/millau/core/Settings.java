package io.millau.core;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the labels of one service say, read and checked. Immutable.
 *
 * @param enabled {@code millau.enabled}
 * @param port {@code millau.port}, or the only exposed one; 0 for a service that is not enabled and names none
 * @param hosts {@code millau.hosts}, in canonical form
 * @param path {@code millau.path}
 * @param timeout {@code millau.timeout}
 * @param retry {@code millau.retry}
 * @param retryUnsafe {@code millau.retry-unsafe}
 * @param network {@code millau.network}: the name of the network to reach it on where several would do
 */
public record Settings(
        boolean enabled,
        int port,
        List<String> hosts,
        String path,
        Duration timeout,
        Duration retry,
        boolean retryUnsafe,
        @Nullable String network) {

    /** A service with these settings and no endpoints yet. */
    public Service.Builder service(String name) {
        return Service.named(name)
                .enabled(enabled)
                .hosts(hosts)
                .path(path)
                .timeout(timeout)
                .retry(retry)
                .retryUnsafe(retryUnsafe);
    }
}
