package io.millau.core;

/**
 * The status of an address that Millau listens on. Immutable.
 *
 * <pre>{@code
 * List<String> alerts = new ArrayList<>();
 * for (IngressStatus address : overview.ingressStatus()) {
 *     if (address.connections() == address.maxConnections()) {
 *         alerts.add("port " + address.ingress().port() + ": no more connections are accepted");
 *     }
 * }
 * }</pre>
 */
public interface IngressStatus {

    /** The address. */
    TrafficListener.Ingress ingress();

    /** The connections of clients that are open, idle ones too. */
    int connections();

    /** How many there may be; while there are so many, no more are accepted. */
    int maxConnections();

    /** How many were closed at once since the start, because their client had too many. */
    long refusedConnections();
}
