package io.millau.core;

/**
 * The state of an address that Millau listens on. Immutable.
 *
 * @param connections the connections of clients that are open, idle ones too
 * @param maxConnections how many there may be; while there are so many, no more are accepted
 * @param refusedConnections how many were closed at once since the start, because their client had too many
 */
public record IngressStatus(
        TrafficListener.Ingress ingress, int connections, int maxConnections, long refusedConnections) {}
