package io.millau.core;

/**
 * A host and a path; services with the same ones share requests. Immutable.
 *
 * <pre>{@code
 * Map<Route, LongAdder> requests = new ConcurrentHashMap<>();
 * builder.listener(new TrafficListener() {
 *     @Override
 *     public void requestEnded(Ended request) {
 *         if (request.route() != null) { // a service matched
 *             requests.computeIfAbsent(request.route(), route -> new LongAdder()).increment();
 *         }
 *     }
 * });
 * }</pre>
 *
 * @param host a host name, or {@code *} for all
 * @param path the prefix of URL paths
 */
public record Route(String host, String path) {

    @Override
    public boolean equals(Object other) {
        return other instanceof Route that && host.equals(that.host) && path.equals(that.path);
    }

    /** Not the generated method, whose linkage at start takes 10 ms. */
    @Override
    public int hashCode() {
        return host.hashCode() * 31 + path.hashCode();
    }
}
